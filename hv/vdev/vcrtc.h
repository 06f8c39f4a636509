// SPDX-License-Identifier: Apache-2.0
// The index and data ports of a VGA's CRT controller, as plain storage. A text-mode kernel stores
// its cursor there and reads it back; all ones would be a position outside its screen. There is no
// picture: a partition's display, if it has one, is a framebuffer.
#ifndef HV_VDEV_VCRTC_H
#define HV_VDEV_VCRTC_H

#include <stdint.h>

#define VCRTC_COLOUR    0x3d4 // index; the data port is the next
#define VCRTC_MONO      0x3b4 // the same registers
#define VCRTC_REGISTERS 32    // what five bits of index can address

struct vcrtc {
    uint8_t index;
    uint8_t registers[VCRTC_REGISTERS];
};

void vcrtc_reset(struct vcrtc *c);

// `port` is one of the two index ports or data ports. Bytes beyond the data port read as ones;
// writes to them are dropped.
uint32_t vcrtc_read(const struct vcrtc *c, uint16_t port, unsigned size);
void vcrtc_write(struct vcrtc *c, uint16_t port, unsigned size, uint32_t value);

#endif
