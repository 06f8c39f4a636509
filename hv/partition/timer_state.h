// SPDX-License-Identifier: Apache-2.0
// Timers as data: the service's (hv/partition/timer.h), and those of a partition's devices
// (hv/partition/guest_timer.h) that are made of them.
#ifndef HV_PARTITION_TIMER_STATE_H
#define HV_PARTITION_TIMER_STATE_H

#include "arch/lib/spinlock.h"
#include "arch/lib/types.h"
#include "hv/partition/timer_choice.h"

struct vcpu;

#define TIMER_LEAST_HZ 20000u // no timer comes more often: the unowned CPU is everybody's
#define TIMERS_MAX     (MAX_PARTITIONS * 5u)

struct timer_plan {
    enum timer_kind kind;
    uint64_t deadline; // of the TSC; one that is over comes at once
    uint64_t period;   // TSC ticks from each to the next; 0: it comes once
    uint32_t apic_id;  // TIMER_IPI: physical
    uint8_t vector;
};

struct timer {
    struct spinlock lock;
    struct vcpu *vcpu;
    struct timer_plan plan;
    enum timer_source source;
    uint64_t due;       // 0: it is off. Written under the lock, looked at without it.
    uint64_t not_until; // TIMER_LEAST_HZ
    bool stopped;       // its partition is ending: nothing starts it
    int comparator;     // of the machine's HPET; -1: it has none
};

#define GUEST_TIMERS 4 // the PIT's channel 0, and the HPET's comparators

struct guest_timer {
    struct timer timer;
    uint64_t seen; // its own clock: edges up to here have reached the interrupt controllers
    // What its plan was made from; as long as it is the same, so is the plan.
    bool listens;   // the 8259s wait for it
    uint64_t entry; // of the IOAPIC's pin
    bool changed;   // its registers were written
};

#endif
