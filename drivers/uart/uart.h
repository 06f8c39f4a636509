// SPDX-License-Identifier: Apache-2.0
// The physical 16550, at I/O ports or in memory: detection, 8N1 with FIFOs, bytes in and out,
// interrupts. Keeps only the device's place and properties, and has no lock: the console says who
// may call which function when.
#ifndef DRIVERS_UART_UART_H
#define DRIVERS_UART_UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_REGISTERS 8

// Where the registers are, and how they are accessed.
struct uart_place {
    volatile uint8_t *regs; // mapped uncached; NULL: I/O ports
    uint16_t port;          // the first one
    uint8_t shift;          // log2 of the register stride, in bytes or ports
    uint8_t width;          // of a memory access: 1, 2 or 4 bytes
};

// COM1 to COM4 at their standard places.
#define UART_COMS 4
struct uart_com {
    uint16_t port;
    uint8_t irq; // ISA
};
extern const struct uart_com uart_coms[UART_COMS];

// 115200 baud at divisor 1, from the 1.8432 MHz clock of a PC.
#define UART_BAUD_MOST    115200u
#define UART_DIVISOR_KEEP 0 // leave the speed as it is

// Looks for a 16550 at that place. If there is one, sets it to 8N1 at the speed of `divisor`, FIFOs
// on, interrupts off. Returns whether there is one. Boot CPU.
bool uart_init(const struct uart_place *place, unsigned divisor);

// How many bytes uart_tx() may send now: 16 (the FIFO; 1 without one) when the transmitter is
// empty, else 0.
unsigned uart_tx_room(void);

// How often the receiver lost bytes because they were not read in time. The second function also
// resets the count. Any CPU.
uint32_t uart_overruns(void);
uint32_t uart_take_overruns(void);

void uart_tx(uint8_t byte);

// Takes a received byte; false if there is none. Bytes with a line error are dropped.
bool uart_rx(uint8_t *byte);

// Chooses the interrupts: a byte received, the transmitter empty. Turning `tx` on while the
// transmitter is empty raises its interrupt at once.
void uart_enable_interrupts(bool rx, bool tx);

// Whether the device asserts its interrupt. The read clears a transmitter-empty interrupt.
bool uart_interrupt_pending(void);

#endif
