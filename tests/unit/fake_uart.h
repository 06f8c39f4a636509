// SPDX-License-Identifier: Apache-2.0
// A 16550 for host tests, behind drivers/uart/port.h: registers, a transmit FIFO that empties at
// once or when the test says so, receive queue, interrupt line with its edges; and the emulators'
// debug port. Safe to use from several threads.
#ifndef TESTS_UNIT_FAKE_UART_H
#define TESTS_UNIT_FAKE_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/console/console.h"

#define FAKE_UART_BASE 0x3f8

enum fake_uart_kind {
    FAKE_UART_ABSENT, // all ports read 0xff
    FAKE_UART_16550,
    FAKE_UART_16450,    // no FIFO
    FAKE_UART_NO_LOOP,  // something with a scratch register that is no UART
    FAKE_UART_DEBUGCON, // no UART, but the debug port
};

// Starts over. `slow`: bytes stay in the FIFO until fake_uart_transmit().
void fake_uart_reset(enum fake_uart_kind kind, bool slow);

// Makes it the console: COM1, else the debug port, else none; console_init() comes first.
enum console_sink fake_uart_console(void);

// Adds a source to the console, as console_add_source(), with an input ring of full size.
unsigned fake_uart_source(const char *name, void *ring, size_t size);

// Where its registers are, besides the ports: in memory, so far apart, for accesses of `width`
// bytes only. Any other access ends the test.
struct uart_place fake_uart_memory(uint8_t shift, uint8_t width);

// Sends what is in the FIFO; true if there was something.
bool fake_uart_transmit(void);

// In slow mode: the FIFO empties by itself while the driver reads its status this many times.
void fake_uart_lag(unsigned reads);

// What has been sent since the last call (or the reset), as a string. Not for several threads.
const char *fake_uart_output(void);

// Bytes written while the FIFO was full: each is an error of the driver's.
unsigned fake_uart_overruns(void);

// Types bytes; they wait as in a FIFO that is never full.
void fake_uart_type(const char *text, size_t length);

// The receiver reports that it lost bytes, once.
void fake_uart_overrun(void);

// Makes the next received byte one with a framing error.
void fake_uart_break_next(void);

// Whether the interrupt line is up; and whether it has risen since the last call.
bool fake_uart_line(void);
bool fake_uart_edge(void);

// A register as the driver has set it: ier, lcr, mcr, fcr, divisor.
struct fake_uart_registers {
    uint8_t ier, lcr, mcr, fcr;
    uint16_t divisor;
};
struct fake_uart_registers fake_uart_registers(void);

#endif
