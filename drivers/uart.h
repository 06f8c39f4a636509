// SPDX-License-Identifier: Apache-2.0
// The physical 16550: detection, 115200 8N1 with FIFOs, bytes in and out, its interrupts. Holds no
// state but the port base and no lock: the console says who may call what when.
#ifndef DRIVERS_UART_H
#define DRIVERS_UART_H

#include <stdbool.h>
#include <stdint.h>

// Looks for a 16550 at I/O port `base` and, if there is one, sets it to 115200 8N1, FIFOs on,
// interrupts off. Returns whether there is one. Boot CPU.
bool uart_init(uint16_t base);

// Whether uart_init() found a device. Without one the functions below must not be called.
bool uart_present(void);

// How many bytes uart_tx() may send now: when the transmitter is empty 16
// (the FIFO; 1 without one), else 0.
unsigned uart_tx_room(void);

void uart_tx(uint8_t byte);

// Takes a received byte; false if there is none. Bytes with a line error are dropped.
bool uart_rx(uint8_t *byte);

// Chooses the interrupts: a byte received, the transmitter empty. Turning `tx` on while the
// transmitter is empty raises its interrupt at once.
void uart_enable_interrupts(bool rx, bool tx);

// Whether the device asserts its interrupt. Reading takes back a transmitter-empty interrupt.
bool uart_interrupt_pending(void);

#endif
