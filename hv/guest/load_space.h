// SPDX-License-Identifier: Apache-2.0
// Which parts of a partition's RAM a guest's loader has given away: to the firmware's tables, to
// the image, to what goes with it. Nothing is put into memory that was not claimed here first.
#ifndef HV_GUEST_LOAD_SPACE_H
#define HV_GUEST_LOAD_SPACE_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

#define LOAD_SPACE_MAX  48
#define LOAD_SPACE_HOLE "a hole without RAM" // what the range below dma_floor is called

// All guest-physical, in bytes; `end` is the first address behind it.
struct load_range {
    uint64_t start;
    uint64_t end;
    const char *what; // for messages: "segment"
    int index;        // its number; -1: there is only one
};

struct load_space {
    uint64_t low_end; // of RAM below 4 GiB, in which a hole counts as taken
    uint64_t high;    // bytes of RAM from 4 GiB on
    unsigned count;
    struct load_range range[LOAD_SPACE_MAX]; // none overlaps another
};

// All RAM of a partition with `memory` bytes, free; see guest_low_end for `dma_floor`.
void load_space_init(struct load_space *space, uint64_t memory, uint64_t dma_floor);

// True if `size` bytes from `start` on are all RAM, or a hole below dma_floor, which is taken.
bool load_space_is_ram(const struct load_space *space, uint64_t start, uint64_t size);

// The range that `size` bytes from `start` on share a byte with, or NULL. They are RAM.
const struct load_range *load_space_find(const struct load_space *space, uint64_t start,
                                         uint64_t size);

// Takes a range, which is RAM and free. ERR_NO_MEMORY: LOAD_SPACE_MAX are taken. An empty one takes
// nothing.
enum status load_space_take(struct load_space *space, uint64_t start, uint64_t size,
                            const char *what, int index);

// Finds the lowest, or the highest, free place of `size` bytes in the RAM below 4 GiB that is a
// multiple of `alignment` (a power of two), not below `min`, and ends at or before `max`. False if
// there is none. Takes nothing.
bool load_space_lowest(const struct load_space *space, uint64_t size, uint64_t alignment,
                       uint64_t min, uint64_t max, uint64_t *start);
bool load_space_highest(const struct load_space *space, uint64_t size, uint64_t alignment,
                        uint64_t min, uint64_t max, uint64_t *start);

#endif
