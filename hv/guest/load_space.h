// SPDX-License-Identifier: Apache-2.0
// Which parts of a partition's RAM a guest's loader has assigned: to the firmware's tables, to the
// image, and to its files. Every range must be claimed here before it is written.
#ifndef HV_GUEST_LOAD_SPACE_H
#define HV_GUEST_LOAD_SPACE_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

#define LOAD_SPACE_MAX  48
#define LOAD_SPACE_HOLE "a hole without RAM" // name of the range below dma_floor

// Guest-physical, in bytes; `end` is the first address after the range.
struct load_range {
    uint64_t start;
    uint64_t end;
    const char *what; // for messages: "segment"
    int index;        // its number; -1 if there is only one
};

struct load_space {
    uint64_t low_end; // end of RAM below 4 GiB; a hole in it counts as taken
    uint64_t high;    // bytes of RAM from 4 GiB on
    unsigned count;
    struct load_range range[LOAD_SPACE_MAX]; // without overlaps
};

// All RAM of a partition with `memory` bytes is free. `dma_floor` as for guest_low_end().
void load_space_init(struct load_space *space, uint64_t memory, uint64_t dma_floor);

// Whether `size` bytes from `start` on are all RAM, or in the hole below dma_floor, which counts as
// taken.
bool load_space_is_ram(const struct load_space *space, uint64_t start, uint64_t size);

// The first range that overlaps `size` bytes from `start` on, or NULL. The bytes must be RAM.
const struct load_range *load_space_find(const struct load_space *space, uint64_t start,
                                         uint64_t size);

// Takes a range that is RAM and free. ERR_NO_MEMORY if LOAD_SPACE_MAX are taken. An empty range
// takes nothing.
enum status load_space_take(struct load_space *space, uint64_t start, uint64_t size,
                            const char *what, int index);

// Finds the lowest or the highest free place of `size` bytes in the RAM below 4 GiB. The place is a
// multiple of `alignment` (a power of two), not below `min`, and ends at or before `max`. False if
// there is none. Takes nothing.
bool load_space_lowest(const struct load_space *space, uint64_t size, uint64_t alignment,
                       uint64_t min, uint64_t max, uint64_t *start);
bool load_space_highest(const struct load_space *space, uint64_t size, uint64_t alignment,
                        uint64_t min, uint64_t max, uint64_t *start);

#endif
