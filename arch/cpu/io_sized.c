// SPDX-License-Identifier: Apache-2.0
// Port input and output by width.
#include "arch/cpu/io_sized.h"

#include "arch/cpu/io.h"

uint32_t io_read(uint16_t port, unsigned size)
{
    switch (size) {
    case 1:
        return inb(port);
    case 2:
        return inw(port);
    default:
        return inl(port);
    }
}

void io_write(uint16_t port, unsigned size, uint32_t value)
{
    switch (size) {
    case 1:
        outb(port, (uint8_t)value);
        break;
    case 2:
        outw(port, (uint16_t)value);
        break;
    default:
        outl(port, value);
        break;
    }
}
