// SPDX-License-Identifier: Apache-2.0
// The ways in which a PC resets itself: the chipset's reset control register (port 0xcf9), the
// keyboard controller's pulse command (port 0x64) and system control port A (0x92). There is no
// other keyboard controller: its ports read as ones, so drivers conclude that it is absent.
#ifndef HV_VDEV_VRESET_H
#define HV_VDEV_VRESET_H

#include <stdint.h>

#include "hv/vdev/vdev.h"

struct vreset {
    uint8_t control; // port 0xcf9
};

void vreset_reset(struct vreset *r);

// Ports 0x60, 0x64, 0x92 and 0xcf9. Other ports, and the other bytes of a wider access, read as
// ones; writes to them are dropped.
uint32_t vreset_read(const struct vreset *r, uint16_t port, unsigned size);
enum vdev_event vreset_write(struct vreset *r, uint16_t port, unsigned size, uint32_t value);

#endif
