// SPDX-License-Identifier: Apache-2.0
// The DMAR parser: units, device scopes through bridges, reserved memory, and tables that make no
// sense.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/lib/format.h"
#include "drivers/console/console.h"
#include "drivers/vtd/dmar.h"
#include "tests/unit/fake_vtd.h"

#define UNIT_A 0xfed90000u
#define UNIT_B 0xfed91000u

static struct pci_machine pci;
static struct dmar dmar;
static char error[256];
static char warnings[512];

void print(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vformat(warnings, sizeof(warnings), fmt, args);
    va_end(args);
}

static void add_bridge(uint16_t address, uint8_t secondary, uint8_t subordinate)
{
    pci.function[pci.count++] = (struct pci_function){
        .address = {address}, .bridge = true, .secondary = secondary, .subordinate = subordinate};
}

// Bridge 00:01.0 to buses 1 to 3, and on it 01:00.0 to buses 2 and 3.
static int setup(void **state)
{
    (void)state;
    memset(&pci, 0, sizeof(pci));
    pci.function[pci.count++] = (struct pci_function){.address = {0}, .bridge = true};
    add_bridge(0x0008, 1, 3);
    add_bridge(0x0100, 2, 3);
    error[0] = warnings[0] = '\0';
    return 0;
}

static enum status parse(const struct acpi_info *info)
{
    struct acpi_table table;
    enum status s = acpi_find_table(info, "DMAR", 0, &table.address, &table.length);
    return s == STATUS_OK ? dmar_parse(&table, &pci, &dmar, error, sizeof(error)) : s;
}

static void test_scopes(void **state)
{
    (void)state;
    static const uint8_t scopes[] = {
        1, 8,  0, 0, 0, 0,    3,  0,             // endpoint 00:03.0
        1, 10, 0, 0, 0, 0,    1,  0, 5, 1,       // endpoint behind 00:01.0: 01:05.1
        1, 12, 0, 0, 0, 0,    1,  0, 0, 0, 7, 0, // two bridges down: 02:07.0
        3, 8,  0, 0, 8, 0xff, 0,  0,             // IOAPIC 8
        4, 8,  0, 0, 1, 0,    31, 7,             // HPET
        5, 8,  0, 0, 1, 0,    30, 0,             // ACPI namespace: not read
    };
    static const uint8_t bridge[] = {2, 8, 0, 0, 0, 0, 1, 0};
    struct acpi_info *info = fake_dmar_begin(1);
    fake_dmar_unit(UNIT_A, 0, false, scopes, sizeof(scopes));
    fake_dmar_entry(3, "rhsa1234", 8); // not read
    fake_dmar_unit(UNIT_B, 0, false, bridge, sizeof(bridge));
    fake_dmar_end(0);
    assert_int_equal(parse(info), STATUS_OK);
    assert_true(dmar.interrupt_remapping);
    assert_int_equal(dmar.address_bits, 39);
    assert_int_equal(dmar.unit_count, 2);
    assert_int_equal(dmar.scope_count, 6);
    assert_ptr_equal(dmar_unit_of(&dmar, 0x0018), &dmar.units[0]);
    assert_ptr_equal(dmar_unit_of(&dmar, 0x0129), &dmar.units[0]);
    assert_ptr_equal(dmar_unit_of(&dmar, 0x0238), &dmar.units[0]);
    // What else is behind the bridge, and the bridge itself.
    assert_ptr_equal(dmar_unit_of(&dmar, 0x0300), &dmar.units[1]);
    assert_ptr_equal(dmar_unit_of(&dmar, 0x0008), &dmar.units[1]);
    assert_null(dmar_unit_of(&dmar, 0x0020));
    assert_null(dmar_unit_of(&dmar, 0x00ff)); // the HPET is no device that is given away
    assert_null(dmar_unit_of(&dmar, 0x0400));
    uint16_t requester;
    assert_int_equal(dmar_find_ioapic(&dmar, 8, &requester), STATUS_OK);
    assert_int_equal(requester, 0xff00);
    assert_int_equal(dmar_find_ioapic(&dmar, 1, &requester), ERR_NOT_FOUND);
}

