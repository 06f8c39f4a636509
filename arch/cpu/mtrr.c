// SPDX-License-Identifier: Apache-2.0
// Memory types from the MTRRs' values. The fixed ranges lie below 1 MiB, where no memory is given
// to partitions, so they are only compared between CPUs.
#include "arch/cpu/mtrr.h"

#include "arch/cpu/msr.h"
#include "arch/lib/format.h"

#define MASK_VALID BIT(11)
#define ADDRESS    0x000ffffffffff000ull
// No processor with MTRRs has fewer; the mask has one bit for each address bit.
#define LEAST_ADDRESSES  BIT(36)
#define MOST_DIFFERENCES 3

static const uint16_t fixed_msrs[MTRR_FIXED] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                                0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

uint32_t mtrr_fixed_msr(unsigned index)
{
    return fixed_msrs[index];
}

uint32_t mtrr_base_msr(unsigned range)
{
    return MSR_MTRR_PHYS_BASE + 2 * range;
}

bool mtrr_on(const struct mtrrs *m)
{
    return m->present && (m->default_type & MTRR_DEF_TYPE_ENABLE) != 0;
}

// Whether a variable range covers the address. Lowers `end` to the address where the answer may
// change.
static bool covers(uint64_t base, uint64_t mask, uint64_t address, uint64_t *end)
{
    mask &= ADDRESS;
    if (mask == 0) {
        return true;
    }
    uint64_t block = mask & -mask; // all addresses in a block of this size get the same answer
    bool inside = (address & mask) == (base & mask);
    uint64_t filled = mask | (block - 1);
    bool contiguous = ((filled + 1) & filled) == 0 && filled >= LEAST_ADDRESSES - 1;
    if (inside || !contiguous) {
        *end = min_u64(*end, align_down(address, block) + block);
    } else if ((base & mask) > address) {
        *end = min_u64(*end, base & mask);
    }
    return inside;
}

static enum mtrr_type combine(enum mtrr_type a, enum mtrr_type b)
{
    bool through = (a == MTRR_WT && b == MTRR_WB) || (a == MTRR_WB && b == MTRR_WT);
    return a == b ? a : through ? MTRR_WT : MTRR_UC;
}

enum mtrr_type mtrr_type(const struct mtrrs *m, uint64_t address, uint64_t *end)
{
    enum mtrr_type type = (enum mtrr_type)(m->default_type & 0xff);
    bool found = false;
    *end = BIT(52);
    if (m->syscfg & SYSCFG_TOM2_WRITE_BACK) {
        if (address < GIB(4)) {
            *end = GIB(4);
        } else if (address < m->top_mem2) {
            *end = m->top_mem2;
            type = MTRR_WB;
        }
    }
    for (unsigned i = 0; i < m->ranges; i++) {
        if ((m->mask[i] & MASK_VALID) && covers(m->base[i], m->mask[i], address, end)) {
            enum mtrr_type own = (enum mtrr_type)(m->base[i] & 0xff);
            type = found ? combine(type, own) : own;
            found = true;
        }
    }
    return type;
}

// ---- differences ---------------------------------------------------------------------------

struct differences {
    unsigned count;
    char *text;
    size_t size, used;
};

static bool differ(struct differences *d, uint32_t msr, uint64_t value, uint64_t first)
{
    if (value == first) {
        return false;
    }
    if (d->count++ < MOST_DIFFERENCES && d->used < d->size) {
        d->used += format(d->text + d->used, d->size - d->used, "%sMSR 0x%x is 0x%lx, not 0x%lx",
                          d->count > 1 ? ", " : "", msr, value, first);
    }
    return true;
}

bool mtrr_difference(const struct mtrrs *m, const struct mtrrs *first, bool *fixable, char *text,
                     size_t size)
{
    struct differences d = {.text = text, .size = size};
    *fixable = !(differ(&d, MSR_MTRRCAP, m->ranges, first->ranges) ||
                 differ(&d, MSR_SYSCFG, m->syscfg, first->syscfg) ||
                 differ(&d, MSR_TOP_MEM2, m->top_mem2, first->top_mem2));
    differ(&d, MSR_MTRR_DEF_TYPE, m->default_type, first->default_type);
    for (unsigned i = 0; i < MTRR_FIXED; i++) {
        differ(&d, mtrr_fixed_msr(i), m->fixed[i], first->fixed[i]);
    }
    for (unsigned i = 0; i < first->ranges; i++) {
        differ(&d, mtrr_base_msr(i), m->base[i], first->base[i]);
        differ(&d, mtrr_base_msr(i) + 1, m->mask[i], first->mask[i]);
    }
    if (d.count > MOST_DIFFERENCES && d.used < d.size) {
        format(d.text + d.used, d.size - d.used, " and %u more", d.count - MOST_DIFFERENCES);
    }
    return d.count > 0;
}
