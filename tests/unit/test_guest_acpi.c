// SPDX-License-Identifier: Apache-2.0
// The ACPI tables as a guest would find them: by scanning, by following pointers, and through
// iasl's disassembler, which knows what each table must look like.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv/guest_acpi.h"
#include "hv/guest_e820.h"
#include "tests/unit/fake_guest_ram.h"

static const struct guest_platform usual = {
    .cpu_count = 2,
    .lapic_address = GUEST_LAPIC_ADDRESS,
    .ioapic_address = GUEST_IOAPIC_ADDRESS,
    .ioapic_id = 5,
    .sci_irq = GUEST_SCI_IRQ,
    .pm1_base = GUEST_PM1_BASE,
    .pm_timer_port = 0x608,
    .pm_timer_32bit = true,
    .reset_port = GUEST_RESET_PORT,
    .reset_value = GUEST_RESET_VALUE,
};

// As usual, with a PCI bus.
static struct guest_platform with_pci(void)
{
    struct guest_platform pf = usual;

    pf.has_pci = true;
    return pf;
}

static uint8_t sum(const struct partition *p, uint64_t at, uint64_t size)
{
    const uint8_t *bytes = fake_ram_at(p, at, size);
    uint8_t total = 0;

    for (uint64_t i = 0; i < size; i++) {
        total = (uint8_t)(total + bytes[i]);
    }
    return total;
}

// Writes the tables into a fresh partition.
static void write_tables(struct partition *p, const struct guest_platform *pf)
{
    char error[128] = "";
    gpa_t rsdp = {0};

    fake_ram_init(p, MIB(2));
    assert_int_equal(guest_acpi_write(p, pf, &rsdp, error, sizeof(error)), STATUS_OK);
    assert_string_equal(error, "");
    assert_in_range(rsdp.v, 0xe0000, 0xfffff);
    assert_int_equal(rsdp.v % 16, 0);
    assert_memory_equal(fake_ram_at(p, rsdp.v, 8), "RSD PTR ", 8);
}

// As old kernels do: the first of the scan is ours and its checksum holds.
static uint64_t scan_for_rsdp(const struct partition *p)
{
    for (uint64_t at = 0xe0000; at < 0x100000; at += 16) {
        if (memcmp(fake_ram_at(p, at, 8), "RSD PTR ", 8) == 0 && sum(p, at, 20) == 0) {
            return at;
        }
    }
    fail_msg("no RSDP where kernels scan");
    return 0;
}

// The address of a table, looked for through the XSDT, and through the RSDT to the same result.
static uint64_t find_table(const struct partition *p, const char *signature)
{
    const uint64_t rsdp = scan_for_rsdp(p);
    const uint64_t rsdt = fake_ram_u32(p, rsdp + 16);
    const uint64_t xsdt = fake_ram_u64(p, rsdp + 24);
    const uint32_t entries = (fake_ram_u32(p, xsdt + 4) - 36) / 8;
    uint64_t found = 0;

    if (strcmp(signature, "XSDT") == 0) {
        return xsdt;
    }
    if (strcmp(signature, "RSDT") == 0) {
        return rsdt;
    }
    assert_int_equal((fake_ram_u32(p, rsdt + 4) - 36) / 4, entries);
    for (uint32_t i = 0; i < entries; i++) {
        const uint64_t at = fake_ram_u64(p, xsdt + 36 + 8 * i);

        assert_int_equal(fake_ram_u32(p, rsdt + 36 + 4 * i), at);
        if (memcmp(fake_ram_at(p, at, 4), signature, 4) == 0) {
            found = at;
        }
    }
    if (strcmp(signature, "DSDT") == 0) {
        found = fake_ram_u64(p, find_table(p, "FACP") + 140);
    }
    assert_int_not_equal(found, 0);
    assert_memory_equal(fake_ram_at(p, found, 4), signature, 4);
    return found;
}

static void root_pointer_holds(void **state)
{
    struct partition p;
    uint64_t rsdp;

    (void)state;
    write_tables(&p, &usual);
    rsdp = scan_for_rsdp(&p);
    assert_int_equal(*fake_ram_at(&p, rsdp + 15, 1), 2);
    assert_int_equal(fake_ram_u32(&p, rsdp + 20), 36);
    assert_int_equal(sum(&p, rsdp, 20), 0);
    assert_int_equal(sum(&p, rsdp, 36), 0);
    fake_ram_free(&p);
}

