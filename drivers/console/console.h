// SPDX-License-Identifier: Apache-2.0
// The one physical console and its many sources. The hypervisor and each partition write into their
// own rings. A CPU that finds the device free drains them, and none waits for another. The sink is
// a 16550, or an emulator's debug port 0xe9, or nothing; a screen can be added. Without any sink
// all output is dropped, except for messages that the log keeps.
#ifndef DRIVERS_CONSOLE_CONSOLE_H
#define DRIVERS_CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/lib/types.h"
#include "drivers/console/sources.h"
#include "drivers/uart/uart.h"

// The longest text of one print(), in bytes; a longer one is cut and ends in "...".
#define CONSOLE_PRINT_SIZE 512

// What the user asked for with Ctrl-] and a key.
enum console_action {
    CONSOLE_ACTION_COUNTERS = 1u << 0, // c
    CONSOLE_ACTION_LEAVE = 1u << 1,    // q and then y
    CONSOLE_ACTION_HELP = 1u << 2,     // ? (console_poll() has already printed the help)
    CONSOLE_ACTION_ASK = 1u << 3,      // q: the caller prints what y would end
};

// The result of one console_poll().
struct console_events {
    uint32_t input;     // bit n: source n has new bytes for console_get(); kick that partition
    uint32_t actions;   // enum console_action, or-ed
    uint32_t unstalled; // bit n: see console_take_unstalled(); already taken
    uint32_t power;     // bit n: press the power button of source n's partition (s)
};

// What the console asks of other CPUs. Called on any CPU that has drained, without a lock.
struct console_wakers {
    // Makes the ticking CPU check console_tick_wanted(). Also called on that CPU, where it need not
    // do anything.
    void (*ticker)(void);
    // Makes CPUs call console_drain(): for bit n a CPU of source n, for the hypervisor the console
    // CPU. Their output is pending and no interrupt resumes it.
    void (*sources)(uint32_t sources);
};

// From this call on print() writes to the log, and until console_start() also synchronously to the
// sink. At first there is no sink. `wakers` must stay valid for ever. Boot CPU, once; a second call
// starts over.
void console_init(const struct console_wakers *wakers);

// These make a device the sink, and show on it what was printed since console_init(). Each decides
// what the sink is if it finds its device; the last always does. Boot CPU, before console_start()
// and before a screen is added.
bool console_open_uart(const struct uart_place *place, unsigned divisor); // as uart_init()
unsigned console_open_com(void); // the first of COM1 to COM4 that exists; its number, or 0
bool console_open_debug_port(void);
void console_open_none(void);

// Opens any device that it finds, if no sink was chosen yet, so that a fatal message is seen. Boot
// CPU.
void console_open_any(void);

// Whether the sink's interrupt makes a CPU call console_poll(). True for a 16550 unless it is set
// to false here. Without it, output that the device has no room for is resumed by console_tick() if
// there is a ticking CPU, else by the CPUs of the sources that have output. Its input is then read
// only by regular calls of console_poll(). Before console_start(), boot CPU.
void console_set_interrupt(bool on);

// Shows on the screen what was printed since console_init(), and from then on what the other sink
// gets, at that sink's pace. drivers/console/framebuffer.h must have been set up. Before
// console_start(), boot CPU.
void console_add_screen(void);

// Adds a partition and returns its source number, counted from 1 in the order of calls. The number
// is also the partition's digit on the keyboard. `ring` holds its output and its history, `input`
// the typed bytes that it has not read yet; the console keeps both. Sizes are powers of two, 64
// bytes to 1 MiB; the two below suit. Returns 0 for bad arguments, or if no source is left. The
// first source has the keyboard; if it stays the only one, it is at first shown alone
// (drivers/console/view.h). Before console_start(), boot CPU.
#define CONSOLE_RING_SIZE  KIB(32)
#define CONSOLE_INPUT_SIZE KIB(64)
unsigned console_add_source(const char *name, void *ring, size_t size, void *input,
                            size_t input_size);

// Whether a CPU calls console_tick() when the waker asks for it. Only then may lines be held back
// for a time, so that the keyboard's owner also gets whole lines. Off at first. Before
// console_start(), boot CPU.
void console_set_ticker(bool on);

// Gives the log of print() `size` bytes of zeroed memory, a power of two, instead of its small
// initial memory, and moves its contents there. All messages so far count as CPU `cpu`'s. Messages
// stay until new ones need their memory, even after they were shown. False if it is not larger than
// before. Boot CPU, before console_start() and before another CPU runs.
bool console_set_log(void *memory, size_t size, unsigned cpu);

// Ends the synchronous phase: from then on rings are used, drained without waiting. Enables the
// UART's interrupts, so its pin must have been routed before (as an edge-triggered NMI to the CPU
// that calls console_poll()). All CPUs may print() before, during and after this call.
void console_start(void);

// For a hypervisor that panics: from this call on print() writes synchronously, ignoring any lock,
// and the rest of the console stops. First writes what print() had queued. Any CPU, any context.
void console_panic(void);

// Prints on the hypervisor's source, and so into the log with time and CPU; each line gets the
// prefix "[bulkhead] ". Write whole lines ("...\n"). Any CPU, any context, including NMI and
// exceptions. Takes no lock. After console_start() it only waits when the ring is full, by a
// limited number of tries. A text that finds no room is counted, and the loss is reported as soon
// as there is room.
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// While this is on, lines of print() have no prefix, so that a printed file can be copied. Before
// console_start(), boot CPU.
void console_set_bare(bool on);

// Queues one byte of a partition. False: its ring is full and the byte was not taken; the source
// will be in console_take_unstalled() when there is room again. Only the partition's own CPUs,
// under the partition's own lock. Does not show anything: call console_drain() afterwards.
bool console_put(unsigned source, uint8_t byte);

// Shows queued output as far as the device takes it without waiting. If another CPU is doing so
// already, that CPU checks again instead. console_poll() continues with the rest. Any CPU, any
// context; the caller needs no lock. Afterwards see console_take_unstalled().
void console_drain(void);

// Bit n: source n, whose console_put() had failed, has room again. Each is reported once. The
// caller kicks these partitions.
uint32_t console_take_unstalled(void);

// Serves the device: reads its input, interprets the escape key, continues the output. The console
// CPU calls it on every NMI that may be the device's.
struct console_events console_poll(void);

// For the ticking CPU only. True if output is held back for a time: call console_tick() every
// CONSOLE_TICK_US until it is false.
#define CONSOLE_TICK_US 10000
bool console_tick_wanted(void);

// Shows output that was held back, if its time has come. Only the ticking CPU; afterwards see
// console_take_unstalled().
void console_tick(void);

// Takes the next byte typed for a source; false if there is none. Only the partition's own CPUs,
// under the partition's own lock.
bool console_get(unsigned source, uint8_t *byte);

// A partition starts, or restarts: drops its typed bytes that were not read, and the state of its
// screen. Caller as for console_get().
void console_restart(unsigned source);

// A partition has ended for good, so it is no longer shown alone. Any CPU; afterwards see
// console_take_unstalled().
void console_end(unsigned source);

// The source that has the keyboard; 0: none. Any CPU.
unsigned console_focus(void);

// Prints the list of keys. Any CPU.
void console_print_help(void);

#endif
