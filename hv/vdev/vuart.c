// SPDX-License-Identifier: Apache-2.0
// The 16550A's registers, FIFO and interrupt logic (National PC16550D data sheet, section 8), as
// drivers expect them. Relies on nothing.
#include "hv/vdev/vuart.h"

#include "arch/lib/string.h"

// Register offsets. Registers with two names differ between read and write, or by DLAB.
#define REG_DATA    0 // RBR, THR, DLL
#define REG_IER     1 // IER, DLM
#define REG_IIR     2 // IIR, FCR
#define REG_LCR     3
#define REG_MCR     4
#define REG_LSR     5
#define REG_MSR     6
#define REG_SCRATCH 7

#define IER_RX    0x01 // received data available, character timeout
#define IER_TX    0x02 // transmitter holding register empty
#define IER_LINE  0x04 // receiver line status
#define IER_MODEM 0x08
#define IER_ALL   0x0f

#define IIR_MODEM      0x00
#define IIR_NONE       0x01
#define IIR_TX         0x02
#define IIR_RX         0x04
#define IIR_LINE       0x06
#define IIR_RX_TIMEOUT 0x0c
#define IIR_FIFO       0xc0

#define FCR_ENABLE        0x01
#define FCR_CLEAR_RX      0x02
#define FCR_TRIGGER       0xc0
#define FCR_TRIGGER_SHIFT 6

#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_ALL  0x1f

#define LSR_DATA    0x01
#define LSR_OVERRUN 0x02
#define LSR_THRE    0x20
#define LSR_TEMT    0x40

#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI  0x40
#define MSR_DCD 0x80

#define MODEM_DELTA_SHIFT 4 // shift from a line's bit to its delta bit

// Whether OUT2 has blocked an interrupt, and whether the caller knows that.
#define GATE_OPEN 0
#define GATE_MET  1
#define GATE_TOLD 2

// A terminal that is always connected and ready.
#define MODEM_CONNECTED (MSR_CTS | MSR_DSR | MSR_DCD)

// Stands for 9600 baud, as firmware leaves it.
#define DIVISOR_9600 12

static const uint8_t trigger_level[4] = {1, 4, 8, 14};

void vuart_reset(struct vuart *u)
{
    memset(u, 0, sizeof(*u));
    u->modem_lines = MODEM_CONNECTED;
    u->divisor_low = DIVISOR_9600;
    u->tx_ready = true;
}

static bool fifo_enabled(const struct vuart *u)
{
    return (u->fcr & FCR_ENABLE) != 0;
}

static bool looped(const struct vuart *u)
{
    return (u->mcr & MCR_LOOP) != 0;
}

static unsigned rx_capacity(const struct vuart *u)
{
    return fifo_enabled(u) ? VUART_FIFO_SIZE : 1;
}

static bool tx_empty(const struct vuart *u)
{
    // Looped-back bytes need no room in the console.
    return u->tx_ready || looped(u);
}

// Call after anything that may have changed tx_empty(). The transmitter's interrupt is an event: it
// begins when the register becomes empty, and ends when it no longer is.
static void tx_changed(struct vuart *u, bool was_empty)
{
    if (!tx_empty(u))
        u->thre_pending = false;
    else if (!was_empty && (u->ier & IER_TX))
        u->thre_pending = true;
}

static void rx_clear(struct vuart *u)
{
    u->rx_first = 0;
    u->rx_count = 0;
}

static void rx_push(struct vuart *u, uint8_t byte)
{
    if (u->rx_count >= rx_capacity(u)) {
        u->line_errors |= LSR_OVERRUN;
        // Without FIFO the new byte replaces the unread one. With FIFO the new byte is lost.
        if (!fifo_enabled(u))
            u->rx[u->rx_first] = byte;
        return;
    }
    u->rx[(u->rx_first + u->rx_count) % VUART_FIFO_SIZE] = byte;
    u->rx_count++;
}

static uint8_t rx_pop(struct vuart *u)
{
    if (u->rx_count == 0)
        return 0;
    uint8_t byte = u->rx[u->rx_first];
    u->rx_first = (uint8_t)((u->rx_first + 1u) % VUART_FIFO_SIZE);
    u->rx_count--;
    return byte;
}

// The pending interrupt with the highest priority, as IIR bits 3:0.
static uint8_t interrupt_id(const struct vuart *u)
{
    if ((u->ier & IER_LINE) && u->line_errors != 0)
        return IIR_LINE;
    if ((u->ier & IER_RX) && u->rx_count > 0) {
        unsigned level = trigger_level[(u->fcr & FCR_TRIGGER) >> FCR_TRIGGER_SHIFT];
        // There is no clock, so a character below the trigger level counts as timed out at once.
        return !fifo_enabled(u) || u->rx_count >= level ? IIR_RX : IIR_RX_TIMEOUT;
    }
    if ((u->ier & IER_TX) && u->thre_pending)
        return IIR_TX;
    if ((u->ier & IER_MODEM) && u->modem_delta != 0)
        return IIR_MODEM;
    return IIR_NONE;
}

static uint8_t read_iir(struct vuart *u)
{
    uint8_t id = interrupt_id(u);
    // A read acknowledges only the interrupt that it reports.
    if (id == IIR_TX)
        u->thre_pending = false;
    return id | (fifo_enabled(u) ? IIR_FIFO : 0);
}

