// SPDX-License-Identifier: Apache-2.0
// The console's front: its modes, print() for the hypervisor, and the partitions' functions.
// drain.c puts the output out; poll.c reads the keyboard.
#include "drivers/console/console.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "drivers/console/framebuffer.h"
#include "drivers/console/history.h"
#include "drivers/console/input.h"
#include "drivers/console/log.h"
#include "drivers/console/sink.h"
#include "drivers/console/state.h"
#include "drivers/console/view.h"
#include "drivers/uart/uart.h"

#define HYPERVISOR_NAME "bulkhead" // the prefix of its lines
#define PRINT_TRIES     100        // drains that print() tries when the log is full
#define LOCK_TRIES      100000     // tries to take the lock before a synchronous printer ignores it

struct console_state console_state;

static void set_mode(enum console_mode mode)
{
    __atomic_store_n(&console_state.mode, mode, __ATOMIC_SEQ_CST);
}

unsigned console_focus(void)
{
    return __atomic_load_n(&console_state.focus, __ATOMIC_RELAXED);
}

void console_init(const struct console_wakers *wakers)
{
    memset(&console_state, 0, sizeof(console_state));
    console_state.wakers = wakers;
    console_lines_init(&console_state.lines);
    console_lines_name(&console_state.lines, CONSOLE_HYPERVISOR, HYPERVISOR_NAME);
    console_own_init();
    console_input_init();
    console_turn_init(&console_state.turn);
    console_state.count = 1;
    console_sink_init();
    set_mode(CONSOLE_MODE_EARLY);
}

static bool is_good_ring(const void *bytes, size_t size)
{
    return bytes != NULL && size >= 64 && size <= MIB(1) && (size & (size - 1)) == 0;
}

unsigned console_add_source(const char *name, void *ring, size_t size, void *input,
                            size_t input_size)
{
    unsigned id = console_state.count;

    if (id >= CONSOLE_SOURCES || console_mode() != CONSOLE_MODE_EARLY || name[0] == '\0' ||
        !is_good_ring(ring, size) || !is_good_ring(input, input_size))
        return 0;
    struct console_source *source = &console_state.sources[id];

    format(source->name, sizeof(source->name), "%s", name);
    console_ring_init(&source->ring, ring, size);
    console_input_add(id, input, input_size);
    console_lines_name(&console_state.lines, id, source->name);
    console_state.count++;
    if (id == 1)
        __atomic_store_n(&console_state.focus, id, __ATOMIC_RELAXED);
    return id;
}

void console_set_interrupt(bool on)
{
    if (console_mode() == CONSOLE_MODE_EARLY)
        console_state.interrupt = on && console_state.sink == CONSOLE_SINK_UART;
}

void console_set_ticker(bool on)
{
    if (console_mode() == CONSOLE_MODE_EARLY)
        console_state.ticker = on;
}

bool console_set_log(void *memory, size_t size, unsigned cpu)
{
    return console_mode() == CONSOLE_MODE_EARLY && console_log_grow(memory, size, cpu);
}

void console_start(void)
{
    if (console_mode() != CONSOLE_MODE_EARLY)
        return;
    console_view_start();
    set_mode(CONSOLE_MODE_RUN);
    if (console_state.sink == CONSOLE_SINK_UART)
        uart_enable_interrupts(true, false);
}

// ---- the hypervisor's own lines --------------------------------------------------------------

// Waits for the lock, but only for a limited time: its holder may be dead, or be code on this CPU
// that was interrupted. After that the caller prints without the lock, because a mixed line is
// better than none.
static void lock_or_break(void)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        if (__atomic_exchange_n(&console_state.lock, 1, __ATOMIC_SEQ_CST) == 0)
            return;
        __builtin_ia32_pause();
    }
}

static void unlock(void)
{
    __atomic_store_n(&console_state.lock, 0, __ATOMIC_SEQ_CST);
}

static void flush_lines(void)
{
    uint8_t byte;

    while (console_lines_take(&console_state.lines, &byte))
        console_sink_put_wait(console_state.sink, byte);
}

static void show_now(uint8_t byte)
{
    console_lines_byte(&console_state.lines, CONSOLE_HYPERVISOR, byte, CONSOLE_SHOW_LINES);
    flush_lines();
}

// Shows everything in the log. Holder of the lock.
static void show_log_now(void)
{
    uint8_t byte;

    while (console_own_read(&byte))
        show_now(byte);
}

// Writes a text at once. In a panic it prints the text itself and not the log, because a writer
// that died in the log blocks it.
static void print_direct(const char *text, size_t length, enum console_mode mode)
{
    bool logged = console_log_write(text, length);

    lock_or_break();
    if (logged && mode == CONSOLE_MODE_EARLY) {
        show_log_now();
    } else {
        for (size_t i = 0; i < length; i++)
            show_now((uint8_t)text[i]);
    }
    console_sink_show(UINT32_MAX);
    unlock();
    // If console_start() ran meanwhile, other CPUs may have found the lock taken.
    console_drain();
}

// ---- what is shown where ---------------------------------------------------------------------

// Shows all messages that the log still has, in the form of normal output. Holder of the lock.
static void show_history(void (*put)(uint8_t byte))
{
    const struct console_line *own = &console_state.lines.line[CONSOLE_HYPERVISOR];
    struct console_history history;
    bool line_start = true;
    uint8_t byte;

    console_history_begin(&history, 0, false);
    while (console_history_read(&history, &byte)) {
        for (unsigned i = 0; line_start && i < own->prefix_length; i++)
            put(own->prefix[i]);
        line_start = byte == '\n';
        if (line_start)
            put('\r');
        put(byte);
    }
}

