// SPDX-License-Identifier: Apache-2.0
// Shows queued output: from the sources' rings through the line discipline to the sink, by one CPU
// at a time, without waiting. All except console_drain() and console_tick...() runs under the
// console's lock.
#include "drivers/console/console.h"

#include "arch/lib/format.h"
#include "drivers/console/history.h"
#include "drivers/console/log.h"
#include "drivers/console/sink.h"
#include "drivers/console/state.h"
#include "drivers/console/view.h"
#include "drivers/uart/uart.h"

// What one console_drain() may spend before it leaves the rest to the transmitter's interrupt. It
// bounds the time for which a partition's CPU works on other sources' output, even where the work
// makes no output.
#define BUDGET     2048
#define COST_BYTE  1
#define COST_TURN  4
#define COST_LOOK  64
#define COST_GLYPH 1

// The least number of characters that one drain may draw on the screen, whatever the output itself
// cost.
#define LEAST_GLYPHS 1024

// Requests an interrupt for when the device has room; at once if it has room now. The interrupt is
// turned off and on again, because a 16550 reports an empty transmitter only when it becomes empty
// or when the interrupt is turned on.
static void arm_tx_interrupt(void)
{
    if (!console_state.interrupt)
        return;
    console_state.tx_interrupt = true;
    uart_enable_interrupts(true, false);
    uart_enable_interrupts(true, true);
}

static void disarm_tx_interrupt(void)
{
    if (!console_state.tx_interrupt)
        return;
    uart_enable_interrupts(true, false);
    console_state.tx_interrupt = false;
}

static void end_stall(unsigned id)
{
    uint32_t bit = 1u << id;

    if ((__atomic_load_n(&console_state.stalled, __ATOMIC_SEQ_CST) & bit) != 0 &&
        (__atomic_fetch_and(&console_state.stalled, ~bit, __ATOMIC_SEQ_CST) & bit) != 0)
        __atomic_fetch_or(&console_state.unstalled, bit, __ATOMIC_RELEASE);
}

// Moves bytes of the log to the line discipline, at most to the end of the line. Returns whether
// the turn is over.
static bool show_log(void)
{
    uint8_t byte;

    while (console_lines_ready(&console_state.lines)) {
        if (!console_own_read(&byte))
            return true;
        console_lines_byte(&console_state.lines, CONSOLE_HYPERVISOR, byte, CONSOLE_SHOW_LINES);
        if (byte == '\n')
            return true;
    }
    return false;
}

static bool show_own(void)
{
    struct console_lines *lines = &console_state.lines;

    if (console_view_is_alone() && console_lines_drawn(lines, lines->alone))
        lines->over = true;
    return show_log();
}

// The same for a partition.
static bool show_partition(unsigned id)
{
    struct console_ring *ring = &console_state.sources[id].ring;
    uint32_t ready = console_ring_ready(ring, id == console_focus());
    uint32_t used = 0;
    bool line_end = false;

    while (used < ready && !line_end && console_lines_ready(&console_state.lines)) {
        enum console_show show = console_view_show(id, used);
        uint8_t byte = console_ring_peek(ring, used++);

        console_lines_byte(&console_state.lines, id, byte, show);
        line_end = byte == '\n';
    }
    if (console_ring_consume(ring, used))
        end_stall(id);
    return line_end || used == ready;
}

// Reports how many texts print() had to drop, once there is room in the log again.
static bool report_lost(void)
{
    char text[80];
    uint32_t lost = __atomic_load_n(&console_state.lost, __ATOMIC_RELAXED);

    if (lost == 0 || console_log_ready())
        return false;
    size_t length = format(text, sizeof(text), "%u messages lost: the console is too slow\n", lost);

    if (!console_log_write(text, length))
        return false;
    __atomic_fetch_sub(&console_state.lost, lost, __ATOMIC_RELAXED);
    return true;
}

// Shows the focus's unfinished line again, if it was interrupted and its time has come.
static bool show_again(void)
{
    struct console_lines *lines = &console_state.lines;
    unsigned source = console_view_is_alone() ? lines->alone : console_focus();

    // A full-screen picture is not redrawn by one of its lines.
    if (console_view_is_alone() && console_lines_drawn(lines, source))
        return false;
    return console_lines_hidden(lines, source) && console_turn_may_show() &&
           console_lines_show(lines, source);
}

// Resets the terminal state of partitions that have restarted.
static void forget_lives(void)
{
    for (unsigned id = 1; id < console_state.count; id++) {
        if (__atomic_load_n(&console_state.sources[id].restarted, __ATOMIC_RELAXED) &&
            __atomic_exchange_n(&console_state.sources[id].restarted, false, __ATOMIC_RELAXED))
            console_lines_restart(&console_state.lines, id);
    }
}

