// SPDX-License-Identifier: Apache-2.0
// A source's output ring: one writer (the partition, under its own lock), one reader (the holder of
// the console's output lock), and the reader's state of what may be shown. Bytes that were taken
// stay until the writer needs their place: they are the source's history.
#ifndef DRIVERS_CONSOLE_RING_H
#define DRIVERS_CONSOLE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An unfinished line of a source without the keyboard is held back until it has this length or the
// room is three quarters full, whichever comes first.
#define CONSOLE_RING_HOLD 512

// How far the writer may be ahead of the reader, in rings of at least twice this size; half of a
// smaller ring. The rest is history.
#define CONSOLE_RING_ROOM 4096

// How many bytes of history a screen is redrawn from at most: several screens of 80 x 24 with
// colours and cursor movements, and 1.4 s at 115200 baud.
#define CONSOLE_RING_AGAIN 16384

struct console_ring {
    uint8_t *bytes; // set before a second CPU uses it
    uint32_t size;  // power of two
    uint32_t room;  // most bytes between tail and head
    // Count of bytes ever put. Writer: the partition under its lock; release, after the byte.
    // Reader: the holder of the output lock; acquire, before the byte.
    uint32_t head;
    // Count of bytes ever taken: shown, or left in the history of a hidden source. Writer: the
    // holder of the output lock; sequentially consistent, after it has read the bytes and before it
    // checks whether the source stalled. Reader: the partition; acquire before it overwrites, and
    // sequentially consistent when it checks again after announcing its stall. One of the two sees
    // the other's store, so no stall goes unnoticed. The writer stays below tail + room, so bytes
    // from tail + room - size to head don't change while the reader reads them.
    uint32_t tail;

    // The following fields are the reader's own. `next` is the next byte to show: it is before the
    // tail if the source was hidden, or while its past is shown again.
    uint32_t next;
    uint32_t fresh;  // while `again`: the first byte that has never been shown
    uint32_t now;    // while `again`: the end of the past
    bool again;      // its past is being shown again
    uint32_t oldest; // the first byte of its history, unless it was overwritten
    uint32_t gone;   // bytes overwritten before they were shown, not reported yet
    bool cut;        // the beginning of the line at `next` was overwritten
    // How far line ends were searched, the end of the last line, and how far bytes may be shown.
    uint32_t scanned;
    uint32_t line_end;
    uint32_t shown_to;
};

void console_ring_init(struct console_ring *ring, void *bytes, size_t size);

// Writer's side.
bool console_ring_put(struct console_ring *ring, uint8_t byte);

// Reader's side. How many bytes may be shown now: all if `eager` (the source has the keyboard),
// else whole lines only, or an unfinished line that is too long to hold back.
uint32_t console_ring_ready(struct console_ring *ring, bool eager);

// Count of bytes ever put, as console_ring_ready() would see it.
uint32_t console_ring_head(const struct console_ring *ring);

// Whether all bytes put so far were shown.
bool console_ring_all_shown(const struct console_ring *ring);

// Whether the bytes that console_ring_ready() last found contain a line end.
bool console_ring_has_line(const struct console_ring *ring);

// Whether more than half of the writer's room is used.
bool console_ring_crowded(const struct console_ring *ring);

// The byte at `index` after the last shown one; index < console_ring_ready().
uint8_t console_ring_peek(const struct console_ring *ring, uint32_t index);

// Whether that byte is one from before the last console_ring_rewind().
bool console_ring_is_past(const struct console_ring *ring, uint32_t index);

// `count` bytes were shown, and the writer may use their room. Returns whether a stalled writer
// should continue: at most half of its room is used, or nothing more can be shown for now.
bool console_ring_consume(struct console_ring *ring, uint32_t count);

// The source is hidden: the writer may use the room of all its bytes. They are shown later as far
// as the ring still has them. Returns whether there were any.
bool console_ring_hide(struct console_ring *ring);

// The source is no longer hidden: continues with bytes that were not shown, from the beginning of a
// line. A second call skips nothing more.
void console_ring_resume(struct console_ring *ring);

// Goes back to where the source's screen can be redrawn from; console_ring_resume() ends that
// early.
void console_ring_rewind(struct console_ring *ring);

#endif
