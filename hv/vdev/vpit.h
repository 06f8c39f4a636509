// SPDX-License-Identifier: Apache-2.0
// The 8254 interval timer (Intel 8254 data sheet) at ports 0x40-0x43, and the PC's port 0x61, which
// gates channel 2 and shows its output. `ticks` is the 8254's clock, 1193182 Hz, counted since
// vpit_reset(); it never goes back. The rising edges of channel 0's output are interrupts. Their
// times are computed, for a caller that has a timer.
#ifndef HV_VDEV_VPIT_H
#define HV_VDEV_VPIT_H

#include <stdbool.h>
#include <stdint.h>

#define VPIT_HZ       1193182u
#define VPIT_CHANNELS 3

struct vpit_channel {
    uint8_t control;     // bits 5:0 of the control word, as status shows it
    uint8_t mode;        // 0..5: the control word's mode without its don't-care bit
    uint8_t write_low;   // first byte of a two-byte count
    uint8_t status;      // latched by read-back
    uint8_t latch_bytes; // bytes of `latched` still to be read; 0 if nothing is latched
    bool write_high;     // the next byte written is the high one
    bool read_high;      // the next byte read is the high one
    bool status_latched;
    bool gate;
    bool loaded;   // `count` is in the counter
    bool running;  // counting since `start`; otherwise stopped at `elapsed`
    bool has_next; // `next` waits for the cycle's end (modes 2, 3) or the gate (modes 1, 5)
    uint16_t latched;
    uint32_t count;      // 1..65536 (BCD: 1..10000)
    uint32_t next;       // as `count`
    uint64_t next_start; // modes 2, 3: the tick at which `next` goes into the counter
    uint64_t start;      // the tick at which `count` went into the counter
    uint64_t elapsed;    // ticks counted when counting stopped
};

struct vpit {
    // Calibration loops poll port 0x61, so its state is prepared: if `out2_simple`, channel 2's
    // output is high from tick `out2_rise` on.
    uint64_t out2_rise;
    bool out2_simple;
    uint8_t port61; // bits 3:0 as written
    struct vpit_channel channel[VPIT_CHANNELS];
};

struct vpit_edge {
    uint64_t at;     // the tick at which the output rises
    uint64_t period; // ticks between the following edges; 0: none follows
    bool changes;    // the period changes with this edge
};

// The state in which a PC's firmware hands over: channel 0 at 18.2 Hz, 1 as memory refresh, 2 off.
void vpit_reset(struct vpit *p);

// `port` is 0x40..0x43. Other ports, and bytes of a wider access beyond 0x43, read as ones; writes
// to them are dropped.
uint32_t vpit_read(struct vpit *p, uint16_t port, unsigned size, uint64_t ticks);
void vpit_write(struct vpit *p, uint16_t port, unsigned size, uint32_t value, uint64_t ticks);

// The first rising edge of channel 0's output after tick `after`. False if there is none until the
// channel is programmed again.
bool vpit_next_edge(struct vpit *p, uint64_t after, struct vpit_edge *out);

uint8_t vpit_port61_read(struct vpit *p, uint64_t ticks);
void vpit_port61_write(struct vpit *p, uint8_t value, uint64_t ticks);

#endif
