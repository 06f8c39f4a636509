// SPDX-License-Identifier: Apache-2.0
// Whose turn it is to be shown on the console. A turn is a line at most; between turns this decides
// who follows, and who has to wait so that the focus's unfinished line stays in one piece. All of
// it belongs to the holder of the console's output lock.
#ifndef DRIVERS_CONSOLE_TURN_H
#define DRIVERS_CONSOLE_TURN_H

#include <stdbool.h>
#include <stdint.h>

// An unfinished line that has not grown for so long is taken for a prompt: it may be broken, and it
// may be begun although others have something to say.
#define CONSOLE_QUIET_US 50000

// The longest that others wait for the focus to end a line that keeps growing: nobody can hide what
// the others have to say behind a line without an end.
#define CONSOLE_HOLD_US 500000

struct console_turn {
    unsigned current; // source whose turn it is, or CONSOLE_LINE_NONE
    unsigned last;    // source that had the turn before
    bool waiting; // console_turn_next() or console_turn_may_show() held something back for a time

    // Times are those of time_us(); 0: not running.
    unsigned focus;      // the source that the next three are about
    uint32_t focus_head; // what it had ever put when it was last looked at
    uint64_t grown;      // when that was last seen to change
    uint64_t begin_wait; // since when its new line waits for the others'
    uint64_t held;       // since when others wait for the end of its line
    uint64_t others;     // when another source last had a turn
};

void console_turn_init(struct console_turn *turn);

// The source whose turn comes next; CONSOLE_LINE_NONE if there is none now. Clears or sets
// `waiting`.
unsigned console_turn_next(void);

// Bit n: source n has something that may be shown.
uint32_t console_turn_ready(void);

// Whether the focus's broken line may be shown again now that console_turn_next() has found nobody.
// May set `waiting`.
bool console_turn_may_show(void);

#endif
