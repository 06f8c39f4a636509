// SPDX-License-Identifier: Apache-2.0
// Log messages that were already shown: read again for a console that is opened later, or shown
// again with time and CPU for the user.
#ifndef DRIVERS_CONSOLE_HISTORY_H
#define DRIVERS_CONSOLE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/log.h"

// A reader of the log's past, from some message to the last one shown when it began.
struct console_history {
    uint32_t next, end; // positions in the log
    bool stamps;
    bool line_start;
    uint8_t at, length; // of `out`
    struct console_log_part part;
    uint32_t part_at;
    char out[96];
};

// Starts with the last `lines` lines; 0: with all that remain. `stamps`: each line starts with
// "seconds.microseconds CPU n: ". If messages were overwritten, or with stamps, a line says so
// first. Holder of the output lock, like the functions below.
void console_history_begin(struct console_history *history, unsigned lines, bool stamps);

// The next byte; false at the end. Completes the last line with a line end. Skips what is
// overwritten meanwhile.
bool console_history_read(struct console_history *history, uint8_t *byte);

// ---- the hypervisor's source: the log, and between its messages what is repeated -------------

// Empties both. Boot CPU.
void console_own_init(void);

// Requests the last `lines` lines again, with stamps. Any CPU; the next drain shows them.
void console_own_repeat(unsigned lines);

// Like console_log_ready() and console_log_read(). Holder of the output lock.
bool console_own_ready(void);
bool console_own_read(uint8_t *byte);

#endif
