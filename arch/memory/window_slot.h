// SPDX-License-Identifier: Apache-2.0
// The parts of the per-CPU window as inline functions: for arch/memory/window.c, and for reading
// words without a call (an emulated instruction reads about six). The code that maps a slot unmaps
// it right after the access. Not for code that is tested on the host.
#ifndef ARCH_MEMORY_WINDOW_SLOT_H
#define ARCH_MEMORY_WINDOW_SLOT_H

#include "arch/cpu/cpu.h"
#include "arch/lib/types.h"
#include "arch/memory/mmu.h"
#include "arch/memory/percpu.h"

enum window_slot { SLOT_FROM, SLOT_TO }; // SLOT_FROM is at PERCPU_WINDOW itself

#define PTE_WINDOW (BIT(63) | BIT(6) | BIT(5) | BIT(1) | BIT(0)) // NX, D, A, W, P

extern bool window_in_use; // window_ready() was called; never becomes false again

// Maps a page by a ready-made entry (its address | PTE_WINDOW). Only after window_ready().
static inline const uint8_t *window_open(enum window_slot slot, uint64_t entry)
{
    this_cpu()->window[slot] = entry;
    return (const uint8_t *)(PERCPU_WINDOW + (uint64_t)slot * PAGE_SIZE);
}

static inline void window_close(enum window_slot slot)
{
    this_cpu()->window[slot] = 0;
    invlpg(PERCPU_WINDOW + (uint64_t)slot * PAGE_SIZE);
}

static inline uint8_t *window_map(enum window_slot slot, uint64_t address)
{
    if (!window_in_use) {
        return mmu_boot_window(slot, address);
    }
    uint64_t va = PERCPU_WINDOW + (uint64_t)slot * PAGE_SIZE;
    this_cpu()->window[slot] = (address & ~PAGE_MASK) | PTE_WINDOW;
    return (uint8_t *)(va + (address & PAGE_MASK));
}

static inline void window_unmap(enum window_slot slot)
{
    if (window_in_use) {
        window_close(slot);
    }
}

// Reads for a running guest. They come after window_ready(), so they don't check it. The compiler
// keeps the order of mapping, reading and unmapping, because it must assume that `slot` points into
// the memory that is read.

// One aligned or unaligned 8-byte word that does not cross a page, for the guest page walk.
static inline uint64_t phys_read_u64(hpa_t address)
{
    uint64_t *slot = &this_cpu()->window[SLOT_FROM];
    uint64_t value;
    *slot = (address.v & ~PAGE_MASK) | PTE_WINDOW;
    __builtin_memcpy(&value, (const void *)(PERCPU_WINDOW + (address.v & PAGE_MASK)),
                     sizeof(value));
    *slot = 0;
    invlpg(PERCPU_WINDOW);
    return value;
}

// 15 bytes that do not cross a page, read as two words that overlap in one byte.
static inline void phys_read_15(hpa_t address, uint8_t *buffer)
{
    uint64_t *slot = &this_cpu()->window[SLOT_FROM];
    const uint8_t *from = (const uint8_t *)(PERCPU_WINDOW + (address.v & PAGE_MASK));
    uint64_t first, last;
    *slot = (address.v & ~PAGE_MASK) | PTE_WINDOW;
    __builtin_memcpy(&first, from, sizeof(first));
    __builtin_memcpy(&last, from + 7, sizeof(last));
    *slot = 0;
    invlpg(PERCPU_WINDOW);
    __builtin_memcpy(buffer, &first, sizeof(first));
    __builtin_memcpy(buffer + 7, &last, sizeof(last));
}

#endif
