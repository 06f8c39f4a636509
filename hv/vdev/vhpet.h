// SPDX-License-Identifier: Apache-2.0
// A virtual HPET (IA-PC HPET specification 1.0a) with three comparators, periodic and one-shot, and
// the legacy replacement route. `ticks` is its clock, VHPET_HZ, never going back. Nothing is
// stepped: the counter is computed, and so is when a comparator matches.
#ifndef HV_VDEV_VHPET_H
#define HV_VDEV_VHPET_H

#include <stdbool.h>
#include <stdint.h>

#define VHPET_HZ          14318180u // of most machines' HPET
#define VHPET_COMPARATORS 3
#define VHPET_BYTES       0x400
#define VHPET_BLOCK_ID    0x8086a201u // the lower capabilities: Intel's, legacy route, 64 bits, rev. 1
#define VHPET_GSIS        0x00f00104u // 2, 8 and 20 to 23: no device of a partition has them

struct vhpet_comparator {
    uint64_t config; // as written, without what is fixed
    uint64_t value;  // of the counter: the next match
    uint64_t period; // that was written last
    uint64_t seen;   // the counter at the last vhpet_settle()
    bool sets_value; // TIMER_SET_VALUE: the next write is the value's
};

struct vhpet {
    uint64_t config;
    uint32_t status;
    uint64_t base; // what the counter was at tick `since`, or is while it is stopped
    uint64_t since;
    struct vhpet_comparator comparator[VHPET_COMPARATORS];
};

struct vhpet_edge {
    uint64_t at;     // tick of the clock
    uint64_t period; // to each that follows; 0: none
};

void vhpet_reset(struct vhpet *h);

// `offset` in the block; sizes of 4 and 8 bytes, aligned. Others read as ones and take no writes.
// Before a write, vhpet_settle() tells what has matched under the old settings.
uint64_t vhpet_read(const struct vhpet *h, uint32_t offset, unsigned size, uint64_t ticks);
void vhpet_write(struct vhpet *h, uint32_t offset, unsigned size, uint64_t value, uint64_t ticks);

// Lets what was due up to `ticks` happen: true if the comparator has matched since the last call.
// It is enabled then, and its interrupt is asserted: an edge, or with a level until its status is
// cleared.
bool vhpet_settle(struct vhpet *h, unsigned n, uint64_t ticks);

// When the comparator matches next, after it was settled at `ticks`. False: it does not, or
// interrupts nobody.
bool vhpet_next_edge(const struct vhpet *h, unsigned n, uint64_t ticks, struct vhpet_edge *out);

bool vhpet_is_level(const struct vhpet *h, unsigned n);
// A level-triggered one waits for its status to be cleared.
bool vhpet_is_asserted(const struct vhpet *h, unsigned n);
bool vhpet_is_legacy(const struct vhpet *h); // the first two replace the PIT and the RTC
unsigned vhpet_gsi(const struct vhpet *h, unsigned n);

#endif
