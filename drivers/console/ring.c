// SPDX-License-Identifier: Apache-2.0
// The output ring of drivers/console/ring.h.
#include "drivers/console/ring.h"

#include "arch/lib/types.h"

#define ESCAPE 0x1b

void console_ring_init(struct console_ring *ring, void *bytes, size_t size)
{
    *ring = (struct console_ring){
        .bytes = bytes,
        .size = (uint32_t)size,
        .room = (uint32_t)min_u64(CONSOLE_RING_ROOM, size / 2),
    };
}

static uint32_t tail_of(const struct console_ring *ring)
{
    return __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
}

static uint8_t at(const struct console_ring *ring, uint32_t position)
{
    return ring->bytes[position & (ring->size - 1)];
}

// Positions wrap, so their distance is compared.
static bool is_before(uint32_t position, uint32_t other)
{
    return (int32_t)(position - other) < 0;
}

static bool has_room(const struct console_ring *ring)
{
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);

    return head - __atomic_load_n(&ring->tail, __ATOMIC_SEQ_CST) < ring->room;
}

bool console_ring_put(struct console_ring *ring, uint8_t byte)
{
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);

    if (!has_room(ring))
        return false;
    ring->bytes[head & (ring->size - 1)] = byte;
    __atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
    return true;
}

uint32_t console_ring_ready(struct console_ring *ring, bool eager)
{
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
    uint32_t hold = (uint32_t)min_u64(CONSOLE_RING_HOLD, ring->room - ring->room / 4);

    for (; ring->scanned != head; ring->scanned++) {
        if (at(ring, ring->scanned) == '\n')
            ring->line_end = ring->shown_to = ring->scanned + 1;
    }
    if (eager || head - ring->shown_to >= hold)
        ring->shown_to = head;
    return ring->shown_to - ring->next;
}

uint32_t console_ring_head(const struct console_ring *ring)
{
    return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
}

bool console_ring_all_shown(const struct console_ring *ring)
{
    return console_ring_head(ring) == ring->next;
}

bool console_ring_has_line(const struct console_ring *ring)
{
    uint32_t length = ring->line_end - ring->next;

    // A line end that was already shown lies before `next`, at any distance.
    return length != 0 && length <= ring->scanned - ring->next;
}

bool console_ring_crowded(const struct console_ring *ring)
{
    return console_ring_head(ring) - tail_of(ring) > ring->room / 2;
}

uint8_t console_ring_peek(const struct console_ring *ring, uint32_t index)
{
    return at(ring, ring->next + index);
}

bool console_ring_is_past(const struct console_ring *ring, uint32_t index)
{
    return ring->again && is_before(ring->next + index, ring->now);
}

bool console_ring_consume(struct console_ring *ring, uint32_t count)
{
    ring->next += count;
    if (ring->again && !is_before(ring->next, ring->now))
        ring->again = false;
    if (is_before(tail_of(ring), ring->next))
        __atomic_store_n(&ring->tail, ring->next, __ATOMIC_SEQ_CST);
    return ring->next == ring->shown_to ||
           console_ring_head(ring) - tail_of(ring) <= ring->room / 2;
}

// Skips everything before a position.
static void leave_out(struct console_ring *ring, uint32_t until)
{
    ring->gone += until - ring->next;
    ring->next = until;
    if (is_before(ring->scanned, until))
        ring->scanned = ring->line_end = until;
    if (is_before(ring->shown_to, until))
        ring->shown_to = until;
}

bool console_ring_hide(struct console_ring *ring)
{
    uint32_t head = console_ring_head(ring);
    uint32_t kept = ring->size - ring->room;

    if (head == tail_of(ring))
        return false;
    // Must come before the writer may overwrite these bytes.
    if (head - ring->next > kept) {
        leave_out(ring, head - kept);
        ring->cut = true;
    }
    __atomic_store_n(&ring->tail, head, __ATOMIC_SEQ_CST);
    return true;
}

void console_ring_resume(struct console_ring *ring)
{
    uint32_t head = console_ring_head(ring);

    if (ring->again && is_before(ring->next, ring->fresh))
        ring->next = ring->fresh;
    ring->again = false;
    if (!ring->cut)
        return;
    uint32_t line = ring->next;

    while (line != head && at(ring, line++) != '\n')
        ;
    leave_out(ring, line);
    ring->cut = false;
}

// ---- the past --------------------------------------------------------------------------------

static bool is_text(const struct console_ring *ring, uint32_t from, uint32_t head, const char *text)
{
    for (; *text != '\0'; text++, from++) {
        if (from == head || at(ring, from) != (uint8_t)*text)
            return false;
    }
    return true;
}

// Whether a sequence there clears the screen (ECMA-48, 8.3.39; xterm's control sequences: the
// alternate screen, RIS).
static bool clears(const struct console_ring *ring, uint32_t from, uint32_t head)
{
    static const char *const texts[] = {"\033[H\033[J", "\033[H\033[0J", "\033[H\033[2J",
                                        "\033[2J",      "\033[?1049h",   "\033c"};

    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        if (is_text(ring, from, head, texts[i]))
            return true;
    }
    return false;
}

// The next beginning of a line or sequence, so that output does not start in the middle of one.
static uint32_t good_begin(const struct console_ring *ring, uint32_t from, uint32_t head)
{
    while (from != head && at(ring, from) != ESCAPE) {
        if (at(ring, from++) == '\n')
            break;
    }
    return from;
}

void console_ring_rewind(struct console_ring *ring)
{
    uint32_t head = console_ring_head(ring);
    uint32_t all = head - (tail_of(ring) + ring->room - ring->size);
    uint32_t from = head - (uint32_t)min_u64(all, CONSOLE_RING_AGAIN);

    if (head - ring->oldest > head - from)
        ring->oldest = from = good_begin(ring, from, head);
    else
        from = ring->oldest;
    for (uint32_t i = from; i != head; i++) {
        if (at(ring, i) == ESCAPE && clears(ring, i, head) &&
            !(i - from >= 3 && is_text(ring, i - 3, head, "\033[H")))
            from = i;
    }
    if (!ring->again || is_before(ring->fresh, ring->next))
        ring->fresh = ring->next;
    ring->next = from;
    ring->now = head;
    ring->again = from != head;
}
