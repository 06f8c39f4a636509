// SPDX-License-Identifier: Apache-2.0
// The real I/O ports behind drivers/uart_port.h.
#include "drivers/uart_port.h"

#include "arch/io.h"

uint8_t uart_port_read(uint16_t port)
{
    return inb(port);
}

void uart_port_write(uint16_t port, uint8_t value)
{
    outb(port, value);
}
