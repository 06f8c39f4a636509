// SPDX-License-Identifier: Apache-2.0
// The timers of a partition that interrupt it: when the next edge comes is computed from their
// registers, and a timer (hv/partition/timer.h) runs only while the guest listens to it. All with
// the device lock held, unless said otherwise.
#ifndef HV_PARTITION_GUEST_TIMER_H
#define HV_PARTITION_GUEST_TIMER_H

#include <stdint.h>

#include "arch/lib/status.h"

struct partition;
struct vcpu;

// Makes them known. Boot CPU, no lock. ERR_NO_MEMORY.
enum status guest_timers_create(struct partition *p);

// Off, after the devices' reset. The partition does not run; no lock.
void guest_timers_reset(struct partition *p);

// The partition is ending: from the return on nothing comes. Any of its CPUs, no lock.
void guest_timers_stop(struct partition *p);

// Brings the edges that have come since to the interrupt controllers: before those, or a timer, are
// written, or read. guest_interrupt_changed() has to follow.
void guest_timers_settle(struct partition *p);

// The same registers have been written: makes other plans if need be.
void guest_timers_update(struct partition *p);

// Accesses to the PIT's and the HPET's registers.
void guest_timers_pit_write(struct partition *p, uint16_t port, unsigned size, uint32_t value);
uint64_t guest_timers_hpet_read(struct partition *p, unsigned offset, unsigned size);
void guest_timers_hpet_write(struct partition *p, unsigned offset, unsigned size, uint64_t value);

// WORK_TIMER. No lock.
void guest_timers_work(struct vcpu *v);

#endif
