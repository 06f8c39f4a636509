// SPDX-License-Identifier: Apache-2.0
// The page-table writer: maps, unmaps and protects ranges in a radix tree of any struct pt_format,
// with the largest pages that fit. Tables come from the heap (arch/memory/heap.h).
//
// Every change first counts the tables that it needs and takes them all, so it either happens
// whole or leaves the tree as it was. Entries change by single 64-bit stores, so hardware may walk
// the tree meanwhile. Nothing here flushes a TLB, and nothing locks: the caller does both.
#ifndef ARCH_MEMORY_PAGING_H
#define ARCH_MEMORY_PAGING_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/memory/pt_format.h"

struct page_table {
    const struct pt_format *format;
    hpa_t root;              // of the top table: CR3, nCR3, EPTP, ... take it
    unsigned max_leaf_level; // 0: 4 KiB pages only, 1: 2 MiB too, 2: 1 GiB too, as the CPU can
    unsigned pages;          // heap pages held: tables, and those that wait for pt_reclaim
    hpa_t retired;           // list of emptied tables that a TLB may still refer to
};

// A mapping as pt_lookup finds it.
struct pt_leaf {
    hpa_t pa;       // where the address asked for leads to, offset within the page included
    unsigned flags; // enum pt_flags
    uint64_t size;  // of the page that maps it, in bytes
};

// Makes an empty tree. A larger `max_leaf_level` than the format knows is cut to the format's.
// ERR_NO_MEMORY.
enum status pt_create(struct page_table *pt, const struct pt_format *format,
                      unsigned max_leaf_level);

// Maps [va, va + size) to [pa, pa + size). Nothing changes unless it returns STATUS_OK.
// ERR_INVALID: not multiples of 4 KiB, size 0, not canonical or beyond the format's reach, flags
// that the format can't express, writable and executable in the hypervisor's own tables.
// ERR_EXISTS: something there is mapped. ERR_NO_MEMORY: no page for a table.
// ERR_DENIED: the range lies in a table that belongs to another tree.
enum status pt_map(struct page_table *pt, uint64_t va, hpa_t pa, uint64_t size, unsigned flags);

// Unmaps what is mapped in [va, va + size), splitting larger pages at the ends; absent parts are
// skipped. Emptied tables are kept aside until pt_reclaim, because CPUs may still have them in
// their paging-structure caches. Errors as pt_map, without ERR_EXISTS; nothing changed on error.
enum status pt_unmap(struct page_table *pt, uint64_t va, uint64_t size);

// Gives what is mapped in [va, va + size) the permissions and memory type `flags`, splitting
// larger pages at the ends; absent parts are skipped. Errors as pt_unmap.
enum status pt_protect(struct page_table *pt, uint64_t va, uint64_t size, unsigned flags);

// Frees the tables that pt_unmap emptied. To be called once every CPU and IOMMU that uses the tree
// has flushed its TLB.
void pt_reclaim(struct page_table *pt);

// Finds what maps `va`. False if nothing does.
bool pt_lookup(const struct page_table *pt, uint64_t va, struct pt_leaf *out);

// Makes the tables down to the entry of `level` for `va`, a multiple of 4 KiB (splitting a larger
// page there), and returns the entry's address, for a window whose entry is rewritten directly with
// pt_make_leaf or 0. The address stays valid until pt_destroy: those tables are kept even when
// empty. NULL: no page for a table, address invalid, the entry refers to a table, or it lies in one
// of another tree, or the format has no pinned_bit (IOMMUs).
uint64_t *pt_entry(struct page_table *pt, uint64_t va, unsigned level);
uint64_t *pt_entry_4k(struct page_table *pt, uint64_t va);

// The entry that maps a page of pt_level_size(level) at `pa`, aligned to it. `flags` as for pt_map,
// valid for the format; `level` one that may hold leaves.
uint64_t pt_make_leaf(const struct pt_format *format, unsigned level, hpa_t pa, unsigned flags);

// Frees every table that the tree owns. No CPU or IOMMU may use it any more. The trees that share
// its tables must be destroyed before.
void pt_destroy(struct page_table *pt);

// Heap pages that the tree holds: its root, its tables, and those that wait for pt_reclaim.
unsigned pt_table_pages(const struct page_table *pt);

// Lets dst's entry of `level` for `va` (a multiple of 4 KiB) refer to the table that src has there:
// 3 shares 512 GiB, 2 shares 1 GiB, 1 shares 2 MiB. Later changes in src are seen by both, and dst
// can't change anything there (ERR_DENIED), nor frees it. ERR_NOT_FOUND: src has no table there
// yet. ERR_EXISTS: dst maps something there or has a table. ERR_UNSUPPORTED: formats that can't be
// shared, or differ. ERR_INVALID: address or level. ERR_NO_MEMORY: no page for dst's tables above.
enum status pt_share(struct page_table *dst, const struct page_table *src, uint64_t va,
                     unsigned level);

#endif