static void every_checksum_holds(void **state)
{
    static const char *const tables[] = {"RSDT", "XSDT", "FACP", "APIC", "DSDT", "MCFG", "SSDT"};
    static const unsigned counts[] = {1, 2, 3, MAX_CPUS};

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(counts); n++) {
        struct guest_platform pf = with_pci();
        struct partition p;

        pf.cpu_count = counts[n];
        write_tables(&p, &pf);
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
            const uint64_t at = find_table(&p, tables[i]);
            const uint32_t length = fake_ram_u32(&p, at + 4);

            assert_true(at >= 0xe0000 && at + length <= GUEST_MP_TABLES);
            assert_true(length > 36);
            assert_int_equal(sum(&p, at, length), 0);
            assert_int_equal(at % 16, 0);
        }
        fake_ram_free(&p);
    }
}

static void no_table_lies_on_another(void **state)
{
    static const char *const tables[] = {"RSDT", "XSDT", "FACP", "APIC", "DSDT", "MCFG", "SSDT"};
    uint64_t start[ARRAY_SIZE(tables) + 2];
    uint64_t end[ARRAY_SIZE(tables) + 2];
    struct guest_platform pf = with_pci();
    struct partition p;

    (void)state;
    pf.cpu_count = MAX_CPUS;
    write_tables(&p, &pf);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        start[i] = find_table(&p, tables[i]);
        end[i] = start[i] + fake_ram_u32(&p, start[i] + 4);
    }
    start[7] = scan_for_rsdp(&p);
    end[7] = start[7] + 36;
    start[8] = fake_ram_u32(&p, find_table(&p, "FACP") + 36);
    end[8] = start[8] + 64;
    for (size_t i = 0; i < ARRAY_SIZE(start); i++) {
        for (size_t k = i + 1; k < ARRAY_SIZE(start); k++) {
            assert_true(end[i] <= start[k] || end[k] <= start[i]);
        }
    }
    fake_ram_free(&p);
}

// Only a partition with a PCI bus is told of one.
static void has_pci_tables_only_with_pci(void **state)
{
    const struct guest_platform pf = with_pci();
    struct partition p;
    uint64_t mcfg;

    (void)state;
    write_tables(&p, &usual);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "XSDT") + 4), 36 + 2 * 8);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "RSDT") + 4), 36 + 2 * 4);
    find_table(&p, "FACP");
    find_table(&p, "APIC");
    fake_ram_free(&p);

    write_tables(&p, &pf);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "XSDT") + 4), 36 + 4 * 8);
    mcfg = find_table(&p, "MCFG");
    assert_int_equal(fake_ram_u32(&p, mcfg + 4), 60);
    assert_int_equal(fake_ram_u64(&p, mcfg + 44), GUEST_ECAM_ADDRESS);
    assert_int_equal(fake_ram_u16(&p, mcfg + 52), 0);    // segment
    assert_int_equal(*fake_ram_at(&p, mcfg + 54, 1), 0); // first bus
    assert_int_equal(*fake_ram_at(&p, mcfg + 55, 1), 0); // last bus
    assert_int_equal(fake_ram_u32(&p, mcfg + 56), 0);    // reserved
    fake_ram_free(&p);
}

