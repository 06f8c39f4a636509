// SPDX-License-Identifier: Apache-2.0
// The ACPI parser against tables built in a fake physical memory, good and malformed; and what the
// IOAPIC driver makes of interrupt numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "arch/lib/format.h"
#include "arch/lib/types.h"
#include "arch/memory/window.h"
#include "drivers/acpi/acpi.h"
#include "drivers/acpi/tables.h"
#include "drivers/console/console.h"
#include "drivers/ioapic/ioapic.h"

// The first MiB, and 64 KiB elsewhere for tables.
#define HIGH      0x7ff00000u
#define HIGH_SIZE 0x10000u

static uint8_t low[0x100000];
static uint8_t high[HIGH_SIZE];
static struct acpi_info info;
static char error[256];
static char warnings[4096];

static uint8_t *place(uint64_t address, size_t size)
{
    if (address <= sizeof(low) && size <= sizeof(low) - address)
        return low + address;
    if (address >= HIGH && address - HIGH <= HIGH_SIZE && size <= HIGH_SIZE - (address - HIGH))
        return high + (address - HIGH);
    return NULL;
}

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    const uint8_t *from = place(address.v, size);

    if (from == NULL)
        return ERR_RANGE;
    memcpy(buffer, from, size);
    return STATUS_OK;
}

void print(const char *fmt, ...)
{
    va_list args;
    size_t used = strlen(warnings);

    va_start(args, fmt);
    vformat(warnings + used, sizeof(warnings) - used, fmt, args);
    va_end(args);
}

static void fix_checksum(uint64_t address, size_t size, size_t at)
{
    uint8_t *bytes = place(address, size);
    uint8_t sum = 0;

    bytes[at] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[at] = (uint8_t)-sum;
}

#define RSDP 0xf5a00u
#define RSDT (HIGH + 0x100)
#define XSDT (HIGH + 0x400)
#define MADT (HIGH + 0x1000)
#define FADT (HIGH + 0x3000)
#define MCFG (HIGH + 0x4000)

static void set(uint64_t address, const void *bytes, size_t size)
{
    memcpy(place(address, size), bytes, size);
}

static void set_header(uint64_t address, const char *signature, uint32_t length, uint8_t revision)
{
    struct acpi_header header = {.length = length, .revision = revision};

    memcpy(header.signature, signature, 4);
    set(address, &header, sizeof(header));
}

static void seal(uint64_t address)
{
    struct acpi_header header;

    memcpy(&header, place(address, sizeof(header)), sizeof(header));
    fix_checksum(address, header.length, offsetof(struct acpi_header, checksum));
}

static void set_rsdp(uint64_t address, uint8_t revision)
{
    struct acpi_rsdp rsdp = {
        .revision = revision, .rsdt = RSDT, .length = sizeof(rsdp), .xsdt = XSDT};

    memcpy(rsdp.signature, "RSD PTR ", 8);
    set(address, &rsdp, revision >= 2 ? sizeof(rsdp) : ACPI_RSDP_OLD_SIZE);
    fix_checksum(address, ACPI_RSDP_OLD_SIZE, offsetof(struct acpi_rsdp, checksum));
    if (revision >= 2)
        fix_checksum(address, sizeof(rsdp), offsetof(struct acpi_rsdp, extended_checksum));
}

static void set_roots(void)
{
    const uint32_t narrow[] = {FADT, MADT, MCFG};
    const uint64_t wide[] = {FADT, MADT, MCFG};

    set_header(RSDT, "RSDT", 36 + sizeof(narrow), 1);
    set(RSDT + 36, narrow, sizeof(narrow));
    seal(RSDT);
    set_header(XSDT, "XSDT", 36 + sizeof(wide), 1);
    set(XSDT + 36, wide, sizeof(wide));
    seal(XSDT);
}

// ---- MADT
// -----------------------------------------------------------------------------------------

static uint32_t madt_length;

static void madt_start(void)
{
    struct acpi_madt madt = {.lapic_address = 0xfee00000, .flags = 1};

    set(MADT, &madt, sizeof(madt));
    madt_length = sizeof(madt);
}

static void madt_add(const void *entry, size_t size)
{
    set(MADT + madt_length, entry, size);
    madt_length += (uint32_t)size;
}

