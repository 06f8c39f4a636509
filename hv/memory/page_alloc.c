// SPDX-License-Identifier: Apache-2.0
// The sorted table of free ranges, and the policy that decides where an allocation is taken from.
// The functions at the end build the table from the firmware's map. Relies on nothing but
// addresses.
#include "hv/memory/page_alloc.h"

#include "arch/lib/string.h"

#define ADDRESS_END  BIT(52) // physical addresses are below this
#define LOW_END      MIB(1)
#define LOW_RAM_END  KIB(640)
#define LOW_RAM_EBDA KIB(512) // above it is the extended BIOS data area, reported or not

static uint64_t end_of(const struct page_range *r)
{
    return r->base + r->size;
}

// Index of the first free range that ends above `address`.
static unsigned find(const struct page_alloc *alloc, uint64_t address)
{
    unsigned low = 0;
    unsigned high = alloc->count;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (end_of(&alloc->free[mid]) > address) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return low;
}

// Replaces `old_count` ranges from `index` by `new_count` (at most 2).
static enum status replace(struct page_alloc *alloc, unsigned index, unsigned old_count,
                           const struct page_range *new, unsigned new_count)
{
    if (alloc->count - old_count + new_count > PAGE_ALLOC_RANGES) {
        return ERR_NO_MEMORY;
    }
    struct page_range *at = &alloc->free[index];
    memmove(at + new_count, at + old_count,
            (alloc->count - index - old_count) * sizeof(struct page_range));
    memcpy(at, new, new_count * sizeof(struct page_range));
    alloc->count = alloc->count - old_count + new_count;
    return STATUS_OK;
}

// Adds [base, end) to the table, merged with all ranges that it overlaps or touches.
static enum status insert(struct page_alloc *alloc, uint64_t base, uint64_t end)
{
    // Also finds a range that ends at `base`.
    unsigned first = find(alloc, base == 0 ? 0 : base - 1);
    unsigned last = first;
    while (last < alloc->count && alloc->free[last].base <= end) {
        base = min_u64(base, alloc->free[last].base);
        end = max_u64(end, end_of(&alloc->free[last]));
        last++;
    }
    struct page_range merged = {base, end - base};
    return replace(alloc, first, last - first, &merged, 1);
}

// Removes [base, end) from the table, as far as it is there.
static enum status carve(struct page_alloc *alloc, uint64_t base, uint64_t end)
{
    unsigned first = find(alloc, base);
    unsigned last = first;
    struct page_range left[2];
    unsigned count = 0;
    while (last < alloc->count && alloc->free[last].base < end) {
        const struct page_range *r = &alloc->free[last++];
        if (r->base < base) {
            left[count++] = (struct page_range){r->base, base - r->base};
        }
        if (end_of(r) > end) {
            left[count++] = (struct page_range){end, end_of(r) - end};
        }
    }
    return replace(alloc, first, last - first, left, count);
}

enum status page_alloc_add(struct page_alloc *alloc, uint64_t base, uint64_t size)
{
    if (base > ADDRESS_END || size > ADDRESS_END - base) {
        return ERR_INVALID;
    }
    uint64_t start = align_up(base, PAGE_SIZE);
    uint64_t end = align_down(base + size, PAGE_SIZE);
    return start < end ? insert(alloc, start, end) : STATUS_OK;
}

// A range that runs past the last address reserves everything up to it.
enum status page_alloc_reserve(struct page_alloc *alloc, uint64_t base, uint64_t size)
{
    if (base >= ADDRESS_END || size == 0) {
        return STATUS_OK;
    }
    uint64_t end = align_up(base + min_u64(size, ADDRESS_END - base), PAGE_SIZE);
    return carve(alloc, align_down(base, PAGE_SIZE), end);
}

// The number of aligned blocks of `block` bytes in [base, end).
static uint64_t whole_blocks(uint64_t base, uint64_t end, uint64_t block)
{
    uint64_t first = align_up(base, block);
    uint64_t last = align_down(end, block);
    return first < last ? (last - first) / block : 0;
}

// What an allocation costs later ones. Fields are compared from the top:
// - Bytes below 4 GiB. An allocation that needs such memory (32-bit DMA, `below`) has no
//   substitute, so on a machine with more memory it is used last.
// - Large blocks that are broken: first GiB blocks, then 2 MiB blocks. So small allocations fill
//   the ragged ends, and partitions that fit into broken GiBs leave the whole ones intact.
// - The address: higher is better, because special memory is at low addresses.
struct cost {
    uint64_t low_bytes;
    uint64_t blocks_1g;
    uint64_t blocks_2m;
    uint64_t base;
};