static void fadt_says_what_the_platform_is(void **state)
{
    struct partition p;
    uint64_t fadt;
    uint32_t flags;

    (void)state;
    write_tables(&p, &usual);
    fadt = find_table(&p, "FACP");
    assert_int_equal(fake_ram_u16(&p, fadt + 46), 9);      // SCI_INT
    assert_int_equal(fake_ram_u32(&p, fadt + 48), 0);      // SMI_CMD: ACPI is always enabled
    assert_int_equal(fake_ram_u32(&p, fadt + 56), 0x600);  // PM1a_EVT_BLK
    assert_int_equal(fake_ram_u32(&p, fadt + 64), 0x604);  // PM1a_CNT_BLK
    assert_int_equal(fake_ram_u32(&p, fadt + 76), 0x608);  // PM_TMR_BLK
    assert_int_equal(*fake_ram_at(&p, fadt + 88, 1), 4);   // PM1_EVT_LEN
    assert_int_equal(*fake_ram_at(&p, fadt + 89, 1), 2);   // PM1_CNT_LEN
    assert_int_equal(*fake_ram_at(&p, fadt + 91, 1), 4);   // PM_TMR_LEN
    assert_true(fake_ram_u16(&p, fadt + 96) > 100);        // no C2
    assert_true(fake_ram_u16(&p, fadt + 98) > 1000);       // no C3
    assert_int_equal(fake_ram_u16(&p, fadt + 109), 1 | 4); // COM1 is there; no 8042, no VGA
    flags = fake_ram_u32(&p, fadt + 112);
    assert_int_equal(flags & BIT(4), BIT(4));                   // no fixed power button
    assert_int_equal(flags & BIT(8), BIT(8));                   // 32-bit PM timer
    assert_int_equal(flags & BIT(10), BIT(10));                 // a reset register
    assert_int_equal(flags & BIT(19), BIT(19));                 // physical destinations
    assert_int_equal(flags & BIT(20), 0);                       // not hardware-reduced
    assert_int_equal(fake_ram_u32(&p, fadt + 116), 0x01000801); // reset: I/O, 8 bits, by byte
    assert_int_equal(fake_ram_u64(&p, fadt + 120), 0xcf9);
    assert_int_equal(*fake_ram_at(&p, fadt + 128, 1), 6);
    assert_int_equal(fake_ram_u64(&p, fadt + 132), 0); // X_FIRMWARE_CTRL: the other is set
    assert_int_equal(fake_ram_u64(&p, fadt + 140), fake_ram_u32(&p, fadt + 40));
    assert_int_equal(fake_ram_u64(&p, fadt + 152), 0x600);
    assert_int_equal(fake_ram_u64(&p, fadt + 176), 0x604);
    assert_int_equal(fake_ram_u64(&p, fadt + 212), 0x608);
    fake_ram_free(&p);
}

static void fadt_leaves_out_what_is_not_there(void **state)
{
    struct guest_platform pf = usual;
    struct partition p;
    uint64_t fadt;

    (void)state;
    pf.pm_timer_port = 0;
    pf.reset_port = 0;
    write_tables(&p, &pf);
    fadt = find_table(&p, "FACP");
    assert_int_equal(fake_ram_u32(&p, fadt + 76), 0);
    assert_int_equal(*fake_ram_at(&p, fadt + 91, 1), 0);
    assert_int_equal(fake_ram_u32(&p, fadt + 112) & (BIT(8) | BIT(10)), 0);
    assert_int_equal(fake_ram_u64(&p, fadt + 116), 0);
    assert_int_equal(fake_ram_u64(&p, fadt + 208), 0);
    fake_ram_free(&p);

    pf = usual;
    pf.pm_timer_32bit = false;
    write_tables(&p, &pf);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "FACP") + 112) & BIT(8), 0);
    fake_ram_free(&p);
}

static void facs_is_aligned_and_whole(void **state)
{
    struct partition p;
    uint64_t facs;

    (void)state;
    write_tables(&p, &usual);
    facs = fake_ram_u32(&p, find_table(&p, "FACP") + 36);
    assert_int_equal(facs % 64, 0);
    assert_memory_equal(fake_ram_at(&p, facs, 4), "FACS", 4);
    assert_int_equal(fake_ram_u32(&p, facs + 4), 64);
    fake_ram_free(&p);
}

