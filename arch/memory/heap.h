// SPDX-License-Identifier: Apache-2.0
// The hypervisor's heap: one contiguous block of page frames, mapped linearly at HV_HEAP_BASE. Page
// tables, per-CPU areas and the partitions' own structures come from it. Any CPU; not from the NMI
// handler.
#ifndef ARCH_MEMORY_HEAP_H
#define ARCH_MEMORY_HEAP_H

#include "arch/lib/types.h"

// Makes `size` bytes from `base` the heap (both page aligned, contents undefined). `pointer` is the
// address where the block is mapped.
void heap_init(hpa_t base, uint64_t size, void *pointer);

// One zeroed 4 KiB page; .v is 0 when the heap is used up.
hpa_t heap_page_alloc(void);

// `count` contiguous zeroed pages; .v is 0 when there are none.
hpa_t heap_pages_alloc(unsigned count);

void heap_page_free(hpa_t page);
// Frees the pages of heap_pages_alloc(). Each of them can be reused as a single page only.
void heap_pages_free(hpa_t base, unsigned count);

// Pointer to a byte of the heap by its physical address, and back.
void *heap_ptr(hpa_t address);
hpa_t heap_pa(const void *pointer);
bool heap_contains(hpa_t address);

// `size` zeroed bytes, 16-byte aligned, never freed; NULL when the heap is used up.
void *heap_alloc(size_t size);

// Lends `size` zeroed bytes for a short time, in pages of their own; NULL when there are none.
// heap_return() takes them back.
static inline void *heap_borrow(uint64_t size)
{
    hpa_t pages = heap_pages_alloc((unsigned)(align_up(size, PAGE_SIZE) / PAGE_SIZE));
    return pages.v != 0 ? heap_ptr(pages) : NULL;
}

static inline void heap_return(const void *pointer, uint64_t size)
{
    heap_pages_free(heap_pa(pointer), (unsigned)(align_up(size, PAGE_SIZE) / PAGE_SIZE));
}

hpa_t heap_base(void);
uint64_t heap_size(void);
// Bytes in use.
uint64_t heap_used(void);

#endif
