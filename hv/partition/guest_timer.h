// SPDX-License-Identifier: Apache-2.0
// The timers of a partition that interrupt it. The next edge is computed from their registers, and
// a timer (hv/partition/timer.h) runs only while the guest listens to it. The device lock is held
// for all functions, unless stated otherwise.
#ifndef HV_PARTITION_GUEST_TIMER_H
#define HV_PARTITION_GUEST_TIMER_H

#include <stdint.h>

#include "arch/lib/status.h"

struct partition;
struct vcpu;

// Registers the timers. Boot CPU, no lock. ERR_NO_MEMORY.
enum status guest_timers_create(struct partition *p);

// Turns the timers off, after the devices' reset. The partition does not run; no lock.
void guest_timers_reset(struct partition *p);

// The partition is ending: after the return no timer interrupts. Any of its CPUs, no lock.
void guest_timers_stop(struct partition *p);

// Brings edges that have occurred to the interrupt controllers. Call it before the guest reads or
// writes a timer or an interrupt controller. guest_interrupt_changed() must follow.
void guest_timers_settle(struct partition *p);

// Call after these registers were written: makes new plans if necessary.
void guest_timers_update(struct partition *p);

// Accesses to the PIT's and the HPET's registers.
void guest_timers_pit_write(struct partition *p, uint16_t port, unsigned size, uint32_t value);
uint64_t guest_timers_hpet_read(struct partition *p, unsigned offset, unsigned size);
void guest_timers_hpet_write(struct partition *p, unsigned offset, unsigned size, uint64_t value);

// Does WORK_TIMER. No lock.
void guest_timers_work(struct vcpu *v);

#endif
