// SPDX-License-Identifier: Apache-2.0
// The one physical console and its many sources: the hypervisor and each partition write into
// rings of their own, whoever finds the device free drains them, and nobody waits for another.
// The sink is a 16550, or the debug port 0xe9 of an emulator, or nothing; and a screen, if one is
// added. Without any all is swallowed, but for what the log keeps.
#ifndef DRIVERS_CONSOLE_CONSOLE_H
#define DRIVERS_CONSOLE_CONSOLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/lib/types.h"
#include "drivers/console/sources.h"
#include "drivers/uart/uart.h"

// The longest text of one print() in bytes; more is cut off and ends in "...".
#define CONSOLE_PRINT_SIZE 512

// What the person at the keyboard asked for, by Ctrl-] and a key.
enum console_action {
    CONSOLE_ACTION_COUNTERS = 1u << 0, // c
    CONSOLE_ACTION_LEAVE = 1u << 1,    // q and then y
    CONSOLE_ACTION_HELP = 1u << 2,     // ?  (console_poll() has printed the help already)
    CONSOLE_ACTION_ASK = 1u << 3,      // q: the caller prints what y would end
};

// What one console_poll() found.
struct console_events {
    uint32_t input;     // bit n: source n has new bytes for console_get(); kick that partition
    uint32_t actions;   // enum console_action, or-ed
    uint32_t unstalled; // bit n: see console_take_unstalled(); taken already
    uint32_t power;     // bit n: press the power button of source n's partition (s)
};

// What the console asks of other CPUs. Called on any CPU that has drained, no lock is held.
struct console_wakers {
    // Makes the ticker's CPU look at console_tick_wanted(); also on that CPU, where there is
    // nothing to be done.
    void (*ticker)(void);
    // Makes the CPUs of these sources call console_drain() (bit n: a CPU of source n; the
    // hypervisor's is the console CPU), because one that drained has left something that no
    // interrupt continues.
    void (*sources)(uint32_t sources);
};

// From here on print() writes to the log, and synchronously to the sink until console_start().
// There is none at first. `wakers` stay the caller's, for good. Boot CPU, once; a second call
// starts over.
void console_init(const struct console_wakers *wakers);

// Makes a device the sink, and shows there what has been printed since console_init(). Each settles
// what the sink is, if it finds its device; the last one always does. Before console_start(), boot
// CPU, before a screen is added.
bool console_open_uart(const struct uart_place *place, unsigned divisor); // as uart_init()
unsigned console_open_com(void); // the first that there is of COM1 to COM4; its number, or 0
bool console_open_debug_port(void);
void console_open_none(void);

// As one of the above, whatever there is, if nothing has been settled yet: whoever is about to give
// up must be seen. Boot CPU.
void console_open_any(void);

enum console_sink console_sink(void);

// Whether the sink's interrupt makes a CPU call console_poll(): true for a 16550 unless this says
// otherwise. Without, what it has no room for is left to console_tick() where there is a ticker,
// else to the CPUs of those who say something; and whoever wants its input calls console_poll() by
// the clock. Before console_start(), boot CPU.
void console_set_interrupt(bool on);

// Shows on the screen (drivers/console/framebuffer.h, which has been set up) what has been printed
// since console_init(), and from here on what the other sink is given, at its pace. Before
// console_start(), boot CPU.
void console_add_screen(void);

// Adds a partition and returns its source number, counted from 1 in the order of calls: the
// number is also its digit on the keyboard. `ring` is for its output and its history, `input` for
// what is typed and not yet read; they stay the console's. Sizes are powers of two, 64 bytes to
// 1 MiB; those below are good ones. 0 if the arguments are bad or no source is left. Before
// console_start(), boot CPU. The first source added has the keyboard; if no other follows it is
// seen alone at first (drivers/console/view.h).
#define CONSOLE_RING_SIZE  KIB(32)
#define CONSOLE_INPUT_SIZE KIB(64)
unsigned console_add_source(const char *name, void *ring, size_t size, void *input,
                            size_t input_size);

