// SPDX-License-Identifier: Apache-2.0
// A virtual HPET (IA-PC HPET specification 1.0a) with three comparators, periodic and one-shot, and
// the legacy replacement route. `ticks` is its clock, VHPET_HZ, which never goes back. The device
// doesn't run by itself: the counter and the times of matches are computed.
#ifndef HV_VDEV_VHPET_H
#define HV_VDEV_VHPET_H

#include <stdbool.h>
#include <stdint.h>

#define VHPET_HZ          14318180u // as most machines' HPET
#define VHPET_COMPARATORS 3
#define VHPET_BYTES       0x400
// Lower half of the capabilities: Intel's, legacy route, 64 bits, rev. 1.
#define VHPET_BLOCK_ID 0x8086a201u
// Inputs 2, 8 and 20 to 23, which no device of a partition has.
#define VHPET_GSIS 0x00f00104u

struct vhpet_comparator {
    uint64_t config; // as written, without the fixed bits
    uint64_t value;  // counter value of the next match
    uint64_t period; // as written last
    uint64_t seen;   // the counter at the last vhpet_settle()
    bool sets_value; // TIMER_SET_VALUE: the next write sets the value
};

struct vhpet {
    uint64_t config;
    uint32_t status;
    uint64_t base; // the counter at tick `since`; while it is stopped, the counter
    uint64_t since;
    struct vhpet_comparator comparator[VHPET_COMPARATORS];
};

struct vhpet_edge {
    uint64_t at;     // tick of the clock
    uint64_t period; // ticks between the following edges; 0: none follows
};

void vhpet_reset(struct vhpet *h);

// `offset` in the block; sizes of 4 and 8 bytes, aligned. Other reads give ones; other writes are
// dropped. Call vhpet_settle() before a write, for matches under the old settings.
uint64_t vhpet_read(const struct vhpet *h, uint32_t offset, unsigned size, uint64_t ticks);
void vhpet_write(struct vhpet *h, uint32_t offset, unsigned size, uint64_t value, uint64_t ticks);

// Carries out what was due up to `ticks`. True if the comparator has matched since the last call,
// and its interrupt is enabled. The interrupt is then asserted: an edge, or a level until its
// status is cleared.
bool vhpet_settle(struct vhpet *h, unsigned n, uint64_t ticks);

// When the comparator matches next, after it was settled at `ticks`. False if it doesn't match, or
// its interrupt is disabled.
bool vhpet_next_edge(const struct vhpet *h, unsigned n, uint64_t ticks, struct vhpet_edge *out);

bool vhpet_is_level(const struct vhpet *h, unsigned n);
// A level-triggered interrupt stays asserted until its status is cleared.
bool vhpet_is_asserted(const struct vhpet *h, unsigned n);
// The first two comparators replace the PIT and the RTC.
bool vhpet_is_legacy(const struct vhpet *h);
unsigned vhpet_gsi(const struct vhpet *h, unsigned n);

#endif
