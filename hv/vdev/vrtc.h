// SPDX-License-Identifier: Apache-2.0
// The PC's real-time clock and CMOS memory: an MC146818 with 128 bytes behind ports 0x70 and 0x71,
// century in register 0x32. It shows the time that the caller passes in, plus an offset which is
// all that a guest changes by setting the clock: the physical clock is never touched.
//
// It never interrupts. The enable bits of register B are kept; of the flags in register C only UF
// (a second has begun since the last look) is ever set, because programs poll for it.
#ifndef HV_VDEV_VRTC_H
#define HV_VDEV_VRTC_H

#include <stdint.h>

#define VRTC_BYTES 128

struct vrtc {
    uint8_t index;           // port 0x70 as written, NMI mask (bit 7) included
    uint8_t weekday_shift;   // the day of the week is what the guest says it is: 0..6 days on
    int64_t offset;          // seconds from the caller's time to the guest's
    uint64_t seen_seconds;   // the caller's second at the last read of register C
    uint8_t ram[VRTC_BYTES]; // by register; those of the time are valid only while halted
};

// Time as passed in, memory zero, 24 hours, BCD. A partition that restarts starts like this, too.
void vrtc_reset(struct vrtc *r);

// `unix_seconds` and `microseconds` (0..999999) are the physical time in UTC, never going back.
// Ports 0x70 and 0x71; others, and the bytes of a wider access beyond 0x71, read as ones and take
// no writes.
uint32_t vrtc_read(struct vrtc *r, uint16_t port, unsigned size, uint64_t unix_seconds,
                   uint32_t microseconds);
void vrtc_write(struct vrtc *r, uint16_t port, unsigned size, uint32_t value,
                uint64_t unix_seconds);

#endif
