// SPDX-License-Identifier: Apache-2.0
// The log of print(): many writers, on any CPU in any context including NMI, and one reader that
// shows it. No writer ever waits for another: each reserves slots by one atomic step, fills them,
// and marks them. The reader stops at the first slot that is not marked yet. Shown messages stay,
// with time and CPU, until new messages need their memory (drivers/console/history.h).
#ifndef DRIVERS_CONSOLE_LOG_H
#define DRIVERS_CONSOLE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_LOG_SLOT 128u // bytes of memory for one part of a message
#define CONSOLE_LOG_PART 108u // bytes of text in it

// One slot's content: a message, or the next part of a long one.
struct console_log_part {
    uint64_t time; // time_ticks() of the message
    uint16_t cpu;
    uint8_t first; // 1: a message begins here
    uint8_t length;
    char text[CONSOLE_LOG_PART];
};

// Empties the log. Until console_log_grow() it has room for a few dozen messages, in the image.
// Boot CPU, while no other CPU uses it.
void console_log_init(void);

// Moves the log to larger memory, which it keeps: zeroed, `size` a power of two. All messages so
// far become CPU `cpu`'s, whose number was not known before. False if it is not larger. Boot CPU,
// before another CPU runs.
bool console_log_grow(void *memory, size_t size, unsigned cpu);

// Appends a text as one message. False if there is no room for all of it, because messages there
// have not been shown yet; nothing is appended then. Any CPU, any context.
bool console_log_write(const char *text, size_t length);

// Whether messages that have not been shown take more than half of the room. Holder of the output
// lock.
bool console_log_crowded(void);

// Whether console_log_read() would find a byte; and the next byte. Holder of the output lock.
bool console_log_ready(void);
bool console_log_read(uint8_t *byte);

// ---- messages that were shown. Positions count all slots ever used, and wrap ------------------

// The position after the last one that was read to its end. Holder of the output lock.
uint32_t console_log_taken(void);

// How many positions before that one may still be readable.
uint32_t console_log_kept(void);

// Copies the part at a position; false if it was overwritten. Any CPU.
bool console_log_part(uint32_t position, struct console_log_part *copy);

// Count of messages that were overwritten.
uint32_t console_log_overwritten(void);

#endif
