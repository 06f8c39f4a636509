// SPDX-License-Identifier: Apache-2.0
// The ring behind print(): many writers on any CPU in any context, NMI included, one reader. No
// writer ever waits for another: each reserves slots by one atomic step, fills them, and marks
// them; the reader stops at the first slot that isn't marked yet.
#ifndef DRIVERS_CONSOLE_LOG_H
#define DRIVERS_CONSOLE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Empties the log. Boot CPU, while nobody else uses it.
void console_log_init(void);

// Appends a text as one piece. False if there is no room for all of it: then nothing was
// appended. Any CPU, any context.
bool console_log_write(const char *text, size_t length);

// Whether more than half of the room is used. Holder of the output lock.
bool console_log_crowded(void);

// Whether console_log_read() would find a byte; and the next byte. Holder of the output lock.
bool console_log_ready(void);
bool console_log_read(uint8_t *byte);

#endif
