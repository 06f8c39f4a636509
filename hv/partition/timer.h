// SPDX-License-Identifier: Apache-2.0
// Timers: at a time of the TSC, once or periodically, they interrupt a guest or cause work for a
// vCPU. hv/partition/timer_choice.h chooses what makes the interrupt. A timer that is off costs
// nothing.
//
// A timer belongs to one vCPU. Its owner and the CPU that ticks share it under the timer's own
// lock. They hold it only briefly, so no partition waits for another.
#ifndef HV_PARTITION_TIMER_H
#define HV_PARTITION_TIMER_H

#include "arch/lib/status.h"
#include "hv/partition/timer_state.h"

struct vcpu;

// Boot CPU, once: chooses the CPU that ticks, and finds which other sources there are.
void timers_start(void);

// Registers a timer for good; it is off. Boot CPU. ERR_NO_MEMORY if there are TIMERS_MAX.
enum status timer_add(struct timer *t, struct vcpu *v);

// Gives a timer a new plan. False if no source of this machine can do it; then the timer is off. On
// a CPU of its partition, interrupts off.
bool timer_set(struct timer *t, const struct timer_plan *plan);

// After timer_stop() returns, the timer sends nothing and can't be set, until timer_allow().
void timer_stop(struct timer *t);
void timer_allow(struct timer *t);

// Does what is due. The CPU that ticks calls it whenever it wakes.
void timers_run(void);

// Does what is due on this vCPU's own CPU, except TIMER_WORK, which the caller does. Call it after
// an interrupt of the CPU's timer, or an NMI.
void timers_own(struct vcpu *v);

// The count for this CPU's local APIC timer before it sleeps: until the next timer that this CPU
// serves, at most `us` microseconds (0: no limit). Returns 0 if no timer is needed.
uint32_t timers_sleep(unsigned us);

#endif
