// SPDX-License-Identifier: Apache-2.0
// Timers: at a time of the TSC, once or periodically, an interrupt for a guest or work for a vCPU.
// Who makes them is chosen by hv/partition/timer_choice.h. A timer that is off costs nothing.
//
// A timer belongs to one vCPU. Its owner and the CPU that ticks share it under its own lock, which
// is held for a moment only, so no partition waits for another one.
#ifndef HV_PARTITION_TIMER_H
#define HV_PARTITION_TIMER_H

#include "arch/lib/status.h"
#include "hv/partition/timer_state.h"

struct vcpu;

// Boot CPU, once: chooses the CPU that ticks, and finds what else can.
void timers_start(void);

// Makes a timer known, off; for good. Boot CPU. ERR_NO_MEMORY: there are TIMERS_MAX.
enum status timer_add(struct timer *t, struct vcpu *v);

// Gives a timer another plan. False: nothing on this machine can make it; then it is off. On a CPU
// of its partition, interrupts off.
bool timer_set(struct timer *t, const struct timer_plan *plan);

// From the return on it sends nothing, and can't be set; until allowed again.
void timer_stop(struct timer *t);
void timer_allow(struct timer *t);

// The CPU that ticks, whenever it has slept: does what is due.
void timers_run(void);

// On the vCPU's own CPU, after its own timer or an NMI: does what is due there, except TIMER_WORK,
// which is the caller's.
void timers_own(struct vcpu *v);

// What the local APIC's timer of this CPU is to be set to before it sleeps: until the next timer
// that it has to serve, or at most `us` microseconds (0: any time). 0: it need not be set.
uint32_t timers_sleep(unsigned us);

#endif
