// SPDX-License-Identifier: Apache-2.0
// Chooses which of the machine's clocks makes a timer's interrupts, by one table. Pure.
#ifndef HV_PARTITION_TIMER_CHOICE_H
#define HV_PARTITION_TIMER_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What happens when a timer is due.
enum timer_kind {
    TIMER_OFF,
    TIMER_IPI,  // an interrupt vector is sent to one of the guest's CPUs
    TIMER_WORK, // WORK_TIMER is posted to the timer's vCPU
};

enum timer_source {
    TIMER_NONE,
    TIMER_ROUTED,     // a comparator of the machine's HPET; the IOAPIC sends it to the guest
    TIMER_TICKER,     // an unowned CPU's local APIC timer
    TIMER_PREEMPTION, // VT-x's preemption timer of the vCPU's CPU
    TIMER_NOTED,      // a comparator whose interrupt is an NMI to the vCPU's CPU
    TIMER_SOURCES,
};

struct timer_means {
    bool comparator; // this timer has a comparator of the machine's HPET, or one is free
    bool ticker;     // there is an unowned CPU
    bool preemption; // the processors have VT-x's timer
};

struct timer_choice {
    enum timer_source source;
    const char *cost; // cost to the guest of each interrupt
    const char *reason;
};

// The table, best source first. The first row whose means all exist is chosen.
const struct timer_choice *timer_choices(size_t *count);

// The next time of a timer that was due: a whole number of periods later, and not before
// `earliest`. Missed times are skipped, because the one that came stands for them. 0 (never) if the
// period is 0.
uint64_t timer_following(uint64_t due, uint64_t period, uint64_t earliest);

// TIMER_NONE if no source of this machine can do it.
enum timer_source timer_choose(enum timer_kind kind, bool periodic, const struct timer_means *have);

#endif
