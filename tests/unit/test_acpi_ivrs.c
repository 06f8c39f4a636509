// SPDX-License-Identifier: Apache-2.0
// The parser of IVRS: which unit serves whom, by which type of block, aliases, special devices,
// reserved memory; and every way a table can be broken, by its message.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/amdvi/ivrs.h"
#include "drivers/console/console.h"
#include "tests/unit/ivrs_image.h"

#define BASE 0xfed80000ull

static struct ivrs_image image;
static struct ivrs ivrs;
static char error[256];
static unsigned warnings;

enum status acpi_read(const struct acpi_table *table, uint32_t offset, void *buffer, size_t size)
{
    if (offset > table->length || size > table->length - offset) {
        return ERR_TRUNCATED;
    }
    memcpy(buffer, image.bytes + offset, size);
    return STATUS_OK;
}

void print(const char *fmt, ...)
{
    (void)fmt;
    warnings++;
}

static enum status parse(void)
{
    struct acpi_table table = {.address = 0x1000, .length = image.size};
    error[0] = '\0';
    warnings = 0;
    return ivrs_parse(&table, &ivrs, error, sizeof(error));
}

static void assert_message(enum status status, const char *what)
{
    assert_int_equal(parse(), status);
    if (strstr(error, what) == NULL) {
        fail_msg("'%s' is not in '%s'", what, error);
    }
    assert_non_null(strstr(error, "IVRS"));
}

static int begin(void **state)
{
    (void)state;
    ivrs_begin(&image);
    return 0;
}

static void devices_of_all_kinds(void **state)
{
    (void)state;
    ivrs_unit(&image, 0x10, 0x0002, BASE, 0);
    ivrs_entry4(&image, 0x00, 0);
    ivrs_entry4(&image, 0x02, 0x0010);
    ivrs_entry4(&image, 0x02, 0x0011); // one range with the one before
    ivrs_entry4(&image, 0x03, 0x0100);
    ivrs_entry4(&image, 0x00, 0);
    ivrs_entry4(&image, 0x04, 0x01ff);
    ivrs_entry8(&image, 0x42, 0x0200, 0, 0x00a5, 0);
    ivrs_entry8(&image, 0x43, 0x0300, 0, 0x00a6, 0);
    ivrs_entry4(&image, 0x04, 0x03ff);
    ivrs_entry8(&image, 0x46, 0x0500, 0, 0, 0);
    ivrs_entry8(&image, 0x47, 0x0600, 0, 0, 0);
    ivrs_entry4(&image, 0x04, 0x06ff);
    ivrs_entry8(&image, 0x48, 0, 3, 0x00a0, 1);
    ivrs_entry8(&image, 0x48, 0, 0, 0x00a1, 2);
    ivrs_entry8(&image, 0x48, 0, 0, 0x00a2, 9); // of a kind from the future
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(ivrs.unit_count, 1);
    assert_int_equal(ivrs.unit[0].base, BASE);
    assert_int_equal(ivrs.unit[0].device, 2);
    assert_int_equal(ivrs.unit[0].capability, 0x40);
    static const uint16_t served[] = {0x10,  0x11, 0x100, 0x1ff, 0x500, 0x600,
                                      0x6ff, 0xa0, 0xa1,  0xa5,  0xa6};
    for (unsigned i = 0; i < sizeof(served) / sizeof(served[0]); i++) {
        const struct ivrs_range *r = ivrs_find(&ivrs, served[i]);
        assert_non_null(r);
        assert_false(r->aliased || r->all);
    }
    static const uint16_t unserved[] = {0x0f, 0x12, 0xff, 0x201, 0x4ff, 0x501, 0x700, 0xa2, 0xffff};
    for (unsigned i = 0; i < sizeof(unserved) / sizeof(unserved[0]); i++) {
        assert_null(ivrs_find(&ivrs, unserved[i]));
    }
    assert_int_equal(ivrs_find(&ivrs, 0x200)->alias, 0xa5);
    assert_int_equal(ivrs_find(&ivrs, 0x300)->alias, 0xa6);
    assert_int_equal(ivrs_find(&ivrs, 0x3ff)->alias, 0xa6);
    assert_true(ivrs_find(&ivrs, 0x3ff)->aliased);
    assert_int_equal(ivrs_find_special(&ivrs, IVRS_IOAPIC, 3)->device, 0xa0);
    assert_int_equal(ivrs_find_special(&ivrs, IVRS_HPET, 0)->device, 0xa1);
    assert_null(ivrs_find_special(&ivrs, IVRS_IOAPIC, 0));
}

