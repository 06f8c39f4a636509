// SPDX-License-Identifier: Apache-2.0
// The log behind print(): many writers on any CPU in any context, NMI included, and one reader that
// shows it. No writer ever waits for another: each reserves slots by one atomic step, fills them,
// and marks them; the reader stops at the first slot that isn't marked yet. What has been shown
// stays, with its time and CPU, until new messages need its place (drivers/console/history.h).
#ifndef DRIVERS_CONSOLE_LOG_H
#define DRIVERS_CONSOLE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_LOG_SLOT 128u // bytes of memory that a part of a message takes
#define CONSOLE_LOG_PART 108u // ... and of its text in that

// One slot's content: a message, or the next part of a long one.
struct console_log_part {
    uint64_t time; // time_ticks() of the message
    uint16_t cpu;
    uint8_t first; // 1: a message begins here
    uint8_t length;
    char text[CONSOLE_LOG_PART];
};

// Empties the log; until console_log_grow() it has room for a few dozen messages in the image. Boot
// CPU, while nobody else uses it.
void console_log_init(void);

// Moves the log to larger memory, which stays the log's: zeroed, `size` a power of two. What is in
// it so far was all said by CPU `cpu`, whose number nobody knew then. False if it is not larger.
// Boot CPU, before another one runs.
bool console_log_grow(void *memory, size_t size, unsigned cpu);

// Appends a text as one message. False if there is no room for all of it, because what is there has
// not been shown yet: then nothing was appended. Any CPU, any context.
bool console_log_write(const char *text, size_t length);

// Whether more than half of the room holds what has not been shown. Holder of the output lock.
bool console_log_crowded(void);

// Whether console_log_read() would find a byte; and the next byte. Holder of the output lock.
bool console_log_ready(void);
bool console_log_read(uint8_t *byte);

// ---- what has been shown. Positions count the slots ever used, and wrap.

// The position after the last one that was read to its end. Holder of the output lock.
uint32_t console_log_taken(void);

// How many positions before that one may still be there.
uint32_t console_log_kept(void);

// Copies what stands at a position; false if it is overwritten. Any CPU.
bool console_log_part(uint32_t position, struct console_log_part *copy);

// Messages ever overwritten.
uint32_t console_log_overwritten(void);

#endif