static bool cheaper(const struct cost *a, const struct cost *b)
{
    if (a->low_bytes != b->low_bytes) {
        return a->low_bytes < b->low_bytes;
    }
    if (a->blocks_1g != b->blocks_1g) {
        return a->blocks_1g < b->blocks_1g;
    }
    if (a->blocks_2m != b->blocks_2m) {
        return a->blocks_2m < b->blocks_2m;
    }
    return a->base > b->base;
}

static uint64_t blocks_lost(const struct page_range *r, uint64_t base, uint64_t end, uint64_t block)
{
    return whole_blocks(r->base, end_of(r), block) - whole_blocks(r->base, base, block) -
           whole_blocks(end, end_of(r), block);
}

static struct cost cost_of(const struct page_range *r, uint64_t base, uint64_t size)
{
    uint64_t end = base + size;
    return (struct cost){
        .low_bytes = min_u64(end, GIB(4)) - min_u64(base, GIB(4)),
        .blocks_1g = blocks_lost(r, base, end, GIB(1)),
        .blocks_2m = blocks_lost(r, base, end, MIB(2)),
        .base = base,
    };
}

// The end of the range for an allocation that must be below `below` (0: anywhere).
static uint64_t usable_end(const struct page_range *r, uint64_t below)
{
    return min_u64(end_of(r), below == 0 ? ADDRESS_END : align_down(below, PAGE_SIZE));
}

// Checks a request and rounds it up to pages.
static enum status to_pages(uint64_t *size, uint64_t *align)
{
    if (*size == 0 || *align == 0 || (*align & (*align - 1)) != 0) {
        return ERR_INVALID;
    }
    if (*size > ADDRESS_END || *align > ADDRESS_END) {
        return ERR_NO_MEMORY;
    }
    *size = align_up(*size, PAGE_SIZE);
    *align = max_u64(*align, PAGE_SIZE);
    return STATUS_OK;
}

static enum status carve_at(struct page_alloc *alloc, uint64_t base, uint64_t size, hpa_t *out)
{
    enum status s = carve(alloc, base, base + size);
    if (s == STATUS_OK) {
        *out = hpa(base);
    }
    return s;
}

enum status page_alloc_take(struct page_alloc *alloc, uint64_t size, uint64_t align, uint64_t below,
                            hpa_t *out)
{
    enum status s = to_pages(&size, &align);
    if (s != STATUS_OK) {
        return s;
    }
    struct cost best = {0};
    bool found = false;

    for (unsigned i = 0; i < alloc->count; i++) {
        const struct page_range *r = &alloc->free[i];
        uint64_t end = usable_end(r, below);
        uint64_t lowest = align_up(r->base, align);
        if (end < size || lowest > end - size) {
            continue;
        }
        // Between the ends it would break no fewer blocks and leave more pieces.
        struct cost costs[2] = {
            cost_of(r, lowest, size),
            cost_of(r, align_down(end - size, align), size),
        };
        for (unsigned c = 0; c < 2; c++) {
            if (!found || cheaper(&costs[c], &best)) {
                best = costs[c];
                found = true;
            }
        }
    }
    return found ? carve_at(alloc, best.base, size, out) : ERR_NO_MEMORY;
}

enum status page_alloc_take_lowest(struct page_alloc *alloc, uint64_t size, uint64_t align,
                                   uint64_t below, hpa_t *out)
{
    enum status s = to_pages(&size, &align);
    if (s != STATUS_OK) {
        return s;
    }
    for (unsigned i = 0; i < alloc->count; i++) {
        uint64_t base = align_up(alloc->free[i].base, align);
        uint64_t end = usable_end(&alloc->free[i], below);
        if (end >= size && base <= end - size) {
            return carve_at(alloc, base, size, out);
        }
    }
    return ERR_NO_MEMORY;
}

enum status page_alloc_give(struct page_alloc *alloc, hpa_t base, uint64_t size)
{
    if (!is_aligned(base.v, PAGE_SIZE) || !is_aligned(size, PAGE_SIZE) || size == 0 ||
        base.v >= ADDRESS_END || size > ADDRESS_END - base.v) {
        return ERR_INVALID;
    }
    unsigned i = find(alloc, base.v);
    if (i < alloc->count && alloc->free[i].base < base.v + size) {
        return ERR_EXISTS;
    }
    return insert(alloc, base.v, base.v + size);
}

uint64_t page_alloc_total(const struct page_alloc *alloc)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < alloc->count; i++) {
        total += alloc->free[i].size;
    }
    return total;
}

