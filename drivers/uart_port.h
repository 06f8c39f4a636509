// SPDX-License-Identifier: Apache-2.0
// The console's way to I/O ports, by link-time name: uart_port.c has the real instructions, the
// unit tests bring a fake device.
#ifndef DRIVERS_UART_PORT_H
#define DRIVERS_UART_PORT_H

#include <stdint.h>

uint8_t uart_port_read(uint16_t port);
void uart_port_write(uint16_t port, uint8_t value);

#endif
