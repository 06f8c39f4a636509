// SPDX-License-Identifier: Apache-2.0
// A source's output ring: one writer (the partition, under its own lock), one reader (whoever
// holds the console's output lock), and the reader's notion of how much of it may be shown.
#ifndef DRIVERS_CONSOLE_RING_H
#define DRIVERS_CONSOLE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An unfinished line of a source without the keyboard is held back until it is this long or the
// ring three quarters full, whichever comes first.
#define CONSOLE_RING_HOLD 512

struct console_ring {
    uint8_t *bytes; // set before any use by a second CPU
    uint32_t size;  // power of two
    // Bytes ever put. Writer: the partition under its lock; release, after the byte. Reader: the
    // holder of the output lock; acquire, before the byte.
    uint32_t head;
    // Bytes ever taken. Writer: the holder of the output lock; sequentially consistent, after it
    // has read the bytes and before it looks whether the source stalled. Reader: the partition;
    // acquire before it overwrites, sequentially consistent when it looks again after announcing
    // its stall: one of the two sees the other's word, so no stall stays unnoticed.
    uint32_t tail;
    // The reader's own: how far line ends were looked for, where the last one ends, and how far
    // bytes may be shown.
    uint32_t scanned;
    uint32_t line_end;
    uint32_t shown_to;
};

void console_ring_init(struct console_ring *ring, void *bytes, size_t size);

// Writer's side.
bool console_ring_put(struct console_ring *ring, uint8_t byte);
bool console_ring_has_room(const struct console_ring *ring);

// Reader's side. How many bytes may be shown now: all of them if `eager` (the source has the
// keyboard), else whole lines only, but for an unfinished one that is too long to be held back.
uint32_t console_ring_ready(struct console_ring *ring, bool eager);

// Bytes ever put, as console_ring_ready() would see them.
uint32_t console_ring_head(const struct console_ring *ring);

// Whether what console_ring_ready() last found holds the end of a line.
bool console_ring_has_line(const struct console_ring *ring);

// Whether the ring is more than half full.
bool console_ring_crowded(const struct console_ring *ring);

// The byte at `index` after the oldest; index < console_ring_ready().
uint8_t console_ring_peek(const struct console_ring *ring, uint32_t index);

// Gives `count` bytes back to the writer. Returns whether a writer that stalled should go on: the
// ring is at most half full, or nothing more of it can be shown for now.
bool console_ring_consume(struct console_ring *ring, uint32_t count);

#endif
