// SPDX-License-Identifier: Apache-2.0
// TSC differences in another clock, against exact 128-bit arithmetic.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/cpu/tsc_scale.h"

#define PIT_HZ 1193182u

static uint64_t exact(uint64_t difference, uint32_t hz, uint64_t tsc_hz)
{
    return (uint64_t)((unsigned __int128)difference * hz / tsc_hz);
}

static const uint64_t frequencies[] = {1193183,       100000000,     999999937,       1000000000,
                                       1000000000ull, 2095078000ull, 2400000000ull,   3999999999ull,
                                       5700000000ull, 1ull << 32,    (1ull << 62) + 1};

static void check(uint64_t difference, uint64_t tsc_hz)
{
    uint64_t right = exact(difference, PIT_HZ, tsc_hz);
    uint64_t got = tsc_scaled(difference, tsc_scale(PIT_HZ, tsc_hz));

    assert_true(got == right || got + 1 == right);
}

// Rounded down or one less, from the first tick to the end of the counter.
static void test_never_drifts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(frequencies) / sizeof(frequencies[0]); i++) {
        uint64_t hz = frequencies[i];

        for (uint64_t d = 0; d < 5000; d++)
            check(d, hz);
        for (unsigned bit = 0; bit < 64; bit++) {
            for (int64_t near = -3; near <= 3; near++)
                check((1ull << bit) + (uint64_t)near, hz);
        }
        // Around whole hours, to thirty years.
        for (uint64_t hour = 1; hour < 30 * 8766 && hour < UINT64_MAX / 3600 / hz; hour += 97)
            check(hour * 3600 * hz + hour, hz);
        check(UINT64_MAX, hz);
    }
}

static void test_never_goes_back(void **state)
{
    uint64_t scale = tsc_scale(PIT_HZ, 2400000000ull);
    uint64_t begin = 2400000000ull * 86400 * 365;
    uint64_t last = tsc_scaled(begin, scale);

    (void)state;
    for (uint64_t d = begin; d < begin + 100000; d++) {
        uint64_t now = tsc_scaled(d, scale);
        assert_true(now == last || now == last + 1);
        last = now;
    }
    assert_in_range(last - tsc_scaled(begin, scale), exact(100000, PIT_HZ, 2400000000ull),
                    exact(100000, PIT_HZ, 2400000000ull) + 1);
}

// What no machine has must only not break: a TSC as slow as the clock, or slower.
static void test_slow_tsc(void **state)
{
    (void)state;
    assert_true(tsc_scale(PIT_HZ, PIT_HZ) == UINT64_MAX);
    assert_true(tsc_scale(PIT_HZ, 1000) == UINT64_MAX);
    assert_int_equal(tsc_scaled(1000000, UINT64_MAX), 999999);
    assert_int_equal(tsc_scaled(0, UINT64_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_drifts),
        cmocka_unit_test(test_never_goes_back),
        cmocka_unit_test(test_slow_tsc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
