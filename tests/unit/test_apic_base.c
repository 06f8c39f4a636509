// SPDX-License-Identifier: Apache-2.0
// arch/interrupt/apic_base.c: from every mode to every mode, on a processor that faults on an
// illegal step.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/interrupt/apic_base.h"
#include "arch/interrupt/apic_defs.h"

#define MODE_BITS (APIC_BASE_ENABLE | APIC_BASE_EXTD)
#define PAGE      0xfee00000ull
#define MOVED     0xfec80000ull

// WRMSR to IA32_APIC_BASE (SDM vol. 3, figure 11-27); `locked`: LEGACY_XAPIC_DISABLED.
static void write_base(uint64_t *base, uint64_t value, bool locked)
{
    uint64_t from = *base & MODE_BITS, to = value & MODE_BITS;
    assert_true(to != APIC_BASE_EXTD);                            // reserved
    assert_false(from == 0 && to == MODE_BITS);                   // disabled to x2APIC
    assert_false(from == MODE_BITS && to == APIC_BASE_ENABLE);    // x2APIC to xAPIC
    assert_false(locked && from == MODE_BITS && to != MODE_BITS); // any way out
    assert_int_equal(value & ~(MODE_BITS | APIC_BASE_BSP | APIC_BASE_ADDRESS), 0);
    *base = value;
}

static uint64_t walk(uint64_t base, bool x2apic, bool locked)
{
    struct apic_steps s = apic_base_steps(base, x2apic, PAGE);
    assert_in_range(s.count, 0, ARRAY_SIZE(s.value));
    for (unsigned i = 0; i < s.count; i++)
        write_base(&base, s.value[i], locked);
    return base;
}

static void test_to_x2apic(void **state)
{
    (void)state;
    static const uint64_t modes[] = {0, APIC_BASE_ENABLE, MODE_BITS};
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        uint64_t base = walk(PAGE | APIC_BASE_BSP | modes[i], true, false);
        assert_int_equal(base, PAGE | APIC_BASE_BSP | MODE_BITS);
        assert_int_equal(walk(PAGE | modes[i], true, false), PAGE | MODE_BITS);
    }
    // What is there already is not written again.
    assert_int_equal(apic_base_steps(MOVED | MODE_BITS, true, PAGE).count, 0);
}

static void test_locked(void **state)
{
    (void)state;
    assert_int_equal(walk(PAGE | APIC_BASE_BSP | MODE_BITS, true, true),
                     PAGE | APIC_BASE_BSP | MODE_BITS);
}

static void test_to_xapic(void **state)
{
    (void)state;
    assert_int_equal(walk(PAGE | APIC_BASE_BSP, false, false),
                     PAGE | APIC_BASE_BSP | APIC_BASE_ENABLE);
    assert_int_equal(walk(MOVED, false, false), PAGE | APIC_BASE_ENABLE);
    assert_int_equal(walk(MOVED | APIC_BASE_BSP | APIC_BASE_ENABLE, false, false),
                     PAGE | APIC_BASE_BSP | APIC_BASE_ENABLE);
    assert_int_equal(apic_base_steps(PAGE | APIC_BASE_ENABLE, false, PAGE).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_x2apic),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_to_xapic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
