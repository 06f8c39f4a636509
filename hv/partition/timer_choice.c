// SPDX-License-Identifier: Apache-2.0
// The table of timer sources. Relies on nothing.
#include "hv/partition/timer_choice.h"

#include "arch/lib/types.h"

static const struct timer_choice choices[TIMER_SOURCES - 1] = {
    {TIMER_ROUTED, "nothing", "the IOAPIC delivers it, and no CPU of the hypervisor takes part"},
    {TIMER_TICKER, "nothing; an exit if an 8259 delivers",
     "an unowned CPU may take a vector; the guest's own CPU is left alone"},
    {TIMER_PREEMPTION, "an exit", "each CPU has its own, so it takes nothing from another one"},
    {TIMER_NOTED, "an exit", "AMD-V has no timer, and the local APIC's is the guest's"},
};

const struct timer_choice *timer_choices(size_t *count)
{
    *count = ARRAY_SIZE(choices);
    return choices;
}

static bool is_there(enum timer_source source, enum timer_kind kind, bool periodic,
                     const struct timer_means *have)
{
    switch (source) {
    case TIMER_ROUTED:
        // A single interrupt would need programming in advance, by an exit that may be late.
        return have->comparator && kind == TIMER_IPI && periodic;
    case TIMER_TICKER:
        return have->ticker;
    case TIMER_PREEMPTION:
        return have->preemption;
    case TIMER_NOTED:
        return have->comparator;
    default:
        return false;
    }
}

enum timer_source timer_choose(enum timer_kind kind, bool periodic, const struct timer_means *have)
{
    for (size_t i = 0; kind != TIMER_OFF && i < ARRAY_SIZE(choices); i++) {
        if (is_there(choices[i].source, kind, periodic, have))
            return choices[i].source;
    }
    return TIMER_NONE;
}

uint64_t timer_following(uint64_t due, uint64_t period, uint64_t earliest)
{
    if (period == 0)
        return 0;
    uint64_t next = due + period;
    return next >= earliest ? next : next + (earliest - next + period - 1) / period * period;
}
