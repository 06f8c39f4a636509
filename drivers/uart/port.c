// SPDX-License-Identifier: Apache-2.0
// The real I/O ports and memory accesses of drivers/uart/port.h.
#include "drivers/uart/port.h"

#include "arch/cpu/io.h"

uint8_t uart_port_read(uint16_t port)
{
    return inb(port);
}

void uart_port_write(uint16_t port, uint8_t value)
{
    outb(port, value);
}

uint8_t uart_memory_read(volatile void *address, unsigned width)
{
    if (width == 4)
        return (uint8_t) * (volatile uint32_t *)address;
    if (width == 2)
        return (uint8_t) * (volatile uint16_t *)address;
    return *(volatile uint8_t *)address;
}

void uart_memory_write(volatile void *address, unsigned width, uint8_t value)
{
    if (width == 4)
        *(volatile uint32_t *)address = value;
    else if (width == 2)
        *(volatile uint16_t *)address = value;
    else
        *(volatile uint8_t *)address = value;
}
