// SPDX-License-Identifier: Apache-2.0
// The reset ports, byte by byte. Relies on nothing.
#include "hv/vdev/vreset.h"

#include "arch/lib/string.h"

#define PORT_KEYBOARD_COMMAND 0x64
#define PORT_SYSTEM_CONTROL_A 0x92
#define PORT_RESET_CONTROL    0xcf9

#define KEYBOARD_PULSE_RESET 0xfe

#define SYSTEM_CONTROL_FAST_RESET 0x01
#define SYSTEM_CONTROL_A20        0x02 // always on: a guest's address lines are never masked

// Bits: hard or soft (1), reset (2), power cycle (3). Bit 2 acts when it changes from 0 to 1.
#define RESET_CONTROL_WRITABLE 0x0e
#define RESET_CONTROL_CPU      0x04

void vreset_reset(struct vreset *r)
{
    memset(r, 0, sizeof(*r));
}

static uint8_t read_byte(const struct vreset *r, unsigned port)
{
    switch (port) {
    case PORT_SYSTEM_CONTROL_A:
        return SYSTEM_CONTROL_A20;
    case PORT_RESET_CONTROL:
        return r->control;
    default:
        return 0xff;
    }
}

static enum vdev_event write_byte(struct vreset *r, unsigned port, uint8_t byte)
{
    uint8_t risen;

    switch (port) {
    case PORT_KEYBOARD_COMMAND:
        return byte == KEYBOARD_PULSE_RESET ? VDEV_RESET : VDEV_NONE;
    case PORT_SYSTEM_CONTROL_A:
        return byte & SYSTEM_CONTROL_FAST_RESET ? VDEV_RESET : VDEV_NONE;
    case PORT_RESET_CONTROL:
        risen = byte & (uint8_t)~r->control;
        r->control = byte & RESET_CONTROL_WRITABLE;
        return risen & RESET_CONTROL_CPU ? VDEV_RESET : VDEV_NONE;
    default:
        return VDEV_NONE;
    }
}

uint32_t vreset_read(const struct vreset *r, uint16_t port, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < size && i < 4; i++)
        value |= vdev_byte_at(read_byte(r, port + i), i);
    return value;
}

enum vdev_event vreset_write(struct vreset *r, uint16_t port, unsigned size, uint32_t value)
{
    enum vdev_event event = VDEV_NONE;
    for (unsigned i = 0; i < size && i < 4; i++) {
        enum vdev_event e = write_byte(r, port + i, (uint8_t)(value >> (8 * i)));
        if (e != VDEV_NONE)
            event = e;
    }
    return event;
}
