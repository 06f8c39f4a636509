// SPDX-License-Identifier: Apache-2.0
// Data of timers: those of hv/partition/timer.h, and those of a partition's devices
// (hv/partition/guest_timer.h), which use them.
#ifndef HV_PARTITION_TIMER_STATE_H
#define HV_PARTITION_TIMER_STATE_H

#include "arch/lib/spinlock.h"
#include "arch/lib/types.h"
#include "hv/partition/timer_choice.h"

struct vcpu;

// No timer fires more often, because all partitions share the unowned CPU.
#define TIMER_LEAST_HZ 20000u
#define TIMERS_MAX     (MAX_PARTITIONS * 5u)

struct timer_plan {
    enum timer_kind kind;
    uint64_t deadline; // TSC value; a time in the past fires at once
    uint64_t period;   // TSC ticks between interrupts; 0: only one
    uint32_t apic_id;  // TIMER_IPI: physical APIC ID
    uint8_t vector;
};

struct timer {
    struct spinlock lock;
    struct vcpu *vcpu;
    struct timer_plan plan;
    enum timer_source source;
    uint64_t due;       // 0: off. Written under the lock, read without it
    uint64_t not_until; // earliest next time, by TIMER_LEAST_HZ
    bool stopped;       // its partition is ending: it can't be started
    int comparator;     // of the machine's HPET; -1 if it has none
};

#define GUEST_TIMERS 4 // the PIT's channel 0, and the HPET's comparators

struct guest_timer {
    struct timer timer;
    uint64_t seen; // device clock: edges up to here have reached the interrupt controllers
    // What its plan was made from. The plan stays valid until this changes.
    bool listens;   // the 8259s accept its interrupt
    uint64_t entry; // the IOAPIC pin's entry
    bool changed;   // its registers were written
};

#endif