uint64_t page_alloc_largest(const struct page_alloc *alloc, uint64_t align)
{
    uint64_t largest = 0;
    for (unsigned i = 0; i < alloc->count; i++) {
        const struct page_range *r = &alloc->free[i];
        largest = max_u64(largest, whole_blocks(r->base, end_of(r), align) * align);
    }
    return largest;
}

uint64_t page_alloc_largest_below(const struct page_alloc *alloc, uint64_t align, uint64_t below)
{
    uint64_t largest = 0;
    for (unsigned i = 0; i < alloc->count; i++) {
        uint64_t base = align_up(alloc->free[i].base, align);
        uint64_t end = usable_end(&alloc->free[i], below);
        largest = max_u64(largest, base < end ? end - base : 0);
    }
    return largest;
}

static bool usable(const struct boot_memory *m)
{
    return m->kind == BOOT_MEMORY_USABLE;
}

// Reserves all of the machine's memory that is in use already.
static enum status reserve_all(struct page_alloc *alloc, const struct boot_info *info,
                               const struct page_range *kept, unsigned kept_count)
{
    enum status s = STATUS_OK;
    for (unsigned i = 0; s == STATUS_OK && i < info->memory_count; i++) {
        if (!usable(&info->memory[i])) {
            s = page_alloc_reserve(alloc, info->memory[i].base, info->memory[i].size);
        }
    }
    for (unsigned i = 0; s == STATUS_OK && i < info->module_count; i++) {
        s = page_alloc_reserve(alloc, info->modules[i].base, info->modules[i].size);
    }
    for (unsigned i = 0; s == STATUS_OK && i < kept_count; i++) {
        s = page_alloc_reserve(alloc, kept[i].base, kept[i].size);
    }
    return s;
}

enum status page_alloc_boot(struct page_alloc *alloc, const struct boot_info *info,
                            const struct page_range *kept, unsigned kept_count)
{
    alloc->count = 0;
    for (unsigned i = 0; i < info->memory_count; i++) {
        const struct boot_memory *m = &info->memory[i];
        if (!usable(m) || m->base >= ADDRESS_END) {
            continue;
        }
        // Firmware that reports memory beyond the last address still has the part below it.
        enum status s = page_alloc_add(alloc, m->base, min_u64(m->size, ADDRESS_END - m->base));
        if (s != STATUS_OK) {
            return s;
        }
    }
    enum status s = page_alloc_reserve(alloc, 0, LOW_END);
    if (s == STATUS_OK) {
        s = reserve_all(alloc, info, kept, kept_count);
    }
    if (s == STATUS_OK && alloc->count == 0) {
        s = ERR_NOT_FOUND;
    }
    return s;
}

static bool touches(uint64_t page, uint64_t base, uint64_t size)
{
    return base < page + PAGE_SIZE && (base >= page || size > page - base) && size != 0;
}

static bool low_page_free(uint64_t page, const struct boot_info *info,
                          const struct page_range *kept, unsigned kept_count)
{
    bool inside = false;
    for (unsigned i = 0; i < info->memory_count; i++) {
        const struct boot_memory *m = &info->memory[i];
        if (!usable(m)) {
            if (touches(page, m->base, m->size)) {
                return false;
            }
        } else if (m->base <= page && m->size >= page + PAGE_SIZE - m->base) {
            inside = true;
        }
    }
    for (unsigned i = 0; i < info->module_count; i++) {
        if (touches(page, info->modules[i].base, info->modules[i].size)) {
            return false;
        }
    }
    for (unsigned i = 0; i < kept_count; i++) {
        if (touches(page, kept[i].base, kept[i].size)) {
            return false;
        }
    }
    return inside;
}

// Searches from 512 KiB downwards, and above it only if necessary: firmware that doesn't report its
// extended data area has it at the top of the 640 KiB.
enum status page_alloc_low_page(const struct boot_info *info, const struct page_range *kept,
                                unsigned kept_count, hpa_t *out)
{
    for (uint64_t page = LOW_RAM_EBDA - PAGE_SIZE; page > 0; page -= PAGE_SIZE) {
        if (low_page_free(page, info, kept, kept_count)) {
            *out = hpa(page);
            return STATUS_OK;
        }
    }
    for (uint64_t page = LOW_RAM_EBDA; page < LOW_RAM_END; page += PAGE_SIZE) {
        if (low_page_free(page, info, kept, kept_count)) {
            *out = hpa(page);
            return STATUS_OK;
        }
    }
    return ERR_NOT_FOUND;
}
