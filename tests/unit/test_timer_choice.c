// SPDX-License-Identifier: Apache-2.0
// hv/partition/timer_choice.c: each combination of what a machine has, and the periods of a timer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/partition/timer_choice.h"

static void choices(void **state)
{
    static const struct {
        enum timer_kind kind;
        bool periodic;
        struct timer_means have; // comparator, ticker, preemption
        enum timer_source source;
    } rows[] = {
        {TIMER_OFF, true, {true, true, true}, TIMER_NONE},
        {TIMER_IPI, true, {false, false, false}, TIMER_NONE},
        {TIMER_WORK, false, {false, false, false}, TIMER_NONE},
        // The IOAPIC delivers a periodic interrupt; nothing is better.
        {TIMER_IPI, true, {true, true, true}, TIMER_ROUTED},
        {TIMER_IPI, true, {true, false, false}, TIMER_ROUTED},
        // An unowned CPU leaves the guest's alone.
        {TIMER_IPI, false, {true, true, true}, TIMER_TICKER},
        {TIMER_IPI, true, {false, true, true}, TIMER_TICKER},
        {TIMER_WORK, true, {true, true, true}, TIMER_TICKER},
        {TIMER_WORK, false, {false, true, false}, TIMER_TICKER},
        // Its own CPU's timer leaves the comparators to others.
        {TIMER_WORK, true, {true, false, true}, TIMER_PREEMPTION},
        {TIMER_IPI, false, {true, false, true}, TIMER_PREEMPTION},
        {TIMER_IPI, true, {false, false, true}, TIMER_PREEMPTION},
        {TIMER_WORK, true, {true, false, false}, TIMER_NOTED},
        {TIMER_IPI, false, {true, false, false}, TIMER_NOTED},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(timer_choose(rows[i].kind, rows[i].periodic, &rows[i].have),
                         rows[i].source);
}

static void each_has_its_reason(void **state)
{
    (void)state;
    size_t count;
    const struct timer_choice *c = timer_choices(&count);
    assert_int_equal(count, TIMER_SOURCES - 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_not_equal(c[i].source, TIMER_NONE);
        assert_true(c[i].cost[0] != '\0' && c[i].reason[0] != '\0');
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(c[i].source, c[j].source);
    }
}

static void periods(void **state)
{
    static const struct {
        uint64_t due, period, earliest, next;
    } rows[] = {
        {1000, 0, 1000, 0},      // once
        {1000, 100, 1001, 1100}, // in time
        {1000, 100, 1100, 1100}, // just
        {1000, 100, 1101, 1200}, // one was missed
        {1000, 100, 1999, 2000}, // nine
        {1000, 100, 2000, 2000}, // likewise
        {1000, 7, 1050, 1056},   // faster than allowed: each eighth
        {1000, 1, 5000, 5000},   //
        {1000, 1ull << 40, 1001, 1000 + (1ull << 40)},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(timer_following(rows[i].due, rows[i].period, rows[i].earliest),
                         rows[i].next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices),
        cmocka_unit_test(each_has_its_reason),
        cmocka_unit_test(periods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
