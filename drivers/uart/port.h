// SPDX-License-Identifier: Apache-2.0
// The console's access to I/O ports and to registers in memory, by link-time name.
// drivers/uart/port.c has the real instructions; the unit tests bring a fake device.
#ifndef DRIVERS_UART_PORT_H
#define DRIVERS_UART_PORT_H

#include <stdint.h>

uint8_t uart_port_read(uint16_t port);
void uart_port_write(uint16_t port, uint8_t value);

// A register in memory, accessed with 1, 2 or 4 aligned bytes. The low byte is the register's
// value.
uint8_t uart_memory_read(volatile void *address, unsigned width);
void uart_memory_write(volatile void *address, unsigned width, uint8_t value);

#endif