// The unit for all others, in whatever order; a unit of another segment serves nobody of ours.
static void test_include_all(void **state)
{
    (void)state;
    static const uint8_t endpoint[] = {1, 8, 0, 0, 0, 0, 3, 0, 3, 8, 0, 0, 2, 0xf0, 0, 0};
    struct acpi_info *info = fake_dmar_begin(0);
    fake_dmar_unit(0xfed00000, 1, true, endpoint, sizeof(endpoint));
    fake_dmar_unit(UNIT_A, 0, true, NULL, 0);
    fake_dmar_unit(UNIT_B, 0, false, endpoint, 8);
    fake_dmar_end(0);
    assert_int_equal(parse(info), STATUS_OK);
    assert_false(dmar.interrupt_remapping);
    assert_ptr_equal(dmar_unit_of(&dmar, 0x0018), &dmar.units[2]);
    assert_ptr_equal(dmar_unit_of(&dmar, 0x0020), &dmar.units[1]);
    uint16_t requester;
    assert_int_equal(dmar_find_ioapic(&dmar, 2, &requester), ERR_NOT_FOUND);
}

static void test_reserved_memory(void **state)
{
    (void)state;
    static const uint8_t usb[] = {1, 8, 0, 0, 0, 0, 0x1d, 0, 1, 8, 0, 0, 0, 0, 0x1a, 0};
    static const uint8_t behind[] = {2, 8, 0, 0, 0, 0, 1, 0};
    struct acpi_info *info = fake_dmar_begin(1);
    fake_dmar_unit(UNIT_A, 0, true, NULL, 0);
    fake_dmar_rmrr(0x7f000000, 0x7f00ffff, usb, sizeof(usb));
    fake_dmar_rmrr(0x7e000000, 0x7e00ffff, behind, sizeof(behind));
    fake_dmar_end(0);
    assert_int_equal(parse(info), STATUS_OK);
    assert_int_equal(dmar.rmrr_count, 2);
    assert_ptr_equal(dmar_rmrr_of(&dmar, 0x00e8), &dmar.rmrrs[0]);
    assert_ptr_equal(dmar_rmrr_of(&dmar, 0x00d0), &dmar.rmrrs[0]);
    assert_int_equal(dmar.rmrrs[0].limit, 0x7f00ffff);
    assert_ptr_equal(dmar_rmrr_of(&dmar, 0x0250), &dmar.rmrrs[1]);
    assert_null(dmar_rmrr_of(&dmar, 0x0018));
    assert_ptr_equal(dmar_unit_of(&dmar, 0x00e8), &dmar.units[0]);
}

static void test_absent_bridge(void **state)
{
    (void)state;
    static const uint8_t scope[] = {1, 10, 0, 0, 0, 0, 9, 0, 5, 1};
    struct acpi_info *info = fake_dmar_begin(1);
    fake_dmar_unit(UNIT_A, 0, false, scope, sizeof(scope));
    fake_dmar_end(0);
    assert_int_equal(parse(info), STATUS_OK);
    assert_int_equal(dmar.scope_count, 0);
    assert_non_null(strstr(warnings, "offset 64"));
}

static void refused(const struct acpi_info *info, enum status s, const char *text)
{
    assert_int_equal(parse(info), s);
    if (strstr(error, text) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", text, error);
    }
}