static void madt_end(void)
{
    struct acpi_madt madt;

    memcpy(&madt, place(MADT, sizeof(madt)), sizeof(madt));
    set_header(MADT, "APIC", madt_length, 4);
    seal(MADT);
}

static void madt_cpu(uint8_t acpi_id, uint8_t apic_id, uint32_t flags)
{
    struct acpi_madt_lapic e = {{ACPI_MADT_LAPIC, sizeof(e)}, acpi_id, apic_id, flags};

    madt_add(&e, sizeof(e));
}

static void madt_x2apic(uint32_t acpi_id, uint32_t apic_id, uint32_t flags)
{
    struct acpi_madt_x2apic e = {{ACPI_MADT_X2APIC, sizeof(e)}, 0, apic_id, flags, acpi_id};

    madt_add(&e, sizeof(e));
}

static void madt_ioapic(uint8_t id, uint32_t address, uint32_t gsi_base)
{
    struct acpi_madt_ioapic e = {{ACPI_MADT_IOAPIC, sizeof(e)}, id, 0, address, gsi_base};

    madt_add(&e, sizeof(e));
}

static void madt_override(uint8_t bus, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    struct acpi_madt_override e = {{ACPI_MADT_OVERRIDE, sizeof(e)}, bus, irq, gsi, flags};

    madt_add(&e, sizeof(e));
}

static void madt_good(void)
{
    static const uint8_t nmi[] = {4, 6, 0xff, 0, 0, 1};

    madt_start();
    for (uint8_t i = 0; i < 4; i++)
        madt_cpu((uint8_t)(i + 1), (uint8_t)(2 * i), 1);
    madt_ioapic(0, 0xfec00000, 0);
    madt_override(0, 0, 2, 0);
    madt_override(0, 9, 9, 0x000d);
    madt_add(nmi, sizeof(nmi));
    madt_end();
}

// ---- FADT, MCFG
// -----------------------------------------------------------------------------------

static struct acpi_fadt fadt;

static void set_fadt(uint32_t length, uint8_t revision)
{
    set(FADT, &fadt, length < sizeof(fadt) ? length : sizeof(fadt));
    set_header(FADT, "FACP", length, revision);
    seal(FADT);
}

static struct acpi_gas io(uint64_t port, uint8_t width)
{
    return (struct acpi_gas){ACPI_SPACE_IO, width, 0, 0, port};
}

static void fadt_good(void)
{
    fadt = (struct acpi_fadt){
        .dsdt = HIGH + 0x8000,
        .sci_irq = 9,
        .smi_command = 0xb2,
        .pm1a_event = 0x600,
        .pm1a_control = 0x604,
        .pm_timer = 0x608,
        .pm1_event_length = 4,
        .pm1_control_length = 2,
        .pm_timer_length = 4,
        .century = 0x32,
        .iapc_flags = 0x12,
        .flags = ACPI_FADT_RESET | ACPI_FADT_TIMER_32,
        .reset = io(0xcf9, 8),
        .reset_value = 0x0f,
    };
    set_fadt(244, 3);
}

static void set_mcfg(const struct acpi_mcfg_entry *entries, size_t count)
{
    set(MCFG + 44, entries, count * sizeof(*entries));
    set_header(MCFG, "MCFG", (uint32_t)(44 + count * sizeof(*entries)), 1);
    seal(MCFG);
}

static int good_machine(void **state)
{
    (void)state;
    const struct acpi_mcfg_entry range = {0xb0000000, 0, 0, 255, 0};

    memset(low, 0, sizeof(low));
    memset(high, 0, sizeof(high));
    memset(&info, 0xee, sizeof(info));
    memset(error, 0, sizeof(error));
    memset(warnings, 0, sizeof(warnings));
    set_rsdp(RSDP, 2);
    set_roots();
    madt_good();
    fadt_good();
    set_mcfg(&range, 1);
    return 0;
}

static enum status parse(void)
{
    memset(warnings, 0, sizeof(warnings));
    return acpi_parse(0, &info, error, sizeof(error));
}

