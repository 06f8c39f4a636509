// SPDX-License-Identifier: Apache-2.0
// Processors as firmware may list them, in tables that all lie above 4 GiB, the RSDP too; which of
// them can be reached; and which of them serves the console.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/memory/window.h"
#include "drivers/acpi/acpi.h"
#include "drivers/acpi/tables.h"
#include "hv/machine/console_cpu.h"
#include "tests/unit/fake_print.h"

#define FAR  0x17fff0000ull
#define RSDP FAR
#define XSDT (FAR + 0x100)
#define MADT (FAR + 0x200)

static uint8_t memory[0x1000];
static struct acpi_info info;
static char error[256];

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    if (address.v < FAR || address.v - FAR > sizeof(memory) - size)
        return ERR_RANGE;
    memcpy(buffer, memory + (address.v - FAR), size);
    return STATUS_OK;
}

static void *at(uint64_t address)
{
    return memory + (address - FAR);
}

static void seal(uint64_t address, size_t size, size_t where)
{
    uint8_t *bytes = at(address), sum = 0;
    bytes[where] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[where] = (uint8_t)-sum;
}

static void set_header(uint64_t address, const char *signature, uint32_t length)
{
    struct acpi_header *h = at(address);
    h->length = length;
    memcpy(h->signature, signature, 4);
    seal(address, length, offsetof(struct acpi_header, checksum));
}

static uint32_t madt_length;

static int begin(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    struct acpi_rsdp *rsdp = at(RSDP);
    memcpy(rsdp->signature, "RSD PTR ", 8);
    rsdp->revision = 2;
    rsdp->length = sizeof(*rsdp);
    rsdp->xsdt = XSDT;
    seal(RSDP, ACPI_RSDP_OLD_SIZE, offsetof(struct acpi_rsdp, checksum));
    seal(RSDP, sizeof(*rsdp), offsetof(struct acpi_rsdp, extended_checksum));
    uint64_t entry = MADT;
    memcpy(at(XSDT + sizeof(struct acpi_header)), &entry, sizeof(entry));
    set_header(XSDT, "XSDT", sizeof(struct acpi_header) + sizeof(entry));
    ((struct acpi_madt *)at(MADT))->lapic_address = 0xfee00000;
    madt_length = sizeof(struct acpi_madt);
    return 0;
}

static void add(const void *entry, size_t size)
{
    memcpy(at(MADT + madt_length), entry, size);
    madt_length += (uint32_t)size;
}

static void local(uint8_t uid, uint8_t apic_id, uint32_t flags)
{
    struct acpi_madt_lapic e = {{ACPI_MADT_LAPIC, sizeof(e)}, uid, apic_id, flags};
    add(&e, sizeof(e));
}

static void wide(uint32_t uid, uint32_t apic_id, uint32_t flags)
{
    struct acpi_madt_x2apic e = {{ACPI_MADT_X2APIC, sizeof(e)}, 0, apic_id, flags, uid};
    add(&e, sizeof(e));
}

static void parse(void)
{
    fake_print_clear();
    set_header(MADT, "APIC", madt_length);
    assert_int_equal(acpi_parse(RSDP, &info, error, sizeof(error)), STATUS_OK);
}

static void expect_cpus(const uint32_t *ids, unsigned count)
{
    assert_int_equal(info.cpu_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(info.cpus[i].apic_id, ids[i]);
}

static void test_disabled_and_doubled(void **state)
{
    (void)state;
    local(0, 0, 1);
    local(1, 8, 1);    // a gap before it
    local(2, 9, 0);    // disabled
    local(3, 10, 2);   // could be plugged in
    local(4, 0xff, 1); // a placeholder
    wide(1, 8, 1);     // the second as x2APIC: nothing strange
    wide(5, 300, 1);
    wide(6, 300, 1);
    wide(7, 0xffffffff, 1);
    wide(8, 70000, 1);
    parse();
    expect_cpus((uint32_t[]){0, 8, 300, 70000}, 4);
    assert_int_equal(info.cpus_disabled, 4);
    assert_int_equal(info.cpus_ignored, 0);
    assert_true(fake_printed("APIC ID 300 is that of processors 5 and 6: the first counts"));
    assert_int_equal(fake_print_count(), 1);
}

static void test_out_of_reach(void **state)
{
    (void)state;
    wide(0, 255, 1);
    wide(1, 254, 1);
    wide(2, 256 + 4, 1); // not the one with ID 4
    wide(3, 4, 1);
    parse();
    acpi_leave_out_above(&info, 254);
    expect_cpus((uint32_t[]){254, 4}, 2);
    assert_int_equal(info.cpus[1].acpi_id, 3);
    assert_int_equal(info.cpus_ignored, 2);
    assert_true(fake_printed("APIC ID 255 can't be reached without x2APIC"));
    assert_true(fake_printed("APIC ID 260 can't be reached without x2APIC"));
}

static void test_console(void **state)
{
    (void)state;
    struct blob_cpu_owner owner[MAX_CPUS] = {{0, 0}};
    for (uint32_t i = 0; i < 4; i++)
        wide(i, 300 - 20 * i, 1); // 300, 280, 260, 240
    wide(4, 4, 1);
    parse();
    // All are partitions': the first that an interrupt reaches.
    assert_int_equal(console_cpu_choose(&info, owner), 3);
    // One of nobody's that none reaches is no better; one that an interrupt reaches is.
    owner[0].partition = BLOB_NOBODY;
    assert_int_equal(console_cpu_choose(&info, owner), 3);
    owner[4].partition = BLOB_NOBODY;
    assert_int_equal(console_cpu_choose(&info, owner), 4);
    // None can be reached.
    info.cpu_count = 3;
    owner[0].partition = 0;
    assert_int_equal(console_cpu_choose(&info, owner), 0);
    owner[2].partition = BLOB_NOBODY;
    assert_int_equal(console_cpu_choose(&info, owner), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_disabled_and_doubled, begin),
        cmocka_unit_test_setup(test_out_of_reach, begin),
        cmocka_unit_test_setup(test_console, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