static uint8_t read_lsr(struct vuart *u)
{
    uint8_t lsr = u->line_errors;
    if (u->rx_count > 0)
        lsr |= LSR_DATA;
    if (tx_empty(u))
        lsr |= LSR_THRE | LSR_TEMT;
    u->line_errors = 0;
    return lsr;
}

static void write_ier(struct vuart *u, uint8_t value)
{
    uint8_t enabled = value & (uint8_t)~u->ier;
    u->ier = value & IER_ALL;
    // Enabling it with nothing to send interrupts at once. Drivers start transmission in this way,
    // and Linux tests for it.
    if ((enabled & IER_TX) && tx_empty(u))
        u->thre_pending = true;
}

static void write_fcr(struct vuart *u, uint8_t value)
{
    // Each change of mode empties the FIFOs. The transmitter's is always empty.
    if (((value ^ u->fcr) & FCR_ENABLE) || (value & FCR_CLEAR_RX))
        rx_clear(u);
    // The other bits are accepted only together with the enable bit.
    u->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_TRIGGER) : 0;
}

static void write_mcr(struct vuart *u, uint8_t value)
{
    bool was_empty = tx_empty(u);
    u->mcr = value & MCR_ALL;
    u->rts_used |= (value & MCR_RTS) != 0;
    tx_changed(u, was_empty);

    uint8_t lines = MODEM_CONNECTED;
    if (looped(u)) {
        lines = 0;
        if (value & MCR_RTS)
            lines |= MSR_CTS;
        if (value & MCR_DTR)
            lines |= MSR_DSR;
        if (value & MCR_OUT1)
            lines |= MSR_RI;
        if (value & MCR_OUT2)
            lines |= MSR_DCD;
    }
    uint8_t changed = lines ^ u->modem_lines;
    if (lines & MSR_RI)
        changed &= (uint8_t)~MSR_RI; // the begin of a ring is no event
    u->modem_delta |= changed >> MODEM_DELTA_SHIFT;
    u->modem_lines = lines;
}

// Notes that OUT2 blocks the interrupt `event` of a byte that came or went.
static void note_gate(struct vuart *u, uint8_t event)
{
    if ((u->ier & event) && !(u->mcr & (MCR_OUT2 | MCR_LOOP)) && u->gate == GATE_OPEN)
        u->gate = GATE_MET;
}

static bool write_data(struct vuart *u, uint8_t value, uint8_t *tx)
{
    // The byte fills the holding register and leaves it at once. That is a new "empty" event,
    // unless the console is full.
    u->thre_pending = (u->ier & IER_TX) && tx_empty(u);
    if (looped(u)) {
        rx_push(u, value);
        return false;
    }
    note_gate(u, IER_TX);
    *tx = value;
    return true;
}

uint8_t vuart_read(struct vuart *u, unsigned reg)
{
    bool dlab = (u->lcr & LCR_DLAB) != 0;
    uint8_t value;

    switch (reg) {
    case REG_DATA:
        return dlab ? u->divisor_low : rx_pop(u);
    case REG_IER:
        return dlab ? u->divisor_high : u->ier;
    case REG_IIR:
        return read_iir(u);
    case REG_LCR:
        return u->lcr;
    case REG_MCR:
        return u->mcr;
    case REG_LSR:
        return read_lsr(u);
    case REG_MSR:
        value = u->modem_lines | u->modem_delta;
        u->modem_delta = 0;
        return value;
    case REG_SCRATCH:
        return u->scratch;
    default:
        return 0xff;
    }
}

bool vuart_write(struct vuart *u, unsigned reg, uint8_t value, uint8_t *tx)
{
    bool dlab = (u->lcr & LCR_DLAB) != 0;

    switch (reg) {
    case REG_DATA:
        if (!dlab)
            return write_data(u, value, tx);
        u->divisor_low = value;
        break;
    case REG_IER:
        if (dlab)
            u->divisor_high = value;
        else
            write_ier(u, value);
        break;
    case REG_IIR:
        write_fcr(u, value);
        break;
    case REG_LCR:
        u->lcr = value;
        break;
    case REG_MCR:
        write_mcr(u, value);
        break;
    case REG_SCRATCH:
        u->scratch = value;
        break;
    default: // LSR and MSR are read-only; writes are for factory tests
        break;
    }
    return false;
}

// Whether the driver holds the sender back. A driver with flow control drops RTS while it has no
// room, and keeps DTR. One that never raised RTS has no flow control, and one that dropped both has
// closed the port: both get all bytes, as through a three-wire cable.
static bool held_back(const struct vuart *u)
{
    return u->rts_used && (u->mcr & (MCR_DTR | MCR_RTS)) == MCR_DTR;
}

unsigned vuart_rx_room(const struct vuart *u)
{
    return looped(u) || held_back(u) ? 0 : rx_capacity(u) - u->rx_count;
}

void vuart_rx(struct vuart *u, uint8_t byte)
{
    if (!looped(u)) {
        rx_push(u, byte);
        note_gate(u, IER_RX);
    }
}

void vuart_set_tx_ready(struct vuart *u, bool ready)
{
    bool was_empty = tx_empty(u);
    u->tx_ready = ready;
    tx_changed(u, was_empty);
}

bool vuart_irq(const struct vuart *u)
{
    // A PC's serial card drives its interrupt line only while OUT2 is active. In loopback mode
    // OUT2's pin is inactive, whatever the register says.
    return (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 && interrupt_id(u) != IIR_NONE;
}

bool vuart_take_gated(struct vuart *u)
{
    bool met = u->gate == GATE_MET;
    if (met)
        u->gate = GATE_TOLD;
    return met;
}
