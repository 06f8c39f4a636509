// SPDX-License-Identifier: Apache-2.0
// Cuts a partition's RAM into host blocks. Each of its two segments has first the GiB-aligned
// blocks, then the 2 MiB-aligned, then single pages. Segments begin at a GiB, so guest and host
// address of every block agree modulo its alignment, and large pages can map it.
#include "hv/memory/guest_layout.h"

static const uint64_t classes[] = {GIB(1), MIB(2), PAGE_SIZE};

static enum status append(struct guest_ram *ram, uint64_t at, uint64_t host, uint64_t size)
{
    if (ram->count > 0) {
        struct guest_ram_region *last = &ram->region[ram->count - 1];
        if (last->gpa + last->size == at && last->hpa + last->size == host) {
            last->size += size;
            return STATUS_OK;
        }
    }
    if (ram->count == GUEST_RAM_REGIONS) {
        return ERR_NO_MEMORY;
    }
    ram->region[ram->count++] = (struct guest_ram_region){at, host, size};
    return STATUS_OK;
}

static enum status take(struct guest_ram *ram, struct page_alloc *alloc, uint64_t at, uint64_t size,
                        uint64_t align)
{
    hpa_t host;
    enum status s = page_alloc_take(alloc, size, align, 0, &host);
    if (s != STATUS_OK) {
        return s;
    }
    s = append(ram, at, host.v, size);
    if (s != STATUS_OK) {
        // Can't fail: it was taken just before, so there is a slot.
        (void)page_alloc_give(alloc, host, size);
    }
    return s;
}

// Fills [at, at + size) of guest memory. `at` is a multiple of 1 GiB.
static enum status fill(struct guest_ram *ram, struct page_alloc *alloc, uint64_t at, uint64_t size)
{
    // One piece, if there is one that large: one region, and the fewest fragments.
    uint64_t align = size >= GIB(1) ? GIB(1) : size >= MIB(2) ? MIB(2) : PAGE_SIZE;
    if (take(ram, alloc, at, size, align) == STATUS_OK) {
        return STATUS_OK;
    }
    for (unsigned c = 0; c < ARRAY_SIZE(classes); c++) {
        while (size >= classes[c]) {
            uint64_t part =
                min_u64(align_down(size, classes[c]), page_alloc_largest(alloc, classes[c]));
            if (part == 0) {
                break; // no block of this size is left: try smaller ones
            }
            enum status s = take(ram, alloc, at, part, classes[c]);
            if (s != STATUS_OK) {
                return s;
            }
            at += part;
            size -= part;
        }
    }
    return size == 0 ? STATUS_OK : ERR_NO_MEMORY;
}

enum status guest_ram_allocate(struct guest_ram *ram, struct page_alloc *alloc, uint64_t memory)
{
    ram->count = 0;
    ram->dma_floor = 0;
    if (!is_aligned(memory, PAGE_SIZE) || memory < GUEST_RAM_MIN) {
        return ERR_INVALID;
    }
    if (memory > page_alloc_total(alloc)) {
        return ERR_NO_MEMORY;
    }
    uint64_t low = min_u64(memory, GUEST_RAM_LOW_MAX);
    enum status s = fill(ram, alloc, 0, low);
    if (s == STATUS_OK && memory > low) {
        s = fill(ram, alloc, GUEST_RAM_HIGH, memory - low);
    }
    if (s != STATUS_OK) {
        (void)guest_ram_free(ram, alloc);
    }
    return s;
}

enum status guest_ram_allocate_direct(struct guest_ram *ram, struct page_alloc *alloc,
                                      uint64_t memory)
{
    hpa_t floor;
    ram->count = 0;
    ram->dma_floor = 0;
    if (!is_aligned(memory, PAGE_SIZE) || memory <= GUEST_RAM_MIN) {
        return ERR_INVALID;
    }
    uint64_t size = memory - GUEST_RAM_MIN;
    enum status s = page_alloc_take_lowest(alloc, size, GUEST_DMA_ALIGN, GUEST_RAM_LOW_MAX, &floor);
    if (s != STATUS_OK) {
        return s;
    }
    s = take(ram, alloc, 0, GUEST_RAM_MIN, PAGE_SIZE);
    if (s != STATUS_OK) {
        (void)page_alloc_give(alloc, floor, size);
        return s;
    }
    ram->dma_floor = floor.v;
    return append(ram, floor.v, floor.v, size); // the second region, so there is room
}

uint64_t guest_ram_direct_most(const struct page_alloc *alloc)
{
    // The end of that block serves as the first MiB, if there is no other memory for it.
    return page_alloc_largest_below(alloc, GUEST_DMA_ALIGN, GUEST_RAM_LOW_MAX);
}

bool guest_ram_lookup(const struct guest_ram *ram, gpa_t gpa, hpa_t *hpa, uint64_t *contiguous)
{
    for (unsigned i = 0; i < ram->count; i++) {
        const struct guest_ram_region *r = &ram->region[i];
        if (gpa.v < r->gpa) {
            return false; // sorted
        }
        uint64_t offset = gpa.v - r->gpa;
        if (offset < r->size) {
            hpa->v = r->hpa + offset;
            *contiguous = r->size - offset;
            return true;
        }
    }
    return false;
}

bool guest_ram_owns(const struct guest_ram *ram, hpa_t address)
{
    for (unsigned i = 0; i < ram->count; i++) {
        if (address.v - ram->region[i].hpa < ram->region[i].size)
            return true;
    }
    return false;
}

enum status guest_ram_free(struct guest_ram *ram, struct page_alloc *alloc)
{
    while (ram->count > 0) {
        const struct guest_ram_region *r = &ram->region[ram->count - 1];
        enum status s = page_alloc_give(alloc, hpa(r->hpa), r->size);
        if (s != STATUS_OK) {
            return s;
        }
        ram->count--;
    }
    return STATUS_OK;
}
