// SPDX-License-Identifier: Apache-2.0
// The page-table writer: maps and unmaps ranges in a radix tree of any struct pt_format, with the
// largest pages that fit. Tables come from the heap (arch/memory/heap.h) and stay for good, even
// when empty: no CPU or IOMMU can walk one that has become something else.
//
// Every change first counts the tables that it needs and allocates them all. It therefore happens
// as a whole, or leaves the tree as it was. Entries change by single 64-bit stores, so hardware may
// walk the tree meanwhile. Nothing here flushes a TLB or takes a lock: the caller does both.
#ifndef ARCH_MEMORY_PAGING_H
#define ARCH_MEMORY_PAGING_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/memory/pt_format.h"

struct page_table {
    const struct pt_format *format;
    hpa_t root; // of the top table: for CR3, nCR3, EPTP, ...
    // 0: only 4 KiB pages; 1: also 2 MiB; 2: also 1 GiB. Limited by the CPU.
    unsigned max_leaf_level;
};

// A mapping that pt_lookup found.
struct pt_leaf {
    hpa_t pa;       // the physical address for the requested one, with its offset in the page
    unsigned flags; // enum pt_flags
    uint64_t size;  // of the page that maps it, in bytes
};

// Makes an empty tree. Reduces `max_leaf_level` to the largest level that the format has.
// ERR_NO_MEMORY.
enum status pt_create(struct page_table *pt, const struct pt_format *format,
                      unsigned max_leaf_level);

// Maps [va, va + size) to [pa, pa + size). Nothing changes unless it returns STATUS_OK.
// ERR_INVALID: an address or the size is not a multiple of 4 KiB, the size is 0, the range is not
// canonical or beyond the format's reach, the format can't express the flags, or the hypervisor's
// own tables would get a page that is writable and executable. ERR_EXISTS: a part of the range is
// mapped. ERR_NO_MEMORY: no page for a table. ERR_DENIED: the range lies in a table that belongs to
// another tree.
enum status pt_map(struct page_table *pt, uint64_t va, hpa_t pa, uint64_t size, unsigned flags);

// Unmaps [va, va + size), splitting larger pages at the ends. Skips absent parts. Errors as for
// pt_map, except ERR_EXISTS; nothing changes on an error.
enum status pt_unmap(struct page_table *pt, uint64_t va, uint64_t size);

// Finds the page that maps `va`. False if there is none.
bool pt_lookup(const struct page_table *pt, uint64_t va, struct pt_leaf *out);

// Returns the address of the entry of `level` for `va`, a multiple of 4 KiB, for a window: its user
// rewrites the entry directly, with pt_make_leaf or 0. Makes the tables above the entry, splitting
// a larger page there. The address stays valid. NULL: no page for a table, invalid address, the
// entry refers to a table or lies in a table of another tree.
uint64_t *pt_entry(struct page_table *pt, uint64_t va, unsigned level);
uint64_t *pt_entry_4k(struct page_table *pt, uint64_t va);

// The entry that maps a page of pt_level_size(level) at `pa`, which is aligned to that size.
// `flags` as for pt_map, valid for the format. The format must allow leaves at `level`.
uint64_t pt_make_leaf(const struct pt_format *format, unsigned level, hpa_t pa, unsigned flags);

// Lets dst's entry of `level` for `va` (a multiple of 4 KiB) refer to the table that src has there:
// level 3 shares 512 GiB, 2 shares 1 GiB, 1 shares 2 MiB. Both trees see later changes in src. dst
// can't change anything there (ERR_DENIED) and does not free the table. ERR_NOT_FOUND: src has no
// table there yet. ERR_EXISTS: dst has a mapping or a table there. ERR_UNSUPPORTED: the formats
// differ, or can't be shared. ERR_INVALID: address or level. ERR_NO_MEMORY: no page for dst's upper
// tables.
enum status pt_share(struct page_table *dst, const struct page_table *src, uint64_t va,
                     unsigned level);

#endif