static void expect_error(enum status expected, const char *part)
{
    assert_int_equal(parse(), expected);
    if (strstr(error, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, part);
}

static void expect_warning(const char *part)
{
    assert_int_equal(parse(), STATUS_OK);
    if (strstr(warnings, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", warnings, part);
}

static void expect_good_cpus(void)
{
    assert_int_equal(info.cpu_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(info.cpus[i].acpi_id, i + 1);
        assert_int_equal(info.cpus[i].apic_id, 2 * i);
    }
}

// ---- tests
// ----------------------------------------------------------------------------------------

static void all_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse(), STATUS_OK);
    assert_string_equal(warnings, "");
    assert_int_equal(info.rsdp, RSDP);
    assert_int_equal(info.revision, 2);
    assert_true(info.root_is_xsdt);
    expect_good_cpus();
    assert_int_equal(info.lapic_address, 0xfee00000);
    assert_true(info.pcat_compat);
    assert_int_equal(info.ioapic_count, 1);
    assert_int_equal(info.ioapics[0].address, 0xfec00000);
    assert_int_equal(info.override_count, 2);
    assert_int_equal(info.overrides[0].gsi, 2);
    assert_false(info.overrides[0].level || info.overrides[0].active_low);
    assert_true(info.overrides[1].level && !info.overrides[1].active_low);
    assert_true(info.has_fadt);
    assert_int_equal(info.pm_timer_port, 0x608);
    assert_true(info.pm_timer_32bit);
    assert_int_equal(info.pm1a_event_port, 0x600);
    assert_int_equal(info.pm1a_control_port, 0x604);
    assert_int_equal(info.pm1b_control_port, 0);
    assert_int_equal(info.smi_command_port, 0xb2);
    assert_int_equal(info.sci_irq, 9);
    assert_int_equal(info.century, 0x32);
    assert_int_equal(info.iapc_flags, 0x12);
    assert_int_equal(info.dsdt, HIGH + 0x8000);
    assert_int_equal(info.reset.kind, ACPI_RESET_IO);
    assert_int_equal(info.reset.address, 0xcf9);
    assert_int_equal(info.reset.value, 0x0f);
    assert_int_equal(info.mcfg_count, 1);
    assert_int_equal(info.mcfg[0].base, 0xb0000000);
    assert_int_equal(info.mcfg[0].bus_last, 255);
}

static void rsdp_is_searched(void **state)
{
    static const struct {
        uint16_t segment;
        uint32_t address;
        bool found;
    } rows[] = {
        {0, 0xe0000, true},       {0, 0xfffe0, true},       {0, 0xe0008, false},
        {0x9fc0, 0x9fc00, true},  {0x9c00, 0x9c3d0, true},  {0x9c00, 0x9c400, false},
        {0x0020, 0x200, false}, // an EBDA within the BIOS data area
        {0xa000, 0xa0000, false}, {0xffff, 0x9fc00, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        good_machine(state);
        memset(low, 0, sizeof(low));
        set(0x40e, &rows[i].segment, 2);
        set_rsdp(rows[i].address, 0);
        if (!rows[i].found) {
            expect_error(ERR_NOT_FOUND, "no RSDP");
            continue;
        }
        assert_int_equal(parse(), STATUS_OK);
        assert_int_equal(info.rsdp, rows[i].address);
        assert_false(info.root_is_xsdt);
        expect_good_cpus();
    }
}

static void rsdp_damage(void **state)
{
    (void)state;
    // The bad one is passed over.
    set_rsdp(0xe0000, 2);
    low[0xe0000 + 9]++;
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.rsdp, RSDP);
    // None is left.
    low[RSDP + 35]++;
    expect_error(ERR_CHECKSUM, "RSDP is damaged");

    // Given by the loader: this one or none.
    set_rsdp(HIGH + 0xf000, 2);
    assert_int_equal(acpi_parse(HIGH + 0xf000, &info, error, sizeof(error)), STATUS_OK);
    assert_int_equal(info.rsdp, HIGH + 0xf000);
    assert_int_equal(acpi_parse(0xe0000, &info, error, sizeof(error)), ERR_CHECKSUM);
    assert_non_null(strstr(error, "loader passed, at 0xe0000, is damaged"));
    assert_int_equal(acpi_parse(0xe1000, &info, error, sizeof(error)), ERR_NOT_FOUND);
    assert_int_equal(acpi_parse(0x80000000, &info, error, sizeof(error)), ERR_RANGE);

    // Lengths that can't be.
    static const uint32_t lengths[] = {0, 20, 35, 4097, 0xffffffff};

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        set(HIGH + 0xf000 + offsetof(struct acpi_rsdp, length), &lengths[i], 4);
        assert_int_equal(acpi_parse(HIGH + 0xf000, &info, error, sizeof(error)), ERR_INVALID);
    }
}

