// SPDX-License-Identifier: Apache-2.0
// The output ring of drivers/console_ring.h.
#include "drivers/console_ring.h"

#include "arch/types.h"

void console_ring_init(struct console_ring *ring, void *bytes, size_t size)
{
    *ring = (struct console_ring){.bytes = bytes, .size = (uint32_t)size};
}

bool console_ring_has_room(const struct console_ring *ring)
{
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);

    return head - __atomic_load_n(&ring->tail, __ATOMIC_SEQ_CST) < ring->size;
}

bool console_ring_put(struct console_ring *ring, uint8_t byte)
{
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);

    if (!console_ring_has_room(ring))
        return false;
    ring->bytes[head & (ring->size - 1)] = byte;
    __atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
    return true;
}

uint32_t console_ring_ready(struct console_ring *ring, bool eager)
{
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
    uint32_t hold = (uint32_t)min_u64(CONSOLE_RING_HOLD, ring->size - ring->size / 4);

    for (; ring->scanned != head; ring->scanned++) {
        if (ring->bytes[ring->scanned & (ring->size - 1)] == '\n')
            ring->line_end = ring->shown_to = ring->scanned + 1;
    }
    if (eager || head - ring->shown_to >= hold)
        ring->shown_to = head;
    return ring->shown_to - tail;
}

uint32_t console_ring_head(const struct console_ring *ring)
{
    return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
}

bool console_ring_has_line(const struct console_ring *ring)
{
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
    uint32_t length = ring->line_end - tail;

    // A line end that was taken lies behind the tail; how far behind doesn't matter.
    return length != 0 && length <= ring->scanned - tail;
}

bool console_ring_crowded(const struct console_ring *ring)
{
    return console_ring_head(ring) - __atomic_load_n(&ring->tail, __ATOMIC_RELAXED) >
           ring->size / 2;
}

uint8_t console_ring_peek(const struct console_ring *ring, uint32_t index)
{
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);

    return ring->bytes[(tail + index) & (ring->size - 1)];
}

bool console_ring_consume(struct console_ring *ring, uint32_t count)
{
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_RELAXED) + count;

    __atomic_store_n(&ring->tail, tail, __ATOMIC_SEQ_CST);
    return tail == ring->shown_to ||
           __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) - tail <= ring->size / 2;
}