static void madt_lists_processors_and_the_ioapic(void **state)
{
    struct guest_platform pf = usual;
    struct partition p;
    unsigned seen[256] = {0};
    unsigned cpus = 0;
    uint64_t madt;
    uint64_t at;
    uint64_t end;

    (void)state;
    pf.cpu_count = MAX_CPUS;
    write_tables(&p, &pf);
    madt = find_table(&p, "APIC");
    end = madt + fake_ram_u32(&p, madt + 4);
    assert_int_equal(fake_ram_u32(&p, madt + 36), 0xfee00000);
    assert_int_equal(fake_ram_u32(&p, madt + 40), 0); // no 8259s to rely on
    for (at = madt + 44; at < end; at += *fake_ram_at(&p, at + 1, 1)) {
        const uint8_t type = *fake_ram_at(&p, at, 1);

        assert_true(*fake_ram_at(&p, at + 1, 1) >= 6);
        seen[type]++;
        if (type == 0) {
            assert_int_equal(*fake_ram_at(&p, at + 3, 1), cpus);
            assert_int_equal(fake_ram_u32(&p, at + 4), 1);
            cpus++;
        } else if (type == 1) {
            assert_int_equal(*fake_ram_at(&p, at + 2, 1), 5);
            assert_int_equal(fake_ram_u32(&p, at + 4), 0xfec00000);
            assert_int_equal(fake_ram_u32(&p, at + 8), 0);
        } else if (type == 2) {
            assert_int_equal(*fake_ram_at(&p, at + 3, 1), 9);
            assert_int_equal(fake_ram_u32(&p, at + 4), 9);
            assert_int_equal(fake_ram_u16(&p, at + 8), 0xd); // level, active high
        } else if (type == 4) {
            assert_int_equal(*fake_ram_at(&p, at + 2, 1), 0xff);
            assert_int_equal(*fake_ram_at(&p, at + 5, 1), 1);
        }
    }
    assert_int_equal(at, end);
    assert_int_equal(cpus, MAX_CPUS);
    assert_int_equal(seen[1], 1);
    assert_int_equal(seen[2], 1);
    assert_int_equal(seen[4], 1);
    fake_ram_free(&p);
}

// Runs a shell command and gives its exit status; its output is added to `out`.
static int run(const char *command, char *out, size_t size)
{
    FILE *f = popen(command, "r");
    size_t used = strlen(out);

    assert_non_null(f);
    used += fread(out + used, 1, size - used - 1, f);
    out[used] = '\0';
    return pclose(f);
}

// Writes a table to the file DIR/SIGNATURE.dat.
static void save(const struct partition *p, const char *dir, const char *signature)
{
    const uint64_t at = find_table(p, signature);
    const uint32_t length = fake_ram_u32(p, at + 4);
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.dat", dir, signature);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(fake_ram_at(p, at, length), 1, length, f), length);
    fclose(f);
}

static void remove_folder(const char *dir)
{
    char command[64];
    char out[64] = "";

    snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(run(command, out, sizeof(out)), 0);
}

// Disassembles a table and gives the source.
static char *disassemble(const struct partition *p, const char *dir, const char *signature)
{
    const size_t size = 256 * 1024;
    char *text = calloc(1, size);
    char command[1024];

    save(p, dir, signature);
    snprintf(command, sizeof(command), "cd %s && iasl -d %s.dat 2>&1 && cat %s.dsl", dir, signature,
             signature);
    if (run(command, text, size) != 0) {
        fail_msg("iasl -d of %s: %s", signature, text);
    }
    if (strstr(text, "rror") != NULL || strstr(text, "nvalid") != NULL ||
        strstr(text, "ncorrect") != NULL) {
        fail_msg("iasl -d complains about %s: %s", signature, text);
    }
    return text;
}

static void iasl_understands_every_table(void **state)
{
    static const struct {
        const char *signature;
        const char *wanted[5];
    } tables[] = {
        {"RSDT", {"Root System Description Table", "ACPI Table Address   3"}},
        {"XSDT", {"Extended System Description Table", "ACPI Table Address   3"}},
        {"FACP",
         {"PM1A Event Block Address : 00000600", "PM1A Control Block Address : 00000604",
          "Reset Register Supported (V2) : 1", "Value to cause reset : 06"}},
        {"APIC",
         {"Processor Enabled : 1", "Local Apic ID : 01", "I/O APIC", "Interrupt Source Override",
          "Local APIC NMI"}},
        {"DSDT", {"_S5", "PNP0501", "PNP0B00", "0x03F8"}},
        {"MCFG",
         {"Base Address : 00000000E0000000", "Segment Group Number : 0000", "Start Bus Number : 00",
          "End Bus Number : 00"}},
        {"SSDT", {"PNP0A08", "PNP0A03", "PNP0C02", "_PRT", "_OSC"}},
    };
    const struct guest_platform pf = with_pci();
    char dir[] = "/tmp/bulkhead-acpi-XXXXXX";
    struct partition p;

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_tables(&p, &pf);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        char *text = disassemble(&p, dir, tables[i].signature);

        for (size_t k = 0; k < ARRAY_SIZE(tables[i].wanted) && tables[i].wanted[k]; k++) {
            if (strstr(text, tables[i].wanted[k]) == NULL) {
                fail_msg("no \"%s\" in %s: %s", tables[i].wanted[k], tables[i].signature, text);
            }
        }
        free(text);
    }
    fake_ram_free(&p);
    remove_folder(dir);
}