static void root_falls_back(void **state)
{
    (void)state;
    high[XSDT - HIGH + 20]++;
    expect_warning("the XSDT at 0x7ff00400 is damaged");
    assert_false(info.root_is_xsdt);
    expect_good_cpus();
    assert_int_equal(info.mcfg_count, 1);
    high[RSDT - HIGH + 20]++;
    expect_error(ERR_CHECKSUM, "no good RSDT or XSDT");
    // The right checksum, but something else.
    set_header(RSDT, "SSDT", 48, 1);
    seal(RSDT);
    expect_error(ERR_INVALID, "no good RSDT or XSDT");
}

static void root_lengths(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 35, 0x100001, 0xffffffff};

    set_rsdp(RSDP, 0);
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        set(RSDT + 4, &lengths[i], 4);
        expect_error(ERR_INVALID, "no good RSDT");
    }
    // Reaches out of memory.
    uint32_t length = HIGH_SIZE;

    set(RSDT + 4, &length, 4);
    expect_error(ERR_RANGE, "no good RSDT");
    // No entries; part of an entry.
    for (length = 36; length < 40; length++) {
        set_header(RSDT, "RSDT", length, 1);
        seal(RSDT);
        expect_error(ERR_NOT_FOUND, "no MADT");
    }
    // Entries that lead nowhere are passed over.
    set_roots();
    const uint32_t entries[] = {0, 0xfffffff0, MADT};

    set(RSDT + 36, entries, sizeof(entries));
    seal(RSDT);
    assert_int_equal(parse(), STATUS_OK);
    expect_good_cpus();
    assert_false(info.has_fadt);
    assert_int_equal(info.pm_timer_port, 0);
    assert_int_equal(info.mcfg_count, 0);
}

static void madt_damage(void **state)
{
    (void)state;
    high[MADT - HIGH + 50]++;
    expect_error(ERR_CHECKSUM, "MADT (table APIC) is damaged");
    for (uint32_t length = 36; length < 44; length++) {
        set_header(MADT, "APIC", length, 4);
        seal(MADT);
        expect_error(ERR_TRUNCATED, "MADT has only");
    }
    madt_start();
    madt_end();
    expect_error(ERR_INVALID, "no enabled CPU");

    static const struct {
        uint8_t bytes[6];
        uint8_t size;
    } bad[] = {
        {{0}, 1},                // half a header
        {{0, 0}, 2},             // would never end
        {{200, 1, 0, 0}, 4},     // shorter than its header
        {{0, 8, 0, 0}, 4},       // reaches beyond the table
        {{200, 255, 0, 0}, 4},   // an unknown one, too
        {{0, 6, 1, 1, 1, 0}, 6}, // shorter than its type must be
        {{1, 6, 1, 1, 1, 0}, 6},
        {{2, 6, 1, 1, 1, 0}, 6},
        {{5, 6, 1, 1, 1, 0}, 6},
        {{9, 6, 1, 1, 1, 0}, 6},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        madt_start();
        madt_cpu(0, 0, 1);
        madt_add(bad[i].bytes, bad[i].size);
        madt_end();
        enum status status = parse();

        assert_true(status == ERR_INVALID || status == ERR_TRUNCATED);
        assert_non_null(strstr(error, "MADT entry at offset 52"));
    }
}

static void cpus_of_all_kinds(void **state)
{
    (void)state;
    madt_start();
    madt_cpu(0, 0, 1);
    madt_cpu(1, 1, 0);    // disabled
    madt_cpu(2, 2, 2);    // online capable
    madt_cpu(3, 0xff, 1); // placeholder
    madt_cpu(4, 3, 3);
    madt_x2apic(5, 3, 1); // the same again
    madt_x2apic(6, 0x12345, 1);
    madt_x2apic(7, 0x12346, 0);
    madt_x2apic(8, 0xffffffff, 1);
    madt_end();
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.cpu_count, 3);
    assert_int_equal(info.cpus[1].apic_id, 3);
    assert_int_equal(info.cpus[1].acpi_id, 4);
    assert_int_equal(info.cpus[2].apic_id, 0x12345);
    assert_int_equal(info.cpus[2].acpi_id, 6);
}

