// SPDX-License-Identifier: Apache-2.0
// The console's state, shared by the files drivers/console/*.c and by nobody else:
// which word is written and read by whom, in which order.
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
    CONSOLE_MODE_PANIC, // synchronous; the rings stand still
};

// Something that the person at the keyboard asked the hypervisor.
enum console_question {
    CONSOLE_QUESTION_NONE,
    CONSOLE_QUESTION_ASKED,    // the answer is being printed
    CONSOLE_QUESTION_ANSWERED, // ... is in the log, and not all shown
};

struct console_source {
    struct console_ring ring;
    char name[CONSOLE_NAME_SIZE];
    uint32_t dropped; // bytes typed since its input ring became full; console CPU only

    // What happened to the partition. Written by its CPUs, `restarted` cleared by the lock's
    // holder; relaxed: the drain that follows orders them.
    bool ended;
    bool restarted; // what it had made of its screen counts no longer
};

struct console_state {
    const struct console_wakers *wakers; // written once, before any other CPU runs
    enum console_sink sink;              // constant in CONSOLE_MODE_RUN, as are the next two
    bool settled;                        // what is to be the sink has been decided
    bool interrupt; // the sink has an interrupt, which makes a CPU call console_poll()
    unsigned count; // sources, the hypervisor included; constant in CONSOLE_MODE_RUN
    bool ticker;    // somebody calls console_tick(); constant in CONSOLE_MODE_RUN
    struct console_source sources[CONSOLE_SOURCES];

    // Written by the boot CPU (EARLY, RUN) and by a panicking CPU (PANIC), read by all; release
    // and acquire: who sees RUN sees the sources.
    enum console_mode mode;

    // The source that has the keyboard. Written by whoever moves it, read by all; relaxed: the
    // value stands for itself, and a drainer that still sees the old one only shows it later.
    unsigned focus;

    // What is wanted of the view (drivers/console/view.h). Written by the console CPU, the last two
    // also by the lock's holder, read by that; relaxed: the drain that follows orders them.
    bool alone; // the focus alone, instead of all
    enum console_question question;
    bool redraw; // the person has gone on typing to the partition

    // 1 while a CPU drains or prints synchronously. Taken by an exchange; never waited for in RUN,
    // and not for ever in the other modes. Sequentially consistent, with `doorbell`: who finds the
    // lock taken has rung before, the holder looks at the bell after it has given up the lock, so
    // in any order one of the two shows what is new.
    uint32_t lock;

    // 1: there is something new to show. Written to 1 by every CPU that calls console_drain(), to 0
    // by the lock's holder before it looks at the rings.
    uint32_t doorbell;

    // Bit n: console_put() of source n failed. Set by the source's CPUs, cleared by them or by the
    // lock's holder; sequentially consistent with the ring's tail, see console_ring.h.
    uint32_t stalled;

    // Bit n: the stall of source n is over. Set by the lock's holder, taken by any CPU; acquire and
    // release, the taker's caller acts on what the partition has left.
    uint32_t unstalled;

    // Texts of print() that found no room. Any CPU; relaxed, a plain count: the doorbell orders it.
    uint32_t lost;

    // 1: something is held back for a time, so console_tick() is wanted. Set by a CPU that has
    // drained, after it has given up the lock; cleared by console_tick() before it drains.
    // Exchanges: who sets it first wakes the ticker, and what it left is found by the drain that
    // follows.
    uint32_t tick_wanted;

    // These belong to the lock's holder.
    struct console_lines lines;
    struct console_turn turn;
    bool untold;       // it may not have been said how much of hidden sources' output is gone
    bool tx_interrupt; // the transmitter's interrupt is on

    // The console CPU's.
    enum console_key_state keys;
    uint64_t overrun_told; // when it was said that the port lost characters, 0: never
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
