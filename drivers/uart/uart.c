// SPDX-License-Identifier: Apache-2.0
// The physical 16550 (TI TL16C550C data sheet, "Principles of operation"), polled and by
// interrupt. Relies on drivers/uart/port.h for the ports and the memory accesses.
#include "drivers/uart/uart.h"

#include <stddef.h>

#include "drivers/uart/port.h"

// Registers, as offsets from the base. DLL and DLM replace DATA and IER while LCR_DLAB is set.
#define REG_DATA    0
#define REG_IER     1
#define REG_IIR     2 // read
#define REG_FCR     2 // write
#define REG_LCR     3
#define REG_MCR     4
#define REG_LSR     5
#define REG_MSR     6
#define REG_SCRATCH 7
#define REG_DLL     0
#define REG_DLM     1

#define IER_RX 0x01u
#define IER_TX 0x02u

#define IIR_NONE 0x01u
#define IIR_FIFO 0xc0u // both bits are set if the FIFOs are on and work

#define FCR_ENABLE   0x01u
#define FCR_CLEAR_RX 0x02u
#define FCR_CLEAR_TX 0x04u

#define LCR_8N1  0x03u
#define LCR_DLAB 0x80u

#define MCR_DTR  0x01u
#define MCR_RTS  0x02u
#define MCR_OUT2 0x08u // on a PC this gates the interrupt line
#define MCR_LOOP 0x10u

#define LSR_DATA    0x01u
#define LSR_OVERRUN 0x02u
#define LSR_PARITY  0x04u
#define LSR_FRAME   0x08u
#define LSR_BREAK   0x10u
#define LSR_THRE    0x20u

#define MSR_LOOP_MASK 0xf0u // DCD, RI, DSR, CTS; in loopback they show OUT2, OUT1, DTR, RTS
#define MSR_DCD       0x80u
#define MSR_CTS       0x10u

#define FIFO_SIZE 16

static struct uart_place uart_at;
static unsigned uart_fifo_size;
static uint32_t overruns; // written by any CPU; relaxed: a plain count

static uint8_t read_reg(unsigned reg)
{
    unsigned offset = reg << uart_at.shift;

    if (uart_at.regs == NULL)
        return uart_port_read((uint16_t)(uart_at.port + offset));
    return uart_memory_read(uart_at.regs + offset, uart_at.width);
}

static void write_reg(unsigned reg, unsigned value)
{
    unsigned offset = reg << uart_at.shift;

    if (uart_at.regs == NULL)
        uart_port_write((uint16_t)(uart_at.port + offset), (uint8_t)value);
    else
        uart_memory_write(uart_at.regs + offset, uart_at.width, (uint8_t)value);
}

// A UART's scratch register keeps its value (an absent port reads all ones), and in loopback mode
// the modem outputs come back as modem inputs. No other device does both.
static bool detect(void)
{
    static const uint8_t patterns[] = {0x5a, 0xa5, 0x00};

    for (unsigned i = 0; i < sizeof(patterns); i++) {
        write_reg(REG_SCRATCH, patterns[i]);
        if (read_reg(REG_SCRATCH) != patterns[i])
            return false;
    }
    write_reg(REG_MCR, MCR_LOOP | MCR_OUT2 | MCR_RTS);
    bool looped = (read_reg(REG_MSR) & MSR_LOOP_MASK) == (MSR_DCD | MSR_CTS);
    write_reg(REG_MCR, 0);
    return looped;
}

bool uart_init(const struct uart_place *place, unsigned divisor)
{
    uart_at = *place;
    if (!detect())
        return false;
    write_reg(REG_LCR, LCR_8N1); // clears DLAB, which firmware may have left set
    write_reg(REG_IER, 0);
    if (divisor != UART_DIVISOR_KEEP) {
        write_reg(REG_LCR, LCR_DLAB);
        write_reg(REG_DLL, divisor & 0xff);
        write_reg(REG_DLM, divisor >> 8);
        write_reg(REG_LCR, LCR_8N1);
    }
    // Receive trigger at one byte: a user's key must not wait for a FIFO timeout.
    write_reg(REG_FCR, FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX);
    write_reg(REG_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
    // Reading clears interrupts that were pending before.
    (void)read_reg(REG_LSR);
    (void)read_reg(REG_MSR);
    overruns = 0;
    // An 8250 or 16450 has no FIFO; a 16550 without the A has a broken one.
    uart_fifo_size = (read_reg(REG_IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
    return true;
}

// Every read of the register clears its error bits, so each read counts overruns.
static uint8_t read_status(void)
{
    uint8_t status = read_reg(REG_LSR);

    if (status != 0xff && (status & LSR_OVERRUN) != 0)
        __atomic_fetch_add(&overruns, 1, __ATOMIC_RELAXED);
    return status;
}

uint32_t uart_overruns(void)
{
    return __atomic_load_n(&overruns, __ATOMIC_RELAXED);
}

uint32_t uart_take_overruns(void)
{
    return __atomic_exchange_n(&overruns, 0, __ATOMIC_RELAXED);
}

unsigned uart_tx_room(void)
{
    return (read_status() & LSR_THRE) != 0 ? uart_fifo_size : 0;
}

void uart_tx(uint8_t byte)
{
    write_reg(REG_DATA, byte);
}

bool uart_rx(uint8_t *byte)
{
    // A broken or unplugged device may read all ones for ever. All ones count as no byte, and no
    // caller loops.
    for (unsigned tries = 0; tries < 2 * FIFO_SIZE; tries++) {
        uint8_t status = read_status();

        if (status == 0xff || (status & LSR_DATA) == 0)
            return false;
        uint8_t data = read_reg(REG_DATA);

        // An overrun lost an earlier byte; this byte is valid.
        if ((status & (LSR_PARITY | LSR_FRAME | LSR_BREAK)) == 0) {
            *byte = data;
            return true;
        }
    }
    return false;
}

void uart_enable_interrupts(bool rx, bool tx)
{
    write_reg(REG_IER, (rx ? IER_RX : 0) | (tx ? IER_TX : 0));
}

bool uart_interrupt_pending(void)
{
    return (read_reg(REG_IIR) & IIR_NONE) == 0;
}
