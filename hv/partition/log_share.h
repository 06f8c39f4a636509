// SPDX-License-Identifier: Apache-2.0
// A share of lines: a number at once, and then a rate.
#ifndef HV_PARTITION_LOG_SHARE_H
#define HV_PARTITION_LOG_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LINE_US   1000000u // time that a line costs
#define LOG_LINES     32u      // lines that may come at once
#define LOG_CREDIT_US (LOG_LINES * LOG_LINE_US)

struct log_share {
    uint64_t paid_until; // in microseconds; ahead of the clock while lines were shown in advance
    uint32_t hidden;     // lines not shown since the last one that was
};

// Takes `lines` lines at the time `now`, all or none. A report may exceed the share by less than
// its own length. On true *hidden is the number of lines refused since the last time. Any number of
// CPUs at the same time.
static inline bool log_share_take(struct log_share *s, uint64_t now, unsigned lines,
                                  uint32_t *hidden)
{
    uint64_t paid = __atomic_load_n(&s->paid_until, __ATOMIC_RELAXED);
    uint64_t next;
    do {
        uint64_t from = paid > now ? paid : now;
        if (from - now >= LOG_CREDIT_US) {
            __atomic_fetch_add(&s->hidden, lines, __ATOMIC_RELAXED);
            return false;
        }
        next = from + (uint64_t)lines * LOG_LINE_US;
    } while (!__atomic_compare_exchange_n(&s->paid_until, &paid, next, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    *hidden = __atomic_exchange_n(&s->hidden, 0, __ATOMIC_RELAXED);
    return true;
}

#endif
