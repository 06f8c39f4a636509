// SPDX-License-Identifier: Apache-2.0
// The fake 16550 of tests/unit/fake_uart.h.
#include "tests/unit/fake_uart.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/console/state.h"
#include "drivers/uart/port.h"
#include "tests/unit/fake_ticker.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct {
    enum fake_uart_kind kind;
    bool slow;
    unsigned lag, lag_left;
    struct fake_uart_registers reg;
    uint8_t scratch;
    bool tx_pending; // the transmitter-empty interrupt, until IIR is read or a byte written
    uint8_t fifo[16];
    unsigned fifo_used;
    unsigned overruns;
    uint8_t rx[1 << 18];
    size_t rx_head, rx_tail;
    bool bad_next, overrun;
    uint8_t memory_shift, memory_width;
    bool line, edge;
    char *out;
    size_t out_length, out_size, out_given;
} uart;

static void update_line(void)
{
    bool rx = (uart.reg.ier & 1) != 0 && uart.rx_tail != uart.rx_head;
    bool tx = (uart.reg.ier & 2) != 0 && uart.tx_pending;
    bool line = (rx || tx) && (uart.reg.mcr & 8) != 0;

    if (line && !uart.line)
        uart.edge = true;
    uart.line = line;
}

static void send(uint8_t byte)
{
    if (uart.out_length + 1 >= uart.out_size) {
        uart.out_size = uart.out_size * 2 + 4096;
        uart.out = realloc(uart.out, uart.out_size);
        if (uart.out == NULL)
            abort();
    }
    uart.out[uart.out_length++] = (char)byte;
    uart.out[uart.out_length] = '\0';
}

static bool transmit(void)
{
    bool any = uart.fifo_used > 0;

    for (unsigned i = 0; i < uart.fifo_used; i++)
        send(uart.fifo[i]);
    uart.fifo_used = 0;
    if (any)
        uart.tx_pending = true;
    update_line();
    return any;
}

static uint8_t read_register(unsigned reg)
{
    switch (reg) {
    case 0:
        if (uart.rx_tail == uart.rx_head)
            return 0;
        uart.bad_next = false;
        return uart.rx[uart.rx_tail++ % sizeof(uart.rx)];
    case 1:
        return uart.reg.ier;
    case 2: {
        uint8_t fifo = (uart.reg.fcr & 1) != 0 && uart.kind == FAKE_UART_16550 ? 0xc0 : 0;

        if ((uart.reg.ier & 1) != 0 && uart.rx_tail != uart.rx_head)
            return fifo | 4;
        if ((uart.reg.ier & 2) != 0 && uart.tx_pending) {
            uart.tx_pending = false;
            return fifo | 2;
        }
        return fifo | 1;
    }
    case 3:
        return uart.reg.lcr;
    case 4:
        return uart.reg.mcr;
    case 5:
        if (uart.lag > 0 && uart.fifo_used > 0 && uart.lag_left-- == 0) {
            transmit();
            uart.lag_left = uart.lag;
        }
        if (uart.overrun) {
            uart.overrun = false;
            return (uint8_t)((uart.fifo_used == 0 ? 0x60 : 0) | 2 |
                             (uart.rx_tail != uart.rx_head ? 1 : 0));
        }
        return (uint8_t)((uart.fifo_used == 0 ? 0x60 : 0) | (uart.rx_tail != uart.rx_head ? 1 : 0) |
                         (uart.bad_next && uart.rx_tail != uart.rx_head ? 8 : 0));
    case 6:
        if ((uart.reg.mcr & 0x10) == 0 || uart.kind == FAKE_UART_NO_LOOP)
            return 0xb0;
        return (uint8_t)((uart.reg.mcr & 8) << 4 | (uart.reg.mcr & 4) << 4 |
                         (uart.reg.mcr & 1) << 5 | (uart.reg.mcr & 2) << 3);
    default:
        return uart.scratch;
    }
}

static void write_register(unsigned reg, uint8_t value)
{
    bool divisor = (uart.reg.lcr & 0x80) != 0;

    switch (reg) {
    case 0:
        if (divisor) {
            uart.reg.divisor = (uint16_t)((uart.reg.divisor & 0xff00) | value);
            break;
        }
        uart.tx_pending = false;
        update_line();
        if (uart.fifo_used >= (uart.kind == FAKE_UART_16550 ? 16u : 1u))
            uart.overruns++;
        else
            uart.fifo[uart.fifo_used++] = value;
        if (!uart.slow)
            transmit();
        break;
    case 1:
        if (divisor) {
            uart.reg.divisor = (uint16_t)((uart.reg.divisor & 0xff) | value << 8);
            break;
        }
        if ((value & 2) != 0 && (uart.reg.ier & 2) == 0)
            uart.tx_pending = uart.fifo_used == 0;
        uart.reg.ier = value & 0x0f;
        break;
    case 2:
        uart.reg.fcr = value;
        break;
    case 3:
        uart.reg.lcr = value;
        break;
    case 4:
        uart.reg.mcr = value;
        break;
    case 7:
        uart.scratch = value;
        break;
    default:
        break;
    }
}

