// SPDX-License-Identifier: Apache-2.0
// The list of claimed ranges. Only arithmetic.
#include "hv/guest/load_space.h"

#include "hv/guest/e820.h"

void load_space_init(struct load_space *space, uint64_t memory, uint64_t dma_floor)
{
    space->low_end = guest_low_end(memory, dma_floor);
    space->high = guest_high_ram(memory, dma_floor);
    space->count = 0;
    if (dma_floor != 0) {
        space->range[space->count++] =
            (struct load_range){GUEST_FIRMWARE_END, dma_floor, LOAD_SPACE_HOLE, -1};
    }
}

bool load_space_is_ram(const struct load_space *space, uint64_t start, uint64_t size)
{
    const uint64_t low = space->low_end;
    const uint64_t high = space->high;

    if (start < GUEST_RAM_HIGH) {
        return start <= low && size <= low - start;
    }
    return start - GUEST_RAM_HIGH <= high && size <= high - (start - GUEST_RAM_HIGH);
}

const struct load_range *load_space_find(const struct load_space *space, uint64_t start,
                                         uint64_t size)
{
    if (size == 0) {
        return NULL;
    }
    for (unsigned i = 0; i < space->count; i++) {
        const struct load_range *r = &space->range[i];

        if (start < r->end && r->start < start + size) {
            return r;
        }
    }
    return NULL;
}

enum status load_space_take(struct load_space *space, uint64_t start, uint64_t size,
                            const char *what, int index)
{
    if (size == 0) {
        return STATUS_OK;
    }
    if (space->count == LOAD_SPACE_MAX) {
        return ERR_NO_MEMORY;
    }
    space->range[space->count++] = (struct load_range){start, start + size, what, index};
    return STATUS_OK;
}

bool load_space_lowest(const struct load_space *space, uint64_t size, uint64_t alignment,
                       uint64_t min, uint64_t max, uint64_t *start)
{
    const uint64_t limit = min_u64(max, space->low_end);
    uint64_t at = min;

    // Each round moves up past a claimed range, so the loop ends.
    for (;;) {
        const struct load_range *r;

        if (at > limit) {
            return false; // also keeps align_up() from overflowing: the limit is below 4 GiB
        }
        at = align_up(at, alignment);
        if (at > limit || size > limit - at) {
            return false;
        }
        r = load_space_find(space, at, size);
        if (r == NULL) {
            *start = at;
            return true;
        }
        at = r->end;
    }
}

bool load_space_highest(const struct load_space *space, uint64_t size, uint64_t alignment,
                        uint64_t min, uint64_t max, uint64_t *start)
{
    uint64_t end = min_u64(max, space->low_end);

    // Each round moves down past a claimed range, so the loop ends.
    for (;;) {
        const struct load_range *r;
        uint64_t at;

        if (size > end) {
            return false;
        }
        at = align_down(end - size, alignment);
        if (at < min) {
            return false;
        }
        r = load_space_find(space, at, size);
        if (r == NULL) {
            *start = at;
            return true;
        }
        end = r->start;
    }
}