// Runs a command of ACPICA's interpreter with the guest's DSDT and SSDT loaded, and gives the
// output.
static char *evaluate(const char *what)
{
    const size_t size = 256 * 1024;
    const struct guest_platform pf = with_pci();
    char *text = calloc(1, size);
    char dir[] = "/tmp/bulkhead-acpi-XXXXXX";
    char command[512];
    struct partition p;

    assert_non_null(mkdtemp(dir));
    write_tables(&p, &pf);
    save(&p, dir, "DSDT");
    save(&p, dir, "SSDT");
    snprintf(command, sizeof(command), "cd %s && acpiexec -b '%s' DSDT.dat SSDT.dat 2>&1", dir,
             what);
    if (run(command, text, size) != 0) {
        fail_msg("acpiexec: %s", text);
    }
    fake_ram_free(&p);
    remove_folder(dir);
    return text;
}

static void every_pci_pin_has_its_interrupt(void **state)
{
    char *text = evaluate("evaluate \\_SB.PCI0._PRT");
    const char *at = text;
    unsigned long long numbers[4];
    unsigned count = 0;

    (void)state;
    while ((at = strstr(at, "Contains 4 Elements:")) != NULL) {
        const unsigned device = 1 + count / 4;
        const unsigned pin = count % 4;

        for (unsigned i = 0; i < 4; i++) {
            at = strstr(at, "[Integer] = ");
            assert_non_null(at);
            at += strlen("[Integer] = ");
            numbers[i] = strtoull(at, NULL, 16);
        }
        assert_int_equal(numbers[0], device << 16 | 0xffff);
        assert_int_equal(numbers[1], pin);
        assert_int_equal(numbers[2], 0);
        assert_int_equal(numbers[3], GUEST_PCI_PIN_FIRST + (device + pin) % GUEST_PCI_PINS);
        count++;
    }
    assert_int_equal(count, 31 * 4);
    free(text);
}

// What the disassembled SSDT says of ranges is what the platform has.
static void pci_ranges_are_the_platform_s(void **state)
{
    const struct guest_platform pf = with_pci();
    char dir[] = "/tmp/bulkhead-acpi-XXXXXX";
    const struct {
        int digits;
        uint32_t value;
        const char *what;
    } wanted[] = {
        {8, GUEST_PCI_WINDOW, "Range Minimum"},
        {8, GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE - 1, "Range Maximum"},
        {8, GUEST_PCI_WINDOW_SIZE, "Length"},
        {8, GUEST_ECAM_ADDRESS, "Address Base"},
        {8, GUEST_ECAM_SIZE, "Address Length"},
        {4, 0x0cf8, "Range Minimum"},
        {4, 0x1000, "Range Minimum"},
        {4, 0xffff, "Range Maximum"},
    };
    struct partition p;
    char *text;

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_tables(&p, &pf);
    text = disassemble(&p, dir, "SSDT");
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        char line[64];

        snprintf(line, sizeof(line), "0x%0*X,%*s// %s", wanted[i].digits, wanted[i].value,
                 17 - wanted[i].digits, "", wanted[i].what);
        if (strstr(text, line) == NULL) {
            fail_msg("no \"%s\" in %s", line, text);
        }
    }
    free(text);
    fake_ram_free(&p);
    remove_folder(dir);
}

// The bytes of the buffer that _OSC returns.
static void expect_osc(const char *uuid, unsigned revision, const char *buffer,
                       const char *returned)
{
    char command[256];
    char *text;

    snprintf(command, sizeof(command), "evaluate \\_SB.PCI0._OSC (%s) %u 3 (%s)", uuid, revision,
             buffer);
    text = evaluate(command);
    if (strstr(text, returned) == NULL) {
        fail_msg("no \"%s\" in %s", returned, text);
    }
    free(text);
}

