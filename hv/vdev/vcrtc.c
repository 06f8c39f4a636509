// SPDX-License-Identifier: Apache-2.0
// The CRT controller's ports, byte by byte. Relies on nothing.
#include "hv/vdev/vcrtc.h"

#include "arch/lib/string.h"
#include "hv/vdev/vdev.h"

// Offset from the nearer index port: 0 index, 1 data; the device has no others.
static unsigned offset_of(unsigned port)
{
    return port - (port >= VCRTC_COLOUR ? (unsigned)VCRTC_COLOUR : (unsigned)VCRTC_MONO);
}

void vcrtc_reset(struct vcrtc *c)
{
    memset(c, 0, sizeof(*c));
}

uint32_t vcrtc_read(const struct vcrtc *c, uint16_t port, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < size && i < 4; i++) {
        unsigned offset = offset_of(port + i);
        uint8_t byte = offset == 0 ? c->index : offset == 1 ? c->registers[c->index] : 0xff;
        value |= vdev_byte_at(byte, i);
    }
    return value;
}

void vcrtc_write(struct vcrtc *c, uint16_t port, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size && i < 4; i++) {
        unsigned offset = offset_of(port + i);
        uint8_t byte = (uint8_t)(value >> (8 * i));
        if (offset == 0)
            c->index = byte % VCRTC_REGISTERS;
        else if (offset == 1)
            c->registers[c->index] = byte;
    }
}
