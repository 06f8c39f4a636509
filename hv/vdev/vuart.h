// SPDX-License-Identifier: Apache-2.0
// A 16550A serial port as a guest sees it (National PC16550D data sheet). It transmits at once:
// a byte written is handed to the caller, who puts it into the partition's console ring. There is
// no clock, so baud rate and the receiver's character timeout take no time.
#ifndef HV_VDEV_VUART_H
#define HV_VDEV_VUART_H

#include <stdbool.h>
#include <stdint.h>

#define VUART_FIFO_SIZE 16

struct vuart {
    uint8_t ier;
    uint8_t fcr; // enable bit and trigger level only; the reset bits clear themselves
    uint8_t lcr;
    uint8_t mcr;
    uint8_t line_errors; // LSR.OE until LSR is read
    uint8_t modem_lines; // MSR bits 7:4 as they are now
    uint8_t modem_delta; // MSR bits 3:0 until MSR is read
    uint8_t scratch;
    uint8_t divisor_low;
    uint8_t divisor_high;
    bool rts_used;     // the driver has raised RTS
    bool tx_ready;     // the console ring takes more
    bool thre_pending; // "transmitter empty" waits to be seen in IIR
    uint8_t gate;      // see vuart_take_gated()
    uint8_t rx_first;
    uint8_t rx_count;
    uint8_t rx[VUART_FIFO_SIZE];
};

// Power-on state; the transmitter is ready until vuart_set_tx_ready() says otherwise.
void vuart_reset(struct vuart *u);

// `reg` is the port's offset from the base, 0..7; others read 0xff and take no writes. Reading has
// the side effects that it has on the device. Wider accesses are one call for each byte.
uint8_t vuart_read(struct vuart *u, unsigned reg);

// True when the write transmits a byte, which is then in *tx. It is handed out even while the
// transmitter is not ready: a driver looks at LSR.THRE once and then writes up to 16 bytes, so
// the caller says "not ready" while fewer than VUART_FIFO_SIZE bytes fit, and drops what it can't
// keep.
bool vuart_write(struct vuart *u, unsigned reg, uint8_t value, uint8_t *tx);

// How many bytes the receiver takes without loss: none in loopback mode, where it is cut off from
// the line, nor while the driver holds the sender back by dropping RTS.
unsigned vuart_rx_room(const struct vuart *u);

// A byte comes in from the line. One too many is lost and sets LSR.OE, as on the device.
void vuart_rx(struct vuart *u, uint8_t byte);

// Whether the console takes more output; LSR.THRE and TEMT show it. Becoming ready raises the
// transmitter's interrupt, if enabled.
void vuart_set_tx_ready(struct vuart *u, bool ready);

// The interrupt line, as it leaves the serial card: gated by MCR.OUT2, which loopback mode takes
// off its pin. Look at it after every call above.
bool vuart_irq(const struct vuart *u);

// True once after a byte was received or sent whose interrupt the driver has enabled and OUT2 holds
// back: it waits for nothing. Probes, which only enable interrupts, don't count.
bool vuart_take_gated(struct vuart *u);

#endif