static void test_malformed(void **state)
{
    (void)state;
    static const uint8_t endpoint[] = {1, 8, 0, 0, 0, 0, 3, 0};
    static const struct {
        unsigned offset;
        uint8_t value;
        const char *text;
    } cases[] = {
        {50, 3, "offset 48: an entry of impossible length"},
        {50, 255, "offset 48: an entry of impossible length"},
        {50, 4, "offset 48: an entry of a unit that is too short"},
        {48, 2, "it has no unit"},
        {56, 1, "offset 48: a unit whose address can't be"},
        {62, 0x10, "offset 48: a unit whose address can't be"},
        {65, 7, "offset 64: a device scope of impossible length"},
        {65, 6, "offset 64: a device scope of impossible length"},
        {65, 10, "offset 64: a device scope of impossible length"},
        {65, 0, "offset 64: a device scope of impossible length"},
        {70, 32, "offset 64: a path with a device or function that can't be"},
        {71, 8, "offset 64: a path with a device or function that can't be"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct acpi_info *info = fake_dmar_begin(1);
        fake_dmar_unit(UNIT_A, 0, false, endpoint, sizeof(endpoint));
        *fake_dmar_byte(cases[i].offset) = cases[i].value;
        fake_dmar_end(0);
        refused(info, ERR_INVALID, cases[i].text);
        assert_non_null(strstr(error, "update the firmware"));
    }
    struct acpi_info *info = fake_dmar_begin(1);
    fake_dmar_unit(UNIT_A, 0, false, endpoint, sizeof(endpoint));
    fake_dmar_unit(UNIT_A, 0, false, endpoint, sizeof(endpoint));
    fake_dmar_end(0);
    refused(info, ERR_INVALID, "offset 72: a unit that was there already");
    fake_dmar_end(28); // now the second entry is cut
    refused(info, ERR_INVALID, "offset 48: an entry of impossible length");
    fake_dmar_end(50);
    refused(info, ERR_INVALID, "offset 0: ends before its first entry");
    *fake_dmar_byte(40) = 1;
    refused(info, ERR_CHECKSUM, "");

    info = fake_dmar_begin(1);
    fake_dmar_unit(UNIT_A, 0, true, NULL, 0);
    fake_dmar_rmrr(0x2000, 0x1000, NULL, 0);
    fake_dmar_end(0);
    refused(info, ERR_INVALID, "offset 64: reserved memory that ends before it begins");
    *fake_dmar_byte(66) = 20;
    fake_dmar_end(4);
    refused(info, ERR_INVALID, "offset 64: an entry of reserved memory that is too short");
}

// What does not fit must not be forgotten: there would be a device that nobody blocks.
static void test_too_many(void **state)
{
    (void)state;
    struct acpi_info *info = fake_dmar_begin(1);
    for (unsigned i = 0; i <= DMAR_MAX_UNITS; i++) {
        fake_dmar_unit(UNIT_A + 0x1000 * i, 0, false, NULL, 0);
    }
    fake_dmar_end(0);
    refused(info, ERR_UNSUPPORTED, "more than 8 units");

    info = fake_dmar_begin(1);
    fake_dmar_unit(UNIT_A, 0, true, NULL, 0);
    for (unsigned i = 0; i <= DMAR_MAX_RMRRS; i++) {
        fake_dmar_rmrr(0x1000 * i, 0x1000 * i + 0xfff, NULL, 0);
    }
    fake_dmar_end(0);
    refused(info, ERR_UNSUPPORTED, "more than 16 ranges of reserved memory");

    uint8_t scopes[(DMAR_MAX_SCOPES + 1) * 8] = {0};
    for (unsigned i = 0; i <= DMAR_MAX_SCOPES; i++) {
        memcpy(scopes + 8 * i, (uint8_t[]){1, 8, 0, 0, 0, (uint8_t)i, 3, 0}, 8);
    }
    info = fake_dmar_begin(1);
    fake_dmar_unit(UNIT_A, 0, false, scopes, sizeof(scopes));
    fake_dmar_end(0);
    refused(info, ERR_UNSUPPORTED, "more than 128 device scopes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_scopes, setup),
        cmocka_unit_test_setup(test_include_all, setup),
        cmocka_unit_test_setup(test_reserved_memory, setup),
        cmocka_unit_test_setup(test_absent_bridge, setup),
        cmocka_unit_test_setup(test_malformed, setup),
        cmocka_unit_test_setup(test_too_many, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