static void the_newest_type_counts(void **state)
{
    (void)state;
    ivrs_unit(&image, 0x10, 2, BASE, 0);
    ivrs_entry4(&image, 0x01, 0);
    ivrs_unit(&image, 0x40, 2, BASE, 0);
    ivrs_entry4(&image, 0x02, 0x20);
    ivrs_put(&image, 0xf0 | 0x0777 << 8, 4); // a device by its ACPI HID, with a name of 3 bytes
    ivrs_put(&image, 0, 8);
    ivrs_put(&image, 0, 8);
    ivrs_put(&image, 0x0302, 2);
    ivrs_put(&image, 0, 3);
    ivrs_grow(&image);
    ivrs_unit(&image, 0x11, 2, BASE, 0);
    ivrs_entry4(&image, 0x02, 0x30);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(ivrs.unit_count, 1);
    assert_int_equal(ivrs.unit[0].type, 0x40);
    assert_non_null(ivrs_find(&ivrs, 0x20));
    assert_non_null(ivrs_find(&ivrs, 0x777));
    assert_null(ivrs_find(&ivrs, 0x30));
}

static void a_named_device_goes_before_all(void **state)
{
    (void)state;
    ivrs_unit(&image, 0x11, 2, BASE, 0);
    ivrs_entry4(&image, 0x01, 0);
    ivrs_unit(&image, 0x11, 0x4002, BASE + 0x100000, 0);
    ivrs_entry4(&image, 0x02, 0x4010);
    ivrs_unit(&image, 0x11, 2, BASE + 0x200000, 1);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(warnings, 1); // of the other segment's
    assert_int_equal(ivrs.unit_count, 2);
    assert_int_equal(ivrs_find(&ivrs, 0x4010)->unit, 1);
    assert_int_equal(ivrs_find(&ivrs, 0x4011)->unit, 0);
}

static void reserved_memory(void **state)
{
    (void)state;
    ivrs_unit(&image, 0x10, 2, BASE, 0);
    ivrs_memory(&image, 0x21, 1, 0x10, 0, 0x7f000000, 0x1000);
    ivrs_memory(&image, 0x22, 8, 0x20, 0x27, 0x7f100000, 0x2000);
    ivrs_put(&image, 0x00080099, 4); // a block of a type that is not known
    ivrs_put(&image, 0, 4);
    assert_int_equal(parse(), STATUS_OK);
    assert_int_equal(ivrs_find_reserved(&ivrs, 0x10)->base, 0x7f000000);
    assert_false(ivrs_find_reserved(&ivrs, 0x10)->exclusion);
    assert_int_equal(ivrs_find_reserved(&ivrs, 0x27)->size, 0x2000);
    assert_true(ivrs_find_reserved(&ivrs, 0x27)->exclusion);
    assert_null(ivrs_find_reserved(&ivrs, 0x28));
    ivrs_memory(&image, 0x20, 1, 0, 0, 0x1000, 0x1000);
    assert_int_equal(parse(), STATUS_OK);
    assert_non_null(ivrs_find_reserved(&ivrs, 0x28));
}