static void limits_are_kept(void **state)
{
    (void)state;
    madt_start();
    for (uint32_t i = 0; i < MAX_CPUS + 5; i++)
        madt_x2apic(i, 1000 + i, 1);
    for (uint8_t i = 0; i < ACPI_MAX_IOAPICS + 1; i++)
        madt_ioapic(i, 0xfec00000 + 0x1000u * i, 24u * i);
    for (uint8_t i = 0; i < ACPI_MAX_OVERRIDES + 1; i++)
        madt_override(0, i % 16, i, 0);
    madt_end();
    expect_warning("the machine has 69 CPUs, of which 64 are used");
    assert_int_equal(info.cpu_count, MAX_CPUS);
    assert_int_equal(info.cpus_ignored, 5);
    assert_int_equal(info.ioapic_count, ACPI_MAX_IOAPICS);
    assert_non_null(strstr(warnings, "more than 8 IOAPICs"));
    assert_int_equal(info.override_count, ACPI_MAX_OVERRIDES);
    assert_non_null(strstr(warnings, "more than 16 interrupt overrides"));
}

static void odd_madt_entries(void **state)
{
    (void)state;
    static const struct acpi_madt_lapic_address override = {
        {ACPI_MADT_LAPIC_ADDRESS, sizeof(override)}, 0, 0xfedc0000};
    static const struct acpi_madt_lapic_address bad = {
        {ACPI_MADT_LAPIC_ADDRESS, sizeof(bad)}, 0, 0x123};

    madt_start();
    madt_cpu(0, 0, 1);
    madt_add(&override, sizeof(override));
    madt_ioapic(1, 0, 0);
    madt_ioapic(2, 0xfec00008, 0);
    madt_override(1, 3, 3, 0);
    madt_override(0, 16, 16, 0);
    madt_override(0, 5, 5, 0xa); // reserved values: as the bus has it
    madt_override(0, 6, 6, 0xf);
    madt_end();
    expect_warning("IOAPIC 1 at 0x0");
    assert_int_equal(info.ioapic_count, 0);
    assert_int_equal(info.lapic_address, 0xfedc0000);
    assert_int_equal(info.override_count, 2);
    assert_false(info.overrides[0].level || info.overrides[0].active_low);
    assert_true(info.overrides[1].level && info.overrides[1].active_low);
    madt_add(&bad, sizeof(bad));
    madt_end();
    expect_warning("local APIC address 0x123");
    assert_int_equal(info.lapic_address, 0xfee00000);
}

static void fadt_revisions(void **state)
{
    (void)state;
    // Revision 1: no reset register, no IAPC flags.
    set_fadt(116, 1);
    assert_int_equal(parse(), STATUS_OK);
    assert_true(info.has_fadt);
    assert_int_equal(info.pm_timer_port, 0x608);
    assert_int_equal(info.reset.kind, ACPI_RESET_NONE);
    assert_int_equal(info.iapc_flags, 0);
    // The extended fields win, as far as they lie within the table.
    fadt.x_pm1a_event = io(0x1800, 32);
    fadt.x_pm1a_control = io(0x1804, 16);
    fadt.x_pm_timer = io(0x1808, 32);
    fadt.x_dsdt = 0x123456789a;
    set_fadt(244, 5);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.pm1a_event_port, 0x1800);
    assert_int_equal(info.pm1a_control_port, 0x1804);
    assert_int_equal(info.pm_timer_port, 0x1808);
    assert_int_equal(info.dsdt, 0x123456789a);
    for (uint32_t length = 208; length < 220; length++) {
        set_fadt(length, 3);
        assert_int_equal(parse(), STATUS_OK);
        assert_int_equal(info.pm1a_control_port, 0x1804);
        assert_int_equal(info.pm_timer_port, 0x608);
    }
    set_fadt(220, 3);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.pm_timer_port, 0x1808);
    // A reset register cut before its value.
    set_fadt(128, 3);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.reset.kind, ACPI_RESET_NONE);
    set_fadt(129, 3);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.reset.kind, ACPI_RESET_IO);
}

