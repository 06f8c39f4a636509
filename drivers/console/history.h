// SPDX-License-Identifier: Apache-2.0
// What the log holds of messages that have been shown: read again for a console that comes up
// later, or shown again with time and CPU for the person at the keyboard.
#ifndef DRIVERS_CONSOLE_HISTORY_H
#define DRIVERS_CONSOLE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/log.h"

#define CONSOLE_HISTORY_STAMP 32 // longest text before a line: time and CPU

// A reader of the past, up to where the log had been shown when it began.
struct console_history {
    uint32_t next, end; // positions in the log
    bool stamps;
    bool line_start;
    uint8_t at, length; // of `out`
    struct console_log_part part;
    uint32_t part_at;
    char out[96];
};

// Begins with the last `lines` lines, 0: with all that is left. `stamps`: "seconds.microseconds CPU
// n: " stands before each line. If messages are gone, or with stamps, a line says so first. Holder
// of the output lock, like all that follows.
void console_history_begin(struct console_history *history, unsigned lines, bool stamps);

// The next byte; false at the end. The last line always ends. What is overwritten meanwhile is
// left out.
bool console_history_read(struct console_history *history, uint8_t *byte);

// ---- the hypervisor's source on the console: the log, and between its messages what is repeated

// Empties both. Boot CPU.
void console_own_init(void);

// Asks for the last `lines` lines once more, with stamps. Any CPU; the next drain shows them.
void console_own_repeat(unsigned lines);

// As console_log_ready() and console_log_read(). Holder of the output lock.
bool console_own_ready(void);
bool console_own_read(uint8_t *byte);

#endif
