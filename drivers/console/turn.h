// SPDX-License-Identifier: Apache-2.0
// Decides which source's output the console shows next. A turn is at most one line. Between turns
// this chooses the next source, and which ones wait so that the focus's unfinished line stays in
// one piece. All of it belongs to the holder of the console's output lock.
#ifndef DRIVERS_CONSOLE_TURN_H
#define DRIVERS_CONSOLE_TURN_H

#include <stdbool.h>
#include <stdint.h>

// An unfinished line that has not grown for this time counts as a prompt: it may be interrupted,
// and it may be started although other sources have output.
#define CONSOLE_QUIET_US 50000

// The longest time that other sources wait for the focus to end a line that keeps growing. It keeps
// an endless line from hiding the other sources' output.
#define CONSOLE_HOLD_US 500000

struct console_turn {
    unsigned current; // source whose turn it is, or CONSOLE_LINE_NONE
    unsigned last;    // source that had the previous turn
    bool waiting; // console_turn_next() or console_turn_may_show() held something back for a time

    // Times are those of time_us(); 0: not running.
    unsigned focus;      // the source that the next four fields are about
    uint32_t focus_head; // its count of bytes when last checked
    uint64_t grown;      // when that count last changed
    uint64_t begin_wait; // when its new line began to wait for other sources
    uint64_t held;       // when other sources began to wait for the end of its line
    uint64_t others;     // when another source last had a turn
};

void console_turn_init(struct console_turn *turn);

// The source whose turn is next; CONSOLE_LINE_NONE if there is none now. Clears or sets `waiting`.
unsigned console_turn_next(void);

// Bit n: source n has output that may be shown.
uint32_t console_turn_ready(void);

// Whether the focus's interrupted line may be shown again, after console_turn_next() found no
// source. May set `waiting`.
bool console_turn_may_show(void);

#endif