// Hidden sources don't wait for the device.
static void hide(void)
{
    for (uint32_t left = console_view_hide(); left != 0; left &= left - 1)
        end_stall((unsigned)__builtin_ctz(left));
}

// Gives the line discipline the next input. Returns whether that made, or may have made, output.
static bool feed(void)
{
    if (console_state.turn.current == CONSOLE_LINE_NONE) {
        forget_lives();
        if (console_view_change()) {
            hide();
            return true;
        }
        console_view_tell();
        console_state.turn.current = console_turn_next();
        if (console_state.turn.current == CONSOLE_LINE_NONE)
            return report_lost() || show_again();
        console_state.turn.last = console_state.turn.current;
    }
    bool done = console_state.turn.current == CONSOLE_HYPERVISOR
                    ? show_own()
                    : show_partition(console_state.turn.current);

    if (done)
        console_state.turn.current = CONSOLE_LINE_NONE;
    return true;
}

static void spend(unsigned *budget, unsigned cost)
{
    *budget -= *budget < cost ? *budget : cost;
}

// Puts out what the device takes, for at most `*budget`. Returns false if it stopped before the
// end; an interrupt then continues, if the device has one.
static bool put_out(unsigned *budget)
{
    unsigned room = 0;
    uint8_t byte;

    while (*budget > 0) {
        if (console_mode() != CONSOLE_MODE_RUN)
            return true;
        if (console_lines_empty(&console_state.lines)) {
            spend(budget, COST_TURN);
            if (feed())
                continue;
            disarm_tx_interrupt();
            return true;
        }
        if (room == 0)
            room = console_sink_room(console_state.sink);
        if (room == 0)
            break;
        console_lines_take(&console_state.lines, &byte);
        console_sink_put(console_state.sink, byte);
        room--;
        spend(budget, COST_BYTE);
    }
    arm_tx_interrupt();
    return false;
}

static bool drain_locked(unsigned *budget)
{
    spend(budget, COST_LOOK);
    hide();
    bool finished = put_out(budget);
    unsigned most = *budget > LEAST_GLYPHS ? *budget : LEAST_GLYPHS;

    // Draws once for all output of this drain. A scrolled screen that is not complete by then is
    // finished later.
    if (console_mode() != CONSOLE_MODE_RUN)
        return true;
    unsigned drawn = console_sink_show(most);

    spend(budget, COST_GLYPH * drawn);
    if (finished && drawn == most) {
        arm_tx_interrupt();
        return false;
    }
    return finished;
}

static void want_tick(void)
{
    if (__atomic_exchange_n(&console_state.tick_wanted, 1, __ATOMIC_SEQ_CST) == 0)
        console_state.wakers->ticker();
}

// The sources that have output to show. Output already on its way counts as the hypervisor's.
static uint32_t what_is_left(void)
{
    uint32_t left = console_turn_ready();

    return console_lines_empty(&console_state.lines) && left != 0 ? left
                                                                  : left | 1u << CONSOLE_HYPERVISOR;
}

// No interrupt resumes output to a screen or a polled UART. The ticking CPU resumes it; without
// one, wake the CPUs whose output is pending, so that no partition works long on another's output.
static void continue_later(uint32_t left)
{
    if (console_state.ticker)
        want_tick();
    else
        console_state.wakers->sources(left);
}

void console_drain(void)
{
    unsigned budget = BUDGET;

    if (console_mode() != CONSOLE_MODE_RUN)
        return;
    // The debug port has no interrupt that would continue, but it is always fast. Without any sink
    // the log is still read, to make room in it.
    if (console_state.sink == CONSOLE_SINK_DEBUG_PORT || !console_sink_any(console_state.sink))
        budget = UINT32_MAX;

    __atomic_store_n(&console_state.doorbell, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&console_state.doorbell, __ATOMIC_SEQ_CST) != 0) {
        if (__atomic_exchange_n(&console_state.lock, 1, __ATOMIC_SEQ_CST) != 0)
            return;
        // An exchange, so that everything queued before the bell was rung is visible from here on.
        __atomic_exchange_n(&console_state.doorbell, 0, __ATOMIC_SEQ_CST);
        bool finished = drain_locked(&budget);
        bool waiting = finished && console_state.turn.waiting;
        uint32_t left = finished || console_state.interrupt ? 0 : what_is_left();

        __atomic_store_n(&console_state.lock, 0, __ATOMIC_SEQ_CST);
        // Unfinished: the armed interrupt will call console_drain() again.
        if (left != 0)
            continue_later(left);
        if (!finished)
            return;
        if (waiting)
            want_tick();
    }
}

bool console_tick_wanted(void)
{
    return __atomic_load_n(&console_state.tick_wanted, __ATOMIC_SEQ_CST) != 0;
}

void console_tick(void)
{
    __atomic_exchange_n(&console_state.tick_wanted, 0, __ATOMIC_SEQ_CST);
    console_drain();
}