static void fadt_nonsense(void **state)
{
    (void)state;
    set_fadt(115, 1);
    expect_warning("the FADT has only 115 bytes");
    assert_false(info.has_fadt);
    assert_int_equal(info.pm_timer_port, 0);

    fadt_good();
    high[FADT - HIGH + 60]++;
    expect_warning("table FACP is damaged");
    assert_false(info.has_fadt);
    assert_int_equal(info.mcfg_count, 1);

    fadt_good();
    fadt.pm_timer = 0xfffd;
    set_fadt(244, 3);
    expect_warning("PM timer register at 0xfffd");
    assert_int_equal(info.pm_timer_port, 0);
    assert_false(info.pm_timer_32bit);

    fadt_good();
    fadt.x_pm_timer = (struct acpi_gas){ACPI_SPACE_MEMORY, 32, 0, 0, 0xfed00000};
    set_fadt(244, 3);
    expect_warning("extended PM timer register is not in I/O space");
    assert_int_equal(info.pm_timer_port, 0x608);

    fadt_good();
    fadt.pm_timer_length = 0;
    set_fadt(244, 3);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.pm_timer_port, 0);
    assert_int_equal(info.pm1a_event_port, 0x600);

    fadt_good();
    fadt.flags &= ~ACPI_FADT_TIMER_32;
    set_fadt(244, 3);
    assert_int_equal(parse(), STATUS_OK);
    assert_false(info.pm_timer_32bit);

    fadt.flags |= ACPI_FADT_HW_REDUCED;
    set_fadt(244, 5);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.pm_timer_port, 0);
    assert_int_equal(info.pm1a_control_port, 0);
    assert_int_equal(info.reset.kind, ACPI_RESET_IO);
}

