// SPDX-License-Identifier: Apache-2.0
// hv/partition/stray.c: what a PC has where a partition has nothing, and that the memory of pages
// is bounded.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/partition/stray.h"

static void test_table(void **state)
{
    (void)state;
    unsigned count;
    const struct stray_place *p = stray_places(&count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(p[i].first <= p[i].last);
        assert_true(i == 0 || p[i - 1].last < p[i].first);
        assert_string_equal(stray_place(gpa(p[i].first)), p[i].what);
        assert_string_equal(stray_place(gpa(p[i].last)), p[i].what);
    }
}

static void test_places(void **state)
{
    (void)state;
    static const struct {
        uint64_t address;
        const char *what;
    } rows[] = {{0xfed000f0, "HPET"},
                {0xfed40f00, "TPM"},
                {0xfec01000, "IOAPIC"},
                {0xfee00020, "local APIC"},
                {0xfee01000, "MSI"},
                {0xfffffff0, "flash"},
                {0x30000000, "larger machine"},
                {0x1c0000000, "larger machine"},
                {UINT64_MAX, "larger machine"}};
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        assert_non_null(strstr(stray_place(gpa(rows[i].address)), rows[i].what));
}

static void test_pages(void **state)
{
    (void)state;
    struct stray_pages s = {0};
    assert_int_equal(stray_note(&s, gpa(0xfed00000)), STRAY_NEW);
    assert_int_equal(stray_note(&s, gpa(0xfed00fff)), STRAY_KNOWN);
    assert_int_equal(stray_note(&s, gpa(0xfed01000)), STRAY_NEW);
    for (uint64_t i = 2; i < STRAY_PAGES - 1; i++)
        assert_int_equal(stray_note(&s, gpa(i << 32)), STRAY_NEW);
    assert_int_equal(stray_note(&s, gpa(0)), STRAY_LAST);
    assert_int_equal(stray_note(&s, gpa(0x5000)), STRAY_KNOWN);
    assert_int_equal(stray_note(&s, gpa(0)), STRAY_KNOWN);
    assert_int_equal(s.count, STRAY_PAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
