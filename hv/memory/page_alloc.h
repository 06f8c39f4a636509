// SPDX-License-Identifier: Apache-2.0
// The allocator of physical memory for partitions: a sorted table of free ranges, built at boot
// from the firmware's map. It decides by addresses only and never accesses the memory. The caller
// serialises (boot CPU, or under a lock).
#ifndef HV_MEMORY_PAGE_ALLOC_H
#define HV_MEMORY_PAGE_ALLOC_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "boot/boot_info.h"

#define PAGE_ALLOC_RANGES 512

// Bytes, host-physical.
struct page_range {
    uint64_t base;
    uint64_t size;
};

struct page_alloc {
    unsigned count;
    struct page_range free[PAGE_ALLOC_RANGES]; // sorted, not adjacent, whole pages, none empty
};

// Makes [base, base + size) free, rounded inward to whole pages. It may overlap free memory.
// ERR_INVALID: it runs past the address space. ERR_NO_MEMORY: the table is full; nothing changed.
enum status page_alloc_add(struct page_alloc *alloc, uint64_t base, uint64_t size);

// Makes [base, base + size) unavailable, rounded outward to whole pages. Parts that aren't free are
// skipped. ERR_NO_MEMORY: the table is full; nothing changed.
enum status page_alloc_reserve(struct page_alloc *alloc, uint64_t base, uint64_t size);

// Takes `size` contiguous bytes (rounded up to pages) at a multiple of `align` (a power of two; at
// least 4 KiB is used), all below `below` (exclusive; 0: anywhere). ERR_INVALID: size 0 or a bad
// alignment. ERR_NO_MEMORY: no free range fits, or the table is full.
enum status page_alloc_take(struct page_alloc *alloc, uint64_t size, uint64_t align, uint64_t below,
                            hpa_t *out);

// Like page_alloc_take(), but at the lowest possible address.
enum status page_alloc_take_lowest(struct page_alloc *alloc, uint64_t size, uint64_t align,
                                   uint64_t below, hpa_t *out);

// Gives back what page_alloc_take() returned, or a part of it in whole pages. ERR_INVALID: not
// whole pages. ERR_EXISTS: some of it is free already (a double free). ERR_NO_MEMORY: the table is
// full. On an error nothing changed.
enum status page_alloc_give(struct page_alloc *alloc, hpa_t base, uint64_t size);

// Bytes free.
uint64_t page_alloc_total(const struct page_alloc *alloc);

// Bytes of the largest free block whose start and size are multiples of `align`.
uint64_t page_alloc_largest(const struct page_alloc *alloc, uint64_t align);

// Bytes of the largest free block that starts at a multiple of `align` and is below `below`.
uint64_t page_alloc_largest_below(const struct page_alloc *alloc, uint64_t align, uint64_t below);

// Fills the allocator from the firmware's map: usable memory, without the parts that an entry of
// another kind covers (where entries overlap, the cautious one wins), the first MiB, the modules,
// and the `kept` ranges, such as the hypervisor's image and heap. ERR_NO_MEMORY: the map has more
// pieces than the table. ERR_NOT_FOUND: there is no usable memory.
enum status page_alloc_boot(struct page_alloc *alloc, const struct boot_info *info,
                            const struct page_range *kept, unsigned kept_count);

// Finds a page for the AP trampoline: usable, below 640 KiB, not page 0, in no module and no kept
// range. It doesn't come from the allocator, which excludes the first MiB. ERR_NOT_FOUND: there is
// none.
enum status page_alloc_low_page(const struct boot_info *info, const struct page_range *kept,
                                unsigned kept_count, hpa_t *out);

#endif
