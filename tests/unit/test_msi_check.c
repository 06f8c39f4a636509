// SPDX-License-Identifier: Apache-2.0
// hv/interrupt/msi_check.c: every message a guest may write ends at one of its own CPUs, or
// nowhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/interrupt/apic_defs.h"
#include "hv/interrupt/msi_check.h"

#define WINDOW 0xfee00000ull

static struct icr_topology topology;
static struct msi_target target;
static const char *reason;

static int setup(void **state)
{
    (void)state;
    topology = (struct icr_topology){.vcpu_count = 3};
    for (unsigned i = 0; i < 3; i++)
        topology.vcpu[i] = (struct icr_target){APIC_XAPIC, 1, 1u << i, 0};
    target = (struct msi_target){99, 0};
    reason = "not written";
    return 0;
}

static bool check(uint64_t address, uint32_t data)
{
    return msi_check(&topology, address, data, &target, &reason);
}

static void physical(void **state)
{
    (void)state;
    for (unsigned id = 0; id < 3; id++) {
        assert_true(check(WINDOW | id << 12, 0x40 + id));
        assert_int_equal(target.vcpu, id);
        assert_int_equal(target.vector, 0x40 + id);
    }
    // Beyond the partition's own processors there is nobody, whatever the machine has.
    for (unsigned id = 3; id < 255; id++) {
        assert_false(check(WINDOW | id << 12, 0x40));
        assert_null(reason);
    }
    // Of all of them the first: a device's interrupt has one destination.
    assert_true(check(WINDOW | 0xff << 12, 0x40));
    assert_int_equal(target.vcpu, 0);
}

static void logical(void **state)
{
    (void)state;
    assert_true(check(WINDOW | 0x04 << 12 | 1 << 2, 0x51));
    assert_int_equal(target.vcpu, 2);
    assert_true(check(WINDOW | 0x06 << 12 | 3 << 2, 0x51));
    assert_int_equal(target.vcpu, 1);
    assert_false(check(WINDOW | 0x08 << 12 | 1 << 2, 0x51));
}

static void lowest_priority(void **state)
{
    (void)state;
    topology.vcpu[1].enabled = topology.vcpu[2].enabled = 0;
    for (uint32_t vector = 0x30; vector < 0x40; vector++) {
        assert_true(check(WINDOW | 0x07 << 12 | 3 << 2, 0x100 | vector));
        assert_int_equal(target.vcpu, 0);
    }
}

// Every delivery mode with every vector: nothing but fixed interrupts ever comes out.
static void modes(void **state)
{
    (void)state;
    for (uint32_t mode = 0; mode < 8; mode++) {
        for (uint32_t vector = 0; vector < 256; vector++) {
            bool expected = mode <= 1 && vector >= 16;
            assert_int_equal(check(WINDOW | 1 << 12, mode << 8 | vector | 0xffff0000u), expected);
            if (expected) {
                assert_int_equal(target.vcpu, 1);
                assert_int_equal(target.vector, vector);
            } else {
                assert_non_null(reason);
            }
        }
    }
    // Trigger mode and level don't matter.
    assert_true(check(WINDOW, 0xc040));
}

static void addresses(void **state)
{
    (void)state;
    static const uint64_t bad[] = {
        0, 0x1000, 0xfed00000, 0xfef00000, WINDOW | 1ull << 32, WINDOW | 1ull << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(check(bad[i], 0x40));
        assert_non_null(reason);
    }
    // What hardware ignores.
    assert_true(check(WINDOW | 1 << 12 | 0xff0, 0x40));
    assert_int_equal(target.vcpu, 1);
}

static void nobody_listens(void **state)
{
    (void)state;
    topology.vcpu[1].mode = APIC_DISABLED;
    assert_false(check(WINDOW | 1 << 12, 0x40));
    assert_null(reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(physical, setup),
        cmocka_unit_test_setup(logical, setup),
        cmocka_unit_test_setup(lowest_priority, setup),
        cmocka_unit_test_setup(modes, setup),
        cmocka_unit_test_setup(addresses, setup),
        cmocka_unit_test_setup(nobody_listens, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