static void broken_blocks(void **state)
{
    (void)state;
    image.size = 40;
    assert_message(ERR_TRUNCATED, "has only 40 bytes");
    image.size = 48;
    assert_message(ERR_NOT_FOUND, "no IOMMU");
    ivrs_unit(&image, 0x10, 2, 0, 0);
    assert_message(ERR_INVALID, "no good address");
    ivrs_begin(&image);
    ivrs_unit(&image, 0x10, 2, BASE + 0x100, 0);
    assert_message(ERR_INVALID, "offset 48 (type 0x10)");
    ivrs_begin(&image);
    ivrs_unit(&image, 0x10, 2, BASE, 0);
    ivrs_unit(&image, 0x10, 3, BASE, 0);
    assert_message(ERR_INVALID, "offset 72 (type 0x10) has the address of another unit");
    image.bytes[48 + 2] = 3;
    assert_message(ERR_INVALID, "length that can't be");
    image.bytes[48 + 2] = 20;
    assert_message(ERR_INVALID, "shorter than its type");
    image.bytes[48 + 3] = 1;
    assert_message(ERR_TRUNCATED, "length that can't be");
    ivrs_begin(&image);
    ivrs_memory(&image, 0x22, 1, 5, 4, 0x1000, 0x1000);
    assert_message(ERR_INVALID, "ends before it begins");
    ivrs_begin(&image);
    ivrs_memory(&image, 0x21, 1, 5, 0, UINT64_MAX, 2);
    assert_message(ERR_INVALID, "size that can't be");
    image.size -= 30; // a block's header cut
    assert_message(ERR_TRUNCATED, "length that can't be");
}

static void broken_entries(void **state)
{
    (void)state;
    static const struct {
        uint8_t first, second; // entries of 4 bytes, of the devices 0x20 and 0x10
        const char *message;
    } cases[] = {
        {0x04, 0x00, "ends a range that has not begun"},
        {0x03, 0x00, "does not end"},
        {0x03, 0x04, "ends before it begins"},
        {0x03, 0x02, "where a range's end should be"},
        {0x00, 0x42, "beyond the end"},
        {0x00, 0xf0, "beyond the end"},
        {0x00, 0xc0, "beyond the end"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ivrs_begin(&image);
        ivrs_unit(&image, 0x10, 2, BASE, 0);
        ivrs_entry4(&image, cases[i].first, 0x20);
        ivrs_entry4(&image, cases[i].second, 0x10);
        assert_int_not_equal(parse(), STATUS_OK);
        assert_non_null(strstr(error, cases[i].message));
        assert_non_null(strstr(error, "offset"));
    }
    ivrs_begin(&image);
    ivrs_unit(&image, 0x10, 2, BASE, 0);
    ivrs_entry8(&image, 0x48, 0, 3, 0xa0, 1);
    ivrs_entry8(&image, 0x48, 0, 3, 0xa1, 1);
    assert_message(ERR_INVALID, "for the second time");
}

static void more_than_there_is_room_for(void **state)
{
    (void)state;
    for (uint16_t i = 0; i <= IVRS_MAX_UNITS; i++) {
        ivrs_unit(&image, 0x10, i, BASE + i * 0x100000ull, 0);
    }
    assert_message(ERR_RANGE, "units");
    ivrs_begin(&image);
    for (uint16_t i = 0; i <= IVRS_MAX_RESERVED; i++) {
        ivrs_memory(&image, 0x21, 1, i, 0, 0x1000, 0x1000);
    }
    assert_message(ERR_RANGE, "reserved memory");
    ivrs_begin(&image);
    ivrs_unit(&image, 0x10, 2, BASE, 0);
    for (uint16_t i = 0; i <= IVRS_MAX_SPECIALS; i++) {
        ivrs_entry8(&image, 0x48, 0, (uint8_t)i, 0xa0, 1);
    }
    assert_message(ERR_RANGE, "IOAPICs");
    ivrs_begin(&image);
    ivrs_unit(&image, 0x10, 2, BASE, 0);
    for (uint16_t i = 0; i <= IVRS_MAX_RANGES; i++) {
        ivrs_entry4(&image, 0x02, (uint16_t)(2 * i));
    }
    assert_message(ERR_RANGE, "ranges of devices");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(devices_of_all_kinds, begin),
        cmocka_unit_test_setup(the_newest_type_counts, begin),
        cmocka_unit_test_setup(a_named_device_goes_before_all, begin),
        cmocka_unit_test_setup(reserved_memory, begin),
        cmocka_unit_test_setup(broken_blocks, begin),
        cmocka_unit_test_setup(broken_entries, begin),
        cmocka_unit_test_setup(more_than_there_is_room_for, begin),
    };
    return cmocka_run_group_tests_name("acpi_ivrs", tests, NULL, NULL);
}