// Whether a CPU will call console_tick() when the waker asks for it: only then may
// lines be held back for a time, so that the keyboard's owner is read in whole lines too. Off at
// first. Before console_start(), boot CPU.
void console_set_ticker(bool on);

// Gives the log of print() `size` bytes of zeroed memory, a power of two, in place of the little
// that it has at first, and moves what it holds there; CPU `cpu` said all that. Messages are kept
// until the memory is needed for new ones, however often they have been shown. False if it is no
// more than there was. Before console_start(), boot CPU, before another one runs.
bool console_set_log(void *memory, size_t size, unsigned cpu);

// Ends the synchronous phase: from here on rings, drained without waiting. Enables the UART's
// interrupts, so its pin must have been routed (as edge-triggered NMI to the CPU that calls
// console_poll()). All CPUs may print() before, during and after.
void console_start(void);

// For a dying hypervisor: from here on print() writes synchronously, over any lock, and
// everything else of the console stands still. What print() had queued is written first. Any
// CPU, any context.
void console_panic(void);

// Prints on the hypervisor's source, and so into the log, with time and CPU; each line gets the
// prefix "[bulkhead] ". Write whole lines
// ("...\n"). Any CPU, any context, NMI and exceptions included; takes no lock and, after
// console_start(), waits for nothing but a bounded try when the ring is full. A text that finds no
// room is counted, and the loss is told as soon as there is room.
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

// While on, lines of print() have no prefix, so that a file that is shown can be copied. Before
// console_start(), boot CPU.
void console_set_bare(bool on);

// Queues one byte of a partition. False: its ring is full, the byte was not taken, and the source
// will be in console_take_unstalled() when there is room again. Only the partition's own CPUs,
// under the partition's own lock. Shows nothing by itself: call console_drain() after it.
bool console_put(unsigned source, uint8_t byte);

// True if the next console_put() of this source will succeed. Caller as for console_put(). Does
// not announce a stall.
bool console_can_put(unsigned source);

// Shows what is queued, as far as the device takes it without waiting, unless another CPU is
// doing so, which then looks again. What is left is continued from console_poll(). Any CPU, any
// context, no lock of the caller's is needed. Afterwards see console_take_unstalled().
void console_drain(void);

// Bit n: source n, whose console_put() had failed, has room again; each is reported once. The
// caller tells (kicks) these partitions.
uint32_t console_take_unstalled(void);

// Serves the device: takes its input, interprets the escape key, continues the output. Called by
// the console CPU on every NMI that may be the device's.
struct console_events console_poll(void);

// The ticker's side. True if something is held back for a time: console_tick() should be called
// every CONSOLE_TICK_US until it isn't. Only the ticker's CPU.
#define CONSOLE_TICK_US 10000
bool console_tick_wanted(void);

// Shows what was held back, if its time has come. Only the ticker's CPU; afterwards see
// console_take_unstalled().
void console_tick(void);

// Takes the next byte typed for a source; false if there is none. Only the partition's own CPUs,
// under the partition's own lock.
bool console_get(unsigned source, uint8_t *byte);

// True if console_get() would find a byte. Caller as for console_get().
bool console_has_input(unsigned source);

// A partition starts, or starts again: drops what was typed for it and not yet read, and what it
// had made of its screen. Caller as for console_get().
void console_restart(unsigned source);

// A partition has ended for good: it is seen alone no longer. Any CPU; afterwards see
// console_take_unstalled().
void console_end(unsigned source);

// The source that has the keyboard; 0: none. Any CPU.
unsigned console_focus(void);

// Gives the keyboard to a partition and prints so. Ignored if there is no such source. Any CPU.
void console_set_focus(unsigned source);

// Prints which keys there are. Any CPU.
void console_print_help(void);

#endif
