// SPDX-License-Identifier: Apache-2.0
// The share of lines that a partition may cause.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/partition/log_share.h"

static struct log_share share;

static unsigned shown_of(unsigned tries, uint64_t now)
{
    unsigned shown = 0;
    uint32_t hidden;

    for (unsigned i = 0; i < tries; i++)
        shown += log_share_take(&share, now, 1, &hidden);
    return shown;
}

static void test_burst_and_rate(void **state)
{
    (void)state;
    share = (struct log_share){0};
    assert_int_equal(shown_of(1000, 5), LOG_LINES);
    assert_int_equal(shown_of(1000, 5 + LOG_LINE_US), 1);
    assert_int_equal(shown_of(1000, 5 + 11 * (uint64_t)LOG_LINE_US), 10);
    // After a long silence no more than at the start.
    assert_int_equal(shown_of(1000, 1ull << 50), LOG_LINES);
}

static void test_hidden_are_counted(void **state)
{
    uint32_t hidden;

    (void)state;
    share = (struct log_share){0};
    assert_true(log_share_take(&share, 0, 1, &hidden));
    assert_int_equal(hidden, 0);
    shown_of(LOG_LINES - 1 + 7, 0);
    assert_false(log_share_take(&share, 0, 5, &hidden));
    assert_true(log_share_take(&share, LOG_LINE_US, 1, &hidden));
    assert_int_equal(hidden, 12);
    assert_true(log_share_take(&share, 1ull << 40, 1, &hidden));
    assert_int_equal(hidden, 0);
}

// A report longer than the share is shown whole, and then paid for.
static void test_long_report(void **state)
{
    uint32_t hidden;

    (void)state;
    share = (struct log_share){0};
    assert_true(log_share_take(&share, 0, 3 * LOG_LINES, &hidden));
    assert_false(log_share_take(&share, 2 * (uint64_t)LOG_CREDIT_US, 1, &hidden));
    assert_true(log_share_take(&share, 2 * (uint64_t)LOG_CREDIT_US + 1, 1, &hidden));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_and_rate),
        cmocka_unit_test(test_hidden_are_counted),
        cmocka_unit_test(test_long_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