uint8_t uart_port_read(uint16_t port)
{
    uint8_t value = 0xff;

    pthread_mutex_lock(&mutex);
    if (uart.kind == FAKE_UART_DEBUGCON && port == 0xe9)
        value = 0xe9;
    if (uart.kind != FAKE_UART_ABSENT && uart.kind != FAKE_UART_DEBUGCON &&
        port >= FAKE_UART_BASE && port < FAKE_UART_BASE + 8) {
        value = read_register(port - FAKE_UART_BASE);
        update_line();
    }
    pthread_mutex_unlock(&mutex);
    return value;
}

void uart_port_write(uint16_t port, uint8_t value)
{
    pthread_mutex_lock(&mutex);
    if (uart.kind == FAKE_UART_DEBUGCON && port == 0xe9)
        send(value);
    if (uart.kind != FAKE_UART_ABSENT && uart.kind != FAKE_UART_DEBUGCON &&
        port >= FAKE_UART_BASE && port < FAKE_UART_BASE + 8) {
        write_register(port - FAKE_UART_BASE, value);
        update_line();
    }
    pthread_mutex_unlock(&mutex);
}

static _Alignas(4) volatile uint8_t memory[64];

struct uart_place fake_uart_memory(uint8_t shift, uint8_t width)
{
    uart.memory_shift = shift;
    uart.memory_width = width;
    return (struct uart_place){.regs = memory, .shift = shift, .width = width};
}

static uint16_t port_of(volatile void *address, unsigned width)
{
    size_t offset = (size_t)((volatile uint8_t *)address - memory);

    if (offset >= sizeof(memory) || width != uart.memory_width ||
        offset % (1u << uart.memory_shift) != 0 || offset >> uart.memory_shift >= 8)
        abort();
    return (uint16_t)(FAKE_UART_BASE + (offset >> uart.memory_shift));
}

uint8_t uart_memory_read(volatile void *address, unsigned width)
{
    return uart_port_read(port_of(address, width));
}

void uart_memory_write(volatile void *address, unsigned width, uint8_t value)
{
    uart_port_write(port_of(address, width), value);
}

enum console_sink fake_uart_console(void)
{
    console_init(&fake_wakers);
    console_open_any();
    return console_state.sink;
}

unsigned fake_uart_source(const char *name, void *ring, size_t size)
{
    static uint8_t input[CONSOLE_SOURCES][CONSOLE_INPUT_SIZE];
    static unsigned used;

    used = (used + 1) % CONSOLE_SOURCES;
    return console_add_source(name, ring, size, input[used], CONSOLE_INPUT_SIZE);
}

void fake_uart_reset(enum fake_uart_kind kind, bool slow)
{
    free(uart.out);
    memset(&uart, 0, sizeof(uart));
    uart.kind = kind;
    uart.slow = slow;
    send('\0');
    uart.out_length = 0;
}

bool fake_uart_transmit(void)
{
    pthread_mutex_lock(&mutex);
    bool any = transmit();
    pthread_mutex_unlock(&mutex);
    return any;
}

void fake_uart_lag(unsigned reads)
{
    uart.lag = uart.lag_left = reads;
}

const char *fake_uart_output(void)
{
    const char *text = uart.out + uart.out_given;

    uart.out_given = uart.out_length;
    return text;
}

unsigned fake_uart_overruns(void)
{
    return uart.overruns;
}

void fake_uart_type(const char *text, size_t length)
{
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < length; i++)
        uart.rx[uart.rx_head++ % sizeof(uart.rx)] = (uint8_t)text[i];
    update_line();
    pthread_mutex_unlock(&mutex);
}

void fake_uart_overrun(void)
{
    uart.overrun = true;
}

void fake_uart_break_next(void)
{
    uart.bad_next = true;
}

bool fake_uart_line(void)
{
    pthread_mutex_lock(&mutex);
    bool line = uart.line;
    pthread_mutex_unlock(&mutex);
    return line;
}

bool fake_uart_edge(void)
{
    pthread_mutex_lock(&mutex);
    bool edge = uart.edge;
    uart.edge = false;
    pthread_mutex_unlock(&mutex);
    return edge;
}

struct fake_uart_registers fake_uart_registers(void)
{
    return uart.reg;
}
