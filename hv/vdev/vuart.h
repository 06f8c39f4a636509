// SPDX-License-Identifier: Apache-2.0
// A 16550A serial port as a guest sees it (National PC16550D data sheet). It transmits at once: the
// caller gets each written byte and puts it into the partition's console ring. There is no clock,
// so baud rate and receiver timeouts take no time.
#ifndef HV_VDEV_VUART_H
#define HV_VDEV_VUART_H

#include <stdbool.h>
#include <stdint.h>

#define VUART_FIFO_SIZE 16

struct vuart {
    uint8_t ier;
    uint8_t fcr; // only enable bit and trigger level; the reset bits clear themselves
    uint8_t lcr;
    uint8_t mcr;
    uint8_t line_errors; // LSR.OE until LSR is read
    uint8_t modem_lines; // MSR bits 7:4, current state
    uint8_t modem_delta; // MSR bits 3:0, until MSR is read
    uint8_t scratch;
    uint8_t divisor_low;
    uint8_t divisor_high;
    bool rts_used;     // the driver has raised RTS
    bool tx_ready;     // the console ring has room
    bool thre_pending; // "transmitter empty" is pending in IIR
    uint8_t gate;      // see vuart_take_gated()
    uint8_t rx_first;
    uint8_t rx_count;
    uint8_t rx[VUART_FIFO_SIZE];
};

// Power-on state. The transmitter is ready until vuart_set_tx_ready() changes that.
void vuart_reset(struct vuart *u);

// `reg` is the port's offset from the base, 0..7. Other registers read 0xff; writes to them are
// dropped. Reads have the side effects of the real device. A wider access is one call for each
// byte.
uint8_t vuart_read(struct vuart *u, unsigned reg);

// True if the write transmits a byte, which is then in *tx. This happens even while the transmitter
// is not ready, because a driver reads LSR.THRE once and then writes up to 16 bytes. So the caller
// must report "not ready" while fewer than VUART_FIFO_SIZE bytes fit, and drops what it can't keep.
bool vuart_write(struct vuart *u, unsigned reg, uint8_t value, uint8_t *tx);

// How many bytes the receiver takes without loss. None in loopback mode, which disconnects it from
// the line, and none while the driver holds the sender back by dropping RTS.
unsigned vuart_rx_room(const struct vuart *u);

// A byte comes in from the line. If there is no room it is lost and sets LSR.OE, as on the device.
void vuart_rx(struct vuart *u, uint8_t byte);

// Sets whether the console takes more output; LSR.THRE and TEMT show it. Becoming ready raises the
// transmitter's interrupt, if that is enabled.
void vuart_set_tx_ready(struct vuart *u, bool ready);

// The interrupt line as it leaves the serial card: gated by MCR.OUT2, whose pin is inactive in
// loopback mode. Call it after every call above.
bool vuart_irq(const struct vuart *u);

// True once after a byte was received or sent whose interrupt the driver has enabled but OUT2
// blocks: the driver waits in vain. Probes, which only enable interrupts, don't count.
bool vuart_take_gated(struct vuart *u);

#endif
