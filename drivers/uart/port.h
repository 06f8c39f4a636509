// SPDX-License-Identifier: Apache-2.0
// The console's way to I/O ports and to registers in memory, by link-time name: uart_port.c has the
// real instructions, the unit tests bring a fake device.
#ifndef DRIVERS_UART_PORT_H
#define DRIVERS_UART_PORT_H

#include <stdint.h>

uint8_t uart_port_read(uint16_t port);
void uart_port_write(uint16_t port, uint8_t value);

// A register in memory, by an access of 1, 2 or 4 bytes, aligned to that; its low byte counts.
uint8_t uart_memory_read(volatile void *address, unsigned width);
void uart_memory_write(volatile void *address, unsigned width, uint8_t value);

#endif
