// SPDX-License-Identifier: Apache-2.0
// A source's output ring: one writer (the partition, under its own lock), one reader (whoever
// holds the console's output lock), and the reader's notion of how much of it may be shown. What
// was taken from it stays until the writer needs the place: that is the source's history.
#ifndef DRIVERS_CONSOLE_RING_H
#define DRIVERS_CONSOLE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An unfinished line of a source without the keyboard is held back until it is this long or the
// room three quarters full, whichever comes first.
#define CONSOLE_RING_HOLD 512

// The most that a writer may be ahead of the reader, in rings of twice that size and more; half of
// a smaller ring. The rest is history.
#define CONSOLE_RING_ROOM 4096

// The most that a screen is drawn again from: several screens of 80 x 24 with colours and cursor
// movements, and 1.4 s of a line of 115200 baud.
#define CONSOLE_RING_AGAIN 16384

struct console_ring {
    uint8_t *bytes; // set before any use by a second CPU
    uint32_t size;  // power of two
    uint32_t room;  // the most between tail and head
    // Bytes ever put. Writer: the partition under its lock; release, after the byte. Reader: the
    // holder of the output lock; acquire, before the byte.
    uint32_t head;
    // Bytes ever taken: shown, or left in the history of a hidden source. Writer: the holder of the
    // output lock; sequentially consistent, after it has read the bytes and before it looks whether
    // the source stalled. Reader: the partition; acquire before it overwrites, sequentially
    // consistent when it looks again after announcing its stall: one of the two sees the other's
    // word, so no stall stays unnoticed. The writer stays below tail + room, so what lies between
    // tail + room - size and head does not change under the reader.
    uint32_t tail;

    // From here on the reader's own. What is shown next: before the tail if the source was hidden,
    // or if its past is shown again.
    uint32_t next;
    uint32_t fresh;  // while `again`: from here on nothing has been shown yet
    uint32_t now;    // while `again`: from here on it is no past any more
    bool again;      // its past is being shown again
    uint32_t oldest; // the first byte of its history, unless that is overwritten
    uint32_t gone;   // bytes that were overwritten before they were shown, and not yet told
    bool cut;        // the beginning of the line that `next` is in was overwritten
    // How far line ends were looked for, where the last one ends, and how far bytes may be shown.
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

// Whether all that was put has been shown.
bool console_ring_all_shown(const struct console_ring *ring);

// Whether what console_ring_ready() last found holds the end of a line.
bool console_ring_has_line(const struct console_ring *ring);

// Whether the writer's room is more than half full.
bool console_ring_crowded(const struct console_ring *ring);

// The byte at `index` after the last one shown; index < console_ring_ready().
uint8_t console_ring_peek(const struct console_ring *ring, uint32_t index);

// The same byte is one that was there when console_ring_rewind() was called.
bool console_ring_is_past(const struct console_ring *ring, uint32_t index);

// `count` bytes have been shown; they are the writer's again. Returns whether a writer that stalled
// should go on: its room is at most half full, or nothing more of it can be shown for now.
bool console_ring_consume(struct console_ring *ring, uint32_t count);

// The source is hidden: its bytes are the writer's again, and stay to be shown later as far as the
// ring holds them. Returns whether there were any.
bool console_ring_hide(struct console_ring *ring);

// The source is hidden no longer: goes on with what has not been shown, from the beginning of a
// line. A second call leaves out nothing more.
void console_ring_resume(struct console_ring *ring);

// Goes back to where the source's screen can be drawn from; console_ring_resume() ends that early.
void console_ring_rewind(struct console_ring *ring);

#endif
