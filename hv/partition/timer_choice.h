// SPDX-License-Identifier: Apache-2.0
// Which of the machine's clocks makes a timer's interrupts: a decision by one table. Pure.
#ifndef HV_PARTITION_TIMER_CHOICE_H
#define HV_PARTITION_TIMER_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is done when a timer's time has come.
enum timer_kind {
    TIMER_OFF,
    TIMER_IPI,  // the guest's vector is sent to one of its CPUs
    TIMER_WORK, // WORK_TIMER for the vCPU that the timer belongs to
};

enum timer_source {
    TIMER_NONE,
    TIMER_ROUTED,     // a comparator of the machine's HPET; the IOAPIC brings it to the guest
    TIMER_TICKER,     // an unowned CPU's local APIC timer
    TIMER_PREEMPTION, // VT-x's preemption timer of the CPU that the vCPU has
    TIMER_NOTED,      // a comparator whose interrupt is an NMI to that CPU
    TIMER_SOURCES,
};

struct timer_means {
    bool comparator; // one of the machine's HPET is this timer's, or free
    bool ticker;     // there is an unowned CPU
    bool preemption; // the processors have VT-x's timer
};

struct timer_choice {
    enum timer_source source;
    const char *cost; // to the guest, for each of its interrupts
    const char *reason;
};

// The table, best first: the first row of which all is there is taken.
const struct timer_choice *timer_choices(size_t *count);

// When a timer that was due comes again: after whole periods, and not before `earliest`. Those that
// were missed are left out, since the one that came stands for them. 0: never, its period is 0.
uint64_t timer_following(uint64_t due, uint64_t period, uint64_t earliest);

// TIMER_NONE: nothing of this machine can.
enum timer_source timer_choose(enum timer_kind kind, bool periodic, const struct timer_means *have);

#endif
