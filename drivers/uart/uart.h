// SPDX-License-Identifier: Apache-2.0
// The physical 16550, at I/O ports or in memory: detection, 8N1 with FIFOs, bytes in and out, its
// interrupts. Holds no state but where it is and no lock: the console says who may call what when.
#ifndef DRIVERS_UART_UART_H
#define DRIVERS_UART_UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_REGISTERS 8

// Where the registers are.
struct uart_place {
    volatile uint8_t *regs; // mapped uncached; NULL: they are ports
    uint16_t port;          // the first one
    uint8_t shift;          // from one register to the next are 1 << shift bytes or ports
    uint8_t width;          // of an access to memory: 1, 2 or 4 bytes
};

// COM1 to COM4, where they are on every PC that has them.
#define UART_COMS 4
struct uart_com {
    uint16_t port;
    uint8_t irq; // ISA
};
extern const struct uart_com uart_coms[UART_COMS];

// Of the clock of 1.8432 MHz that PCs have: 115200 baud at divisor 1.
#define UART_BAUD_MOST    115200u
#define UART_DIVISOR_KEEP 0 // leave the speed as it is

// Looks for a 16550 there and, if there is one, sets it to 8N1 at the speed of `divisor`, FIFOs on,
// interrupts off. Returns whether there is one. Boot CPU.
bool uart_init(const struct uart_place *place, unsigned divisor);

// Whether uart_init() found a device. Without one the functions below must not be called.
bool uart_present(void);

// How many bytes uart_tx() may send now: when the transmitter is empty 16
// (the FIFO; 1 without one), else 0.
unsigned uart_tx_room(void);

// How often the receiver has lost bytes, because nobody had read it in time; since the second was
// called. Any CPU.
uint32_t uart_overruns(void);
uint32_t uart_take_overruns(void);

void uart_tx(uint8_t byte);

// Takes a received byte; false if there is none. Bytes with a line error are dropped.
bool uart_rx(uint8_t *byte);

// Chooses the interrupts: a byte received, the transmitter empty. Turning `tx` on while the
// transmitter is empty raises its interrupt at once.
void uart_enable_interrupts(bool rx, bool tx);

// Whether the device asserts its interrupt. Reading takes back a transmitter-empty interrupt.
bool uart_interrupt_pending(void);

#endif
