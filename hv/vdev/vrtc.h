// SPDX-License-Identifier: Apache-2.0
// The PC's real-time clock and CMOS memory: an MC146818 with 128 bytes at ports 0x70 and 0x71,
// century in register 0x32. It shows the time that the caller passes plus an offset. A guest that
// sets the clock changes only the offset, never the physical clock.
//
// It never interrupts. The enable bits of register B are kept. Of the flags in register C only UF
// (a second has begun since the last read) is ever set, because programs poll for it.
#ifndef HV_VDEV_VRTC_H
#define HV_VDEV_VRTC_H

#include <stdint.h>

#define VRTC_BYTES 128

struct vrtc {
    uint8_t index;           // port 0x70 as written, including the NMI mask (bit 7)
    uint8_t weekday_shift;   // days, 0..6, from the calendar's day of the week to the guest's
    int64_t offset;          // seconds from the caller's time to the guest's
    uint64_t seen_seconds;   // the caller's second at the last read of register C
    uint8_t ram[VRTC_BYTES]; // by register; the time's registers are valid only while the clock is
                             // stopped
};

// The time as passed by the caller, memory zero, 24 hours, BCD. A restarted partition starts so
// too.
void vrtc_reset(struct vrtc *r);

// `unix_seconds` and `microseconds` (0..999999) are the physical time in UTC, which never goes
// back. Ports 0x70 and 0x71. Other ports, and bytes of a wider access beyond 0x71, read as ones;
// writes to them are dropped.
uint32_t vrtc_read(struct vrtc *r, uint16_t port, unsigned size, uint64_t unix_seconds,
                   uint32_t microseconds);
void vrtc_write(struct vrtc *r, uint16_t port, unsigned size, uint32_t value,
                uint64_t unix_seconds);

#endif
