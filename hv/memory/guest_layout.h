// SPDX-License-Identifier: Apache-2.0
// Where a partition's RAM lies: guest-physical from 0 to 3 GiB at most, the rest from 4 GiB up, in
// host memory of the largest aligned blocks that there are, so that second-level tables map it
// with large pages. Decides only; touches neither the memory nor any table.
//
// A partition whose devices use its addresses as the host's, because no IOMMU translates them, has
// its RAM where the host has free memory at the same addresses: the first MiB, which a PC must
// have and which devices don't reach, then nothing up to `dma_floor`, and from there all the rest.
#ifndef HV_MEMORY_GUEST_LAYOUT_H
#define HV_MEMORY_GUEST_LAYOUT_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/memory/page_alloc.h"

#define GUEST_RAM_REGIONS 64
#define GUEST_RAM_LOW_MAX GIB(3) // RAM below 4 GiB ends here at the latest: then come devices
#define GUEST_RAM_HIGH    GIB(4) // where the rest of the RAM begins
#define GUEST_RAM_MIN     MIB(1) // the first MiB of a PC is always there
#define GUEST_DMA_ALIGN   MIB(2) // of dma_floor: large pages, and kernels want it

// All in bytes, whole 4 KiB pages.
struct guest_ram_region {
    uint64_t gpa;
    uint64_t hpa;
    uint64_t size;
};

struct guest_ram {
    unsigned count;
    uint64_t dma_floor; // from here on each address is the host's own; 0: none need be
    struct guest_ram_region region[GUEST_RAM_REGIONS]; // sorted by gpa, never overlapping
};

// Takes `memory` bytes from the allocator and lays them out. ERR_INVALID: not whole pages, or less
// than GUEST_RAM_MIN. ERR_NO_MEMORY: not enough free, or in too many fragments; everything is
// given back then and `ram` is empty.
enum status guest_ram_allocate(struct guest_ram *ram, struct page_alloc *alloc, uint64_t memory);

// The same for a partition whose devices use its addresses as the host's, at the lowest dma_floor
// that there is. ERR_NO_MEMORY: there is no such piece of memory below GUEST_RAM_LOW_MAX.
enum status guest_ram_allocate_direct(struct guest_ram *ram, struct page_alloc *alloc,
                                      uint64_t memory);

// How much `memory` guest_ram_allocate_direct finds for sure.
uint64_t guest_ram_direct_most(const struct page_alloc *alloc);

// Finds the host address of `gpa`, and how many bytes from there on are contiguous in the host's
// memory within the same region. False if it is no RAM; then neither output is written.
bool guest_ram_lookup(const struct guest_ram *ram, gpa_t gpa, hpa_t *hpa, uint64_t *contiguous);

// Whether a host address lies in it.
bool guest_ram_owns(const struct guest_ram *ram, hpa_t address);

// Gives everything back and empties `ram`. On an error of page_alloc_give, `ram` holds the regions
// that were not given back.
enum status guest_ram_free(struct guest_ram *ram, struct page_alloc *alloc);

#endif