static void reset_registers(void **state)
{
    (void)state;
    static const struct {
        struct acpi_gas gas;
        enum acpi_reset_kind kind;
    } rows[] = {
        {{ACPI_SPACE_IO, 8, 0, 0, 0xcf9}, ACPI_RESET_IO},
        {{ACPI_SPACE_IO, 8, 0, 0, 0x10000}, ACPI_RESET_NONE},
        {{ACPI_SPACE_IO, 8, 0, 0, 0}, ACPI_RESET_NONE},
        {{ACPI_SPACE_MEMORY, 8, 0, 0, 0xfed00000}, ACPI_RESET_MEMORY},
        {{ACPI_SPACE_PCI, 8, 0, 0, 0x1f000000ac}, ACPI_RESET_PCI},
        {{3, 8, 0, 0, 0xcf9}, ACPI_RESET_NONE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        fadt_good();
        fadt.reset = rows[i].gas;
        set_fadt(244, 3);
        assert_int_equal(parse(), STATUS_OK);
        assert_int_equal(info.reset.kind, rows[i].kind);
        assert_int_equal(info.reset.address,
                         rows[i].kind == ACPI_RESET_NONE ? 0 : rows[i].gas.address);
    }
    fadt_good();
    fadt.flags &= ~ACPI_FADT_RESET;
    set_fadt(244, 3);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(info.reset.kind, ACPI_RESET_NONE);
}

static void mcfg_ranges(void **state)
{
    (void)state;
    static const struct acpi_mcfg_entry entries[] = {
        {0, 0, 0, 255, 0},                     // nowhere
        {0xb0080000, 0, 0, 255, 0},            // not aligned
        {0xb0000000, 0, 5, 4, 0},              // ends before it starts
        {0xfffffffffff00000ull, 0, 0, 255, 0}, // beyond what a CPU can address
        {0xb0000000, 0, 16, 31, 0},
        {0x380000000000ull, 1, 0, 255, 0},
        {0xd0000000, 2, 0, 0, 0},
        {0xe0000000, 3, 255, 255, 0},
        {0xe0000000, 4, 0, 255, 0}, // one too many
    };

    set_mcfg(entries, ARRAY_SIZE(entries));
    expect_warning("makes no sense");
    assert_int_equal(info.mcfg_count, ACPI_MAX_MCFG);
    assert_int_equal(info.mcfg[0].bus_first, 16);
    assert_int_equal(info.mcfg[1].base, 0x380000000000ull);
    assert_int_equal(info.mcfg[1].segment, 1);
    assert_int_equal(info.mcfg[3].segment, 3);
    assert_non_null(strstr(warnings, "more than 4 MCFG ranges"));
    assert_non_null(strstr(warnings, "PCI segment 1 is not used"));
    assert_non_null(strstr(warnings, "PCI segment 3 is not used"));
    assert_null(strstr(warnings, "PCI segment 0"));
    // The segment that is used has room, wherever it stands.
    static const struct acpi_mcfg_entry late[] = {
        {0x10000000, 1, 0, 0, 0}, {0x20000000, 2, 0, 0, 0}, {0x30000000, 3, 0, 0, 0},
        {0x40000000, 4, 0, 0, 0}, {0x50000000, 5, 0, 0, 0}, {0xe0000000, 0, 0, 255, 0},
    };
    set_mcfg(late, ARRAY_SIZE(late));
    expect_warning("more than 4 MCFG ranges; that at 0x50000000 is left out");
    assert_int_equal(info.mcfg_count, ACPI_MAX_MCFG);
    assert_int_equal(info.mcfg[3].base, 0xe0000000);
    assert_int_equal(info.mcfg[3].segment, 0);
    // Shorter than its own header; an entry cut in two.
    for (uint32_t length = 36; length < 60; length++) {
        set_header(MCFG, "MCFG", length, 1);
        seal(MCFG);
        assert_int_equal(parse(), STATUS_OK);
        assert_int_equal(info.mcfg_count, 0);
    }
}

static void tables_are_found_by_name(void **state)
{
    (void)state;
    uint64_t address;
    uint32_t length;
    const uint64_t wide[] = {MADT, HIGH + 0x5000, HIGH + 0x6000};

    set_header(HIGH + 0x5000, "SSDT", 40, 1);
    seal(HIGH + 0x5000);
    set_header(HIGH + 0x6000, "SSDT", 44, 1);
    set(XSDT + 36, wide, sizeof(wide));
    seal(XSDT);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(acpi_find_table(&info, "SSDT", 0, &address, &length), STATUS_OK);
    assert_int_equal(address, HIGH + 0x5000);
    assert_int_equal(length, 40);
    assert_int_equal(acpi_find_table(&info, "SSDT", 1, &address, &length), ERR_CHECKSUM);
    assert_int_equal(acpi_find_table(&info, "SSDT", 2, &address, &length), ERR_NOT_FOUND);
    assert_int_equal(acpi_find_table(&info, "DMAR", 0, &address, &length), ERR_NOT_FOUND);
    memset(&info, 0, sizeof(info));
    assert_int_equal(acpi_find_table(&info, "APIC", 0, &address, &length), ERR_NOT_FOUND);
}

// Whatever the tables hold, with good checksums and bad ones: an error has a text, no limit is
// passed, and the sanitizers find nothing.
static void random_damage(void **state)
{
    srand(42);
    for (unsigned round = 0; round < 20000; round++) {
        if (round % 100 == 0)
            good_machine(state);
        static const uint64_t tables[] = {RSDT, XSDT, MADT, FADT, MCFG};
        uint64_t table = tables[rand() % 5];
        struct acpi_header header;

        high[table - HIGH + (uint32_t)rand() % 300] = (uint8_t)rand();
        memcpy(&header, place(table, sizeof(header)), sizeof(header));
        if (header.length >= 36 && header.length <= 0x1000 && rand() % 4 != 0)
            seal(table);
        if (parse() != STATUS_OK)
            assert_non_null(strstr(error, "ACPI: "));
        assert_true(info.cpu_count <= MAX_CPUS && info.ioapic_count <= ACPI_MAX_IOAPICS);
        assert_true(info.override_count <= ACPI_MAX_OVERRIDES && info.mcfg_count <= ACPI_MAX_MCFG);
    }
}

// ---- IOAPIC
// ---------------------------------------------------------------------------------------

static void interrupts_are_found(void **state)
{
    (void)state;
    struct ioapic_input input;
    unsigned ioapic;
    uint32_t pin;

    madt_start();
    madt_cpu(0, 0, 1);
    madt_ioapic(9, 0xfec01000, 24);
    madt_ioapic(8, 0xfec00000, 0);
    madt_override(0, 0, 2, 0);
    madt_override(0, 9, 25, 0xf);
    madt_end();
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(ioapic_find_isa(&info, 4, &input), STATUS_OK);
    assert_int_equal(input.ioapic, 1);
    assert_int_equal(input.pin, 4);
    assert_int_equal(input.gsi, 4);
    assert_false(input.level || input.active_low);
    assert_int_equal(ioapic_find_isa(&info, 0, &input), STATUS_OK);
    assert_int_equal(input.pin, 2);
    assert_int_equal(ioapic_find_isa(&info, 9, &input), STATUS_OK);
    assert_int_equal(input.ioapic, 0);
    assert_int_equal(input.pin, 1);
    assert_int_equal(input.gsi, 25);
    assert_true(input.level && input.active_low);
    assert_int_equal(ioapic_find_gsi(&info, 23, &ioapic, &pin), STATUS_OK);
    assert_int_equal(ioapic, 1);
    assert_int_equal(pin, 23);
    info.ioapic_count = 1; // only the one from 24 up
    assert_int_equal(ioapic_find_gsi(&info, 23, &ioapic, &pin), ERR_NOT_FOUND);
    info.ioapic_count = 0;
    assert_int_equal(ioapic_find_isa(&info, 9, &input), ERR_NOT_FOUND);
}

static void routes_are_encoded(void **state)
{
    (void)state;
    static const struct {
        struct ioapic_route route;
        uint64_t entry;
    } rows[] = {
        {{.vector = 0x31, .apic_id = 3}, 0x0300000000000031},
        {{.vector = 0x31, .level = true, .active_low = true, .masked = true}, 0x1a031},
        {{.mode = IOAPIC_MODE_NMI, .vector = 0x77, .apic_id = 0xfe}, 0xfe00000000000400},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(ioapic_encode(&rows[i].route), rows[i].entry);
}

static void impossible_routes_are_refused(void **state)
{
    (void)state;
    // Plain memory in place of the registers: every register reads what was written last, so the
    // number of pins is what the test puts there.
    uint32_t regs[8] = {[4] = 0x00170011};
    static const struct ioapic_route bad[] = {
        {.vector = 15},
        {.vector = 0x31, .apic_id = 0xff},
        {.mode = IOAPIC_MODE_NMI, .level = true},
        {.mode = (enum ioapic_mode)2, .vector = 0x31}, // SMI
        {.mode = (enum ioapic_mode)5, .vector = 0x31}, // INIT
        {.mode = (enum ioapic_mode)7, .vector = 0x31}, // ExtINT
    };
    static const struct ioapic_route good = {.vector = 0x31};

    assert_int_equal(ioapic_pins(regs), 24);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(ioapic_set(regs, 3, &bad[i]), ERR_INVALID);
    assert_int_equal(ioapic_set(regs, 24, &good), ERR_RANGE);
    assert_int_equal(regs[4], 0x00170011);
    assert_int_equal(ioapic_get(regs, 24), UINT64_MAX);
    assert_int_equal(ioapic_set(regs, 23, &good), STATUS_OK);
    assert_int_equal(regs[0], 0x10 + 2 * 23); // the low half comes last
    assert_int_equal(regs[4], 0x31);
    regs[4] = 0xffffffff;
    assert_int_equal(ioapic_pins(regs), IOAPIC_MAX_PINS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_is_read, good_machine),
        cmocka_unit_test_setup(rsdp_is_searched, good_machine),
        cmocka_unit_test_setup(rsdp_damage, good_machine),
        cmocka_unit_test_setup(root_falls_back, good_machine),
        cmocka_unit_test_setup(root_lengths, good_machine),
        cmocka_unit_test_setup(madt_damage, good_machine),
        cmocka_unit_test_setup(cpus_of_all_kinds, good_machine),
        cmocka_unit_test_setup(limits_are_kept, good_machine),
        cmocka_unit_test_setup(odd_madt_entries, good_machine),
        cmocka_unit_test_setup(fadt_revisions, good_machine),
        cmocka_unit_test_setup(fadt_nonsense, good_machine),
        cmocka_unit_test_setup(reset_registers, good_machine),
        cmocka_unit_test_setup(mcfg_ranges, good_machine),
        cmocka_unit_test_setup(tables_are_found_by_name, good_machine),
        cmocka_unit_test(random_damage),
        cmocka_unit_test_setup(interrupts_are_found, good_machine),
        cmocka_unit_test(routes_are_encoded),
        cmocka_unit_test(impossible_routes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
