// SPDX-License-Identifier: Apache-2.0
// Where a partition's RAM is: guest-physical from 0 to at most 3 GiB, the rest from 4 GiB up. Host
// memory is taken in the largest aligned blocks available, so that second-level tables map it with
// large pages. Decides only: accesses neither the memory nor any table.
//
// Without an IOMMU, a partition's devices use guest addresses as host addresses. Such a partition
// has its RAM at equal guest and host addresses from `dma_floor` on. Below that it has only the
// first MiB, which a PC must have and which devices don't access.
#ifndef HV_MEMORY_GUEST_LAYOUT_H
#define HV_MEMORY_GUEST_LAYOUT_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/memory/page_alloc.h"

#define GUEST_RAM_REGIONS 64
#define GUEST_RAM_LOW_MAX GIB(3) // RAM below 4 GiB ends here or before; devices follow
#define GUEST_RAM_HIGH    GIB(4) // where the rest of the RAM begins
#define GUEST_RAM_MIN     MIB(1) // the first MiB of a PC, which is always there
#define GUEST_DMA_ALIGN   MIB(2) // alignment of dma_floor, for large pages and for kernels

// In bytes, whole 4 KiB pages.
struct guest_ram_region {
    uint64_t gpa;
    uint64_t hpa;
    uint64_t size;
};

struct guest_ram {
    unsigned count;
    uint64_t dma_floor; // from here on guest and host addresses are equal; 0: they need not be
    struct guest_ram_region region[GUEST_RAM_REGIONS]; // sorted by gpa, without overlaps
};

// Takes `memory` bytes from the allocator and lays them out. ERR_INVALID: not whole pages, or less
// than GUEST_RAM_MIN. ERR_NO_MEMORY: not enough free, or in too many fragments; then everything is
// given back and `ram` is empty.
enum status guest_ram_allocate(struct guest_ram *ram, struct page_alloc *alloc, uint64_t memory);

// The same for a partition whose devices use guest addresses as host addresses, at the lowest
// possible dma_floor. ERR_NO_MEMORY: no such piece of memory is below GUEST_RAM_LOW_MAX.
enum status guest_ram_allocate_direct(struct guest_ram *ram, struct page_alloc *alloc,
                                      uint64_t memory);

// The largest `memory` with which guest_ram_allocate_direct() surely succeeds.
uint64_t guest_ram_direct_most(const struct page_alloc *alloc);

// Finds the host address of `gpa`, and how many bytes from there on are contiguous in host memory
// within the region. False if it is not RAM; then no output is written.
bool guest_ram_lookup(const struct guest_ram *ram, gpa_t gpa, hpa_t *hpa, uint64_t *contiguous);

// Whether a host address belongs to this RAM.
bool guest_ram_owns(const struct guest_ram *ram, hpa_t address);

// Bytes of RAM.

// Gives everything back and empties `ram`. If page_alloc_give() fails, `ram` keeps the regions that
// were not given back.
enum status guest_ram_free(struct guest_ram *ram, struct page_alloc *alloc);

#endif
