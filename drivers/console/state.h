// SPDX-License-Identifier: Apache-2.0
// The console's state, shared by the files drivers/console/*.c only. Says for each word who writes
// and reads it, in which order.
#ifndef DRIVERS_CONSOLE_STATE_H
#define DRIVERS_CONSOLE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/input.h"
#include "drivers/console/line.h"
#include "drivers/console/ring.h"
#include "drivers/console/sources.h"
#include "drivers/console/turn.h"

struct console_wakers;

enum console_mode {
    CONSOLE_MODE_OFF,   // before console_init(): nothing is shown
    CONSOLE_MODE_EARLY, // synchronous
    CONSOLE_MODE_RUN,   // rings, drained without waiting
    CONSOLE_MODE_PANIC, // synchronous; the rings are not drained
};

// The state of the user's last question to the hypervisor.
enum console_question {
    CONSOLE_QUESTION_NONE,
    CONSOLE_QUESTION_ASKED,    // the answer is being printed
    CONSOLE_QUESTION_ANSWERED, // the answer is in the log, but not all of it was shown
};

struct console_source {
    struct console_ring ring;
    char name[CONSOLE_NAME_SIZE];
    uint32_t dropped; // bytes typed since its input ring became full; only the console CPU

    // Events of the partition. Written by its CPUs; the lock's holder clears `restarted`. Relaxed:
    // the drain that follows orders them.
    bool ended;
    bool restarted; // its earlier screen state is no longer valid
};

struct console_state {
    const struct console_wakers *wakers; // written once, before any other CPU runs
    enum console_sink sink;              // constant in CONSOLE_MODE_RUN, as are the next two
    bool settled;                        // the sink was chosen
    bool interrupt; // the sink has an interrupt, which makes a CPU call console_poll()
    unsigned count; // sources, the hypervisor included; constant in CONSOLE_MODE_RUN
    bool ticker;    // a CPU calls console_tick(); constant in CONSOLE_MODE_RUN
    struct console_source sources[CONSOLE_SOURCES];

    // Written by the boot CPU (EARLY, RUN) and by a panicking CPU (PANIC), read by all. Release and
    // acquire: a CPU that sees RUN sees the sources.
    enum console_mode mode;

    // The source that has the keyboard. Written by the CPU that moves it, read by all. Relaxed: a
    // drainer that still sees the old value only shows the new state later.
    unsigned focus;

    // The requested view (drivers/console/view.h). Written by the console CPU, the last two also by
    // the lock's holder, which reads them. Relaxed: the drain that follows orders them.
    bool alone; // the focus alone, instead of all
    enum console_question question;
    bool redraw; // the user typed to the partition

    // 1 while a CPU drains or prints synchronously. Taken by an exchange. In RUN no CPU waits for
    // it; in the other modes the wait is limited. Sequentially consistent, together with
    // `doorbell`: a CPU that finds the lock taken has rung before, and the holder tests the bell
    // after it released the lock. So in any order one of the two shows what is new.
    uint32_t lock;

    // 1: there is something new to show. Every CPU that calls console_drain() sets it to 1; the
    // lock's holder sets it to 0 before it reads the rings.
    uint32_t doorbell;

    // Bit n: console_put() of source n failed. Set by the source's CPUs, cleared by them or by the
    // lock's holder. Sequentially consistent with the ring's tail, see drivers/console/ring.h.
    uint32_t stalled;

    // Bit n: the stall of source n is over. Set by the lock's holder, taken by any CPU. Acquire and
    // release, because the taker acts on the partition's state.
    uint32_t unstalled;

    // Texts of print() that found no room. Written by any CPU; relaxed, a plain count: the doorbell
    // orders it.
    uint32_t lost;

    // 1: output is held back for a time, so console_tick() is wanted. Set by a CPU that has
    // drained, after it released the lock; cleared by console_tick() before it drains. Exchanges:
    // the CPU that sets it first wakes the ticking CPU, whose drain then finds what was left.
    uint32_t tick_wanted;

    // The lock's holder's.
    struct console_lines lines;
    struct console_turn turn;
    bool untold;       // lost output of hidden sources may not have been reported yet
    bool tx_interrupt; // the transmitter's interrupt is on

    // The console CPU's.
    enum console_key_state keys;
    uint64_t overrun_told; // time of the last report that the port lost characters; 0: never
};

extern struct console_state console_state;

static inline enum console_mode console_mode(void)
{
    return __atomic_load_n(&console_state.mode, __ATOMIC_ACQUIRE);
}

static inline bool console_is_partition(unsigned source)
{
    return source > CONSOLE_HYPERVISOR && source < console_state.count;
}

#endif