static void control_of_the_bus_is_not_granted(void **state)
{
    static const char pci[] = "5B4DDB33F71F1C4096577441C03DD766"; // as ToUUID orders its bytes
    static const char other[] = "5B4DDB33F71F1C4096577441C03DD767";

    (void)state;
    expect_osc(pci, 1, "010000001F0100001F000000", "11 00 00 00 1F 01 00 00 00 00 00 00");
    expect_osc(pci, 1, "000000001F01000004000000", "10 00 00 00 1F 01 00 00 00 00 00 00");
    expect_osc(pci, 1, "000000001F01000000000000", "00 00 00 00 1F 01 00 00 00 00 00 00");
    expect_osc(pci, 2, "010000001F0100001F000000", "09 00 00 00");
    expect_osc(other, 1, "010000001F0100001F000000", "05 00 00 00");
}

// Name(\_S5, Package {5, ...}): the number is GUEST_ACPI_S5_SLP_TYP. AML: NameOp, the name,
// PackageOp, its length, four elements, BytePrefix, the first.
static void s5_is_what_power_off_expects(void **state)
{
    struct partition p;
    const uint8_t *aml;
    const uint8_t *name = NULL;
    uint64_t dsdt;
    uint32_t length;

    (void)state;
    write_tables(&p, &usual);
    dsdt = find_table(&p, "DSDT");
    length = fake_ram_u32(&p, dsdt + 4);
    aml = fake_ram_at(&p, dsdt, length);
    for (uint32_t i = 36; i + 10 < length; i++) {
        if (memcmp(aml + i, "_S5_", 4) == 0) {
            name = aml + i;
        }
    }
    assert_non_null(name);
    assert_int_equal(name[4], 0x12);
    assert_int_equal(name[6], 4);
    assert_int_equal(name[7], 0x0a);
    assert_int_equal(name[8], GUEST_ACPI_S5_SLP_TYP);
    fake_ram_free(&p);
}

static void refuses_a_platform_without_sense(void **state)
{
    struct guest_platform pf;
    struct partition p;
    char error[128];
    gpa_t rsdp;

    (void)state;
    fake_ram_init(&p, MIB(2));
    pf = usual;
    pf.cpu_count = 0;
    assert_int_equal(guest_acpi_write(&p, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "0 CPUs"));
    pf.cpu_count = MAX_CPUS + 1;
    assert_int_equal(guest_acpi_write(&p, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "65 CPUs"));
    pf = usual;
    pf.sci_irq = 0;
    assert_int_equal(guest_acpi_write(&p, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    pf.sci_irq = 16;
    assert_int_equal(guest_acpi_write(&p, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "not 16"));
    pf = usual;
    pf.pm1_base = 0;
    assert_int_equal(guest_acpi_write(&p, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    pf.pm1_base = 0xfffb;
    assert_int_equal(guest_acpi_write(&p, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "0xfffb"));
    assert_int_equal(p.writes, 0);
    fake_ram_free(&p);
}

// A failing write is never lost, whichever it is.
static void reports_every_failed_write(void **state)
{
    const struct guest_platform pf = with_pci();
    struct partition p;
    char error[128];
    gpa_t rsdp;
    uint64_t all;

    (void)state;
    write_tables(&p, &pf);
    all = p.writes;
    assert_true(all > 10);
    for (uint64_t n = 1; n < all; n++) {
        p.writes = 0;
        p.fail_after = n;
        error[0] = '\0';
        assert_int_equal(guest_acpi_write(&p, &pf, &rsdp, error, sizeof(error)), ERR_RANGE);
        assert_non_null(strstr(error, "ACPI tables"));
    }
    fake_ram_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_pointer_holds),
        cmocka_unit_test(every_checksum_holds),
        cmocka_unit_test(no_table_lies_on_another),
        cmocka_unit_test(has_pci_tables_only_with_pci),
        cmocka_unit_test(fadt_says_what_the_platform_is),
        cmocka_unit_test(fadt_leaves_out_what_is_not_there),
        cmocka_unit_test(facs_is_aligned_and_whole),
        cmocka_unit_test(madt_lists_processors_and_the_ioapic),
        cmocka_unit_test(iasl_understands_every_table),
        cmocka_unit_test(every_pci_pin_has_its_interrupt),
        cmocka_unit_test(pci_ranges_are_the_platform_s),
        cmocka_unit_test(control_of_the_bus_is_not_granted),
        cmocka_unit_test(s5_is_what_power_off_expects),
        cmocka_unit_test(refuses_a_platform_without_sense),
        cmocka_unit_test(reports_every_failed_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
