// SPDX-License-Identifier: Apache-2.0
// Compares the memory map with the MTRRs. The first MiB is never allocated, so it is left out.
#include "hv/memory/uncached.h"

#include "drivers/console/console.h"

#define FIRST        MIB(1)
#define ADDRESS_END  BIT(52)
#define MOST_PRINTED 16 // ranges; a mask with holes in an MTRR makes any number of them

static const char *type_name(enum mtrr_type type)
{
    return type == MTRR_UC   ? "uncached"
           : type == MTRR_WT ? "write-through"
           : type == MTRR_WP ? "write-protected"
           : type == MTRR_WC ? "write-combining"
                             : "of no type that there is";
}

// The end of the memory with the type of `at`, up to `end`.
static uint64_t same_until(const struct mtrrs *m, uint64_t at, uint64_t end, enum mtrr_type type)
{
    uint64_t stop = at;
    while (at < end && mtrr_type(m, at, &stop) == type) {
        at = min_u64(stop, end);
    }
    return at;
}

enum status uncached_leave_out(struct page_alloc *alloc, const struct boot_info *info,
                               const struct mtrrs *m)
{
    unsigned printed = 0;
    if (!m->present) {
        return STATUS_OK;
    }
    if (!mtrr_on(m)) {
        print("memory: the firmware has left the MTRRs off, so that nothing is cached and all is "
              "slow: update it\n");
        return STATUS_OK;
    }
    for (unsigned i = 0; i < info->memory_count; i++) {
        const struct boot_memory *r = &info->memory[i];
        if (r->kind != BOOT_MEMORY_USABLE || r->base >= ADDRESS_END) {
            continue;
        }
        uint64_t end = r->base + min_u64(r->size, ADDRESS_END - r->base);
        for (uint64_t at = max_u64(r->base, FIRST), stop; at < end; at = stop) {
            enum mtrr_type type = mtrr_type(m, at, &stop);
            stop = same_until(m, at, end, type);
            if (type == MTRR_WB) {
                continue;
            }
            if (printed++ < MOST_PRINTED) {
                print("memory 0x%lx-0x%lx: usable, but by the firmware's MTRRs %s: left out; "
                      "update the firmware\n",
                      at, stop - 1, type_name(type));
            }
            enum status s = page_alloc_reserve(alloc, at, stop - at);
            if (s != STATUS_OK) {
                return s;
            }
        }
    }
    return STATUS_OK;
}