static void put_to_sink(uint8_t byte)
{
    console_sink_put_wait(console_state.sink, byte);
}

static void open_sink(enum console_sink sink)
{
    lock_or_break();
    console_state.sink = sink;
    console_state.interrupt = sink == CONSOLE_SINK_UART;
    console_state.settled = true;
    show_history(put_to_sink);
    unlock();
}

bool console_open_uart(const struct uart_place *place, unsigned divisor)
{
    if (console_mode() != CONSOLE_MODE_EARLY || !uart_init(place, divisor))
        return false;
    open_sink(CONSOLE_SINK_UART);
    return true;
}

unsigned console_open_com(void)
{
    for (unsigned i = 0; i < UART_COMS; i++) {
        struct uart_place place = {.port = uart_coms[i].port};

        if (console_open_uart(&place, 1))
            return i + 1;
    }
    return 0;
}

bool console_open_debug_port(void)
{
    if (console_mode() != CONSOLE_MODE_EARLY || !console_sink_debug_port())
        return false;
    open_sink(CONSOLE_SINK_DEBUG_PORT);
    return true;
}

void console_open_none(void)
{
    if (console_mode() == CONSOLE_MODE_EARLY)
        open_sink(CONSOLE_SINK_NONE);
}

void console_open_any(void)
{
    if (!console_state.settled && console_open_com() == 0)
        console_open_debug_port();
}

void console_panic(void)
{
    console_open_any();
    enum console_mode mode = console_mode();

    if (mode == CONSOLE_MODE_OFF || mode == CONSOLE_MODE_PANIC)
        return;
    set_mode(CONSOLE_MODE_PANIC);
    framebuffer_break();
    if (mode != CONSOLE_MODE_RUN)
        return;
    // A drainer tests the mode after each byte, and leaves.
    lock_or_break();
    flush_lines();
    console_lines_alone(&console_state.lines, CONSOLE_LINE_NONE, false);
    flush_lines();
    show_log_now();
    if (console_state.lines.line[CONSOLE_HYPERVISOR].kept_length > 0)
        console_lines_byte(&console_state.lines, CONSOLE_HYPERVISOR, '\n', CONSOLE_SHOW_LINES);
    console_lines_break(&console_state.lines);
    flush_lines();
    console_sink_show(UINT32_MAX);
    unlock();
}

// The screen starts with all messages that the log still has, and then shows what every sink gets.
void console_add_screen(void)
{
    if (console_mode() != CONSOLE_MODE_EARLY)
        return;
    lock_or_break();
    show_history(framebuffer_put);
    console_sink_add_screen();
    console_sink_show(UINT32_MAX);
    unlock();
}

static void vprint(const char *fmt, va_list args)
{
    static const char cut[] = "...\n";
    char text[CONSOLE_PRINT_SIZE];
    enum console_mode mode = console_mode();

    if (mode == CONSOLE_MODE_OFF)
        return;
    size_t length = vformat(text, sizeof(text), fmt, args);

    if (length >= sizeof(text)) {
        length = sizeof(text) - 1;
        memcpy(text + length - (sizeof(cut) - 1), cut, sizeof(cut) - 1);
    }
    if (mode != CONSOLE_MODE_RUN) {
        print_direct(text, length, mode);
        return;
    }
    for (unsigned i = 0; i < PRINT_TRIES; i++) {
        if (console_log_write(text, length)) {
            console_drain();
            return;
        }
        console_drain();
        __builtin_ia32_pause();
    }
    __atomic_fetch_add(&console_state.lost, 1, __ATOMIC_RELAXED);
    console_drain();
}

void print(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vprint(fmt, args);
    va_end(args);
}

void console_set_bare(bool on)
{
    console_lines_name(&console_state.lines, CONSOLE_HYPERVISOR, HYPERVISOR_NAME);
    if (on)
        console_state.lines.line[CONSOLE_HYPERVISOR].prefix_length = 0;
}

// ---- the partitions' side --------------------------------------------------------------------

bool console_put(unsigned source, uint8_t byte)
{
    uint32_t bit = 1u << source;

    if (!console_is_partition(source))
        return false;
    if (!console_sink_any(console_state.sink))
        return true;
    struct console_ring *ring = &console_state.sources[source].ring;

    if (console_ring_put(ring, byte))
        return true;
    // Announces the stall, then tries again: a drainer that made room before it could see the
    // announcement would not report the end of the stall.
    __atomic_fetch_or(&console_state.stalled, bit, __ATOMIC_SEQ_CST);
    if (!console_ring_put(ring, byte))
        return false;
    __atomic_fetch_and(&console_state.stalled, ~bit, __ATOMIC_SEQ_CST);
    return true;
}

uint32_t console_take_unstalled(void)
{
    if (__atomic_load_n(&console_state.unstalled, __ATOMIC_RELAXED) == 0)
        return 0;
    return __atomic_exchange_n(&console_state.unstalled, 0, __ATOMIC_ACQUIRE);
}

bool console_get(unsigned source, uint8_t *byte)
{
    return console_is_partition(source) && console_input_get(source, byte);
}

static void set(bool *word, bool value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

void console_restart(unsigned source)
{
    if (!console_is_partition(source))
        return;
    console_input_flush(source);
    set(&console_state.sources[source].ended, false);
    set(&console_state.sources[source].restarted, true);
}

void console_end(unsigned source)
{
    if (console_is_partition(source))
        set(&console_state.sources[source].ended, true);
    console_drain();
}
