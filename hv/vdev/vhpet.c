// SPDX-License-Identifier: Apache-2.0
// The registers of an HPET (IA-PC HPET specification 1.0a, 2.3). Relies on nothing.
#include "hv/vdev/vhpet.h"

#include "arch/lib/string.h"

#define CAPABILITIES  0x000
#define CONFIGURATION 0x010
#define STATUS        0x020
#define COUNTER       0x0f0
#define FIRST_TIMER   0x100
#define TIMER_STEP    0x20

#define FEMTO 1000000000000000ull

#define CONFIG_ENABLE 1u
#define CONFIG_LEGACY 2u

#define TIMER_LEVEL     0x0002u
#define TIMER_ENABLED   0x0004u
#define TIMER_PERIODIC  0x0008u
#define TIMER_FIXED     0x0030u // fixed: it can be periodic, and has 64 bits
#define TIMER_SET_VALUE 0x0040u
#define TIMER_32BIT     0x0100u
#define TIMER_GSI       0x3e00u
#define TIMER_GSI_SHIFT 9
#define TIMER_WRITABLE  (TIMER_LEVEL | TIMER_ENABLED | TIMER_PERIODIC | TIMER_32BIT | TIMER_GSI)

static bool runs(const struct vhpet *h)
{
    return (h->config & CONFIG_ENABLE) != 0;
}

static uint64_t counter(const struct vhpet *h, uint64_t ticks)
{
    return runs(h) && ticks > h->since ? h->base + (ticks - h->since) : h->base;
}

static bool repeats(const struct vhpet_comparator *c)
{
    return (c->config & TIMER_PERIODIC) != 0;
}

// The bits that a comparator compares: all, or the lower 32.
static uint64_t mask(const struct vhpet_comparator *c)
{
    return c->config & TIMER_32BIT ? UINT32_MAX : UINT64_MAX;
}

void vhpet_reset(struct vhpet *h)
{
    memset(h, 0, sizeof(*h));
    for (unsigned n = 0; n < VHPET_COMPARATORS; n++)
        h->comparator[n].value = UINT64_MAX;
}

// ---- reading -----------------------------------------------------------------------------------

static uint64_t read_register(const struct vhpet *h, uint32_t offset, uint64_t ticks)
{
    unsigned n = (offset - FIRST_TIMER) / TIMER_STEP;

    switch (offset) {
    case CAPABILITIES:
        return (FEMTO / VHPET_HZ) << 32 | VHPET_BLOCK_ID;
    case CONFIGURATION:
        return h->config;
    case STATUS:
        return h->status;
    case COUNTER:
        return counter(h, ticks);
    default:
        break;
    }
    if (offset < FIRST_TIMER || n >= VHPET_COMPARATORS)
        return 0;
    switch (offset % TIMER_STEP) {
    case 0:
        return (uint64_t)VHPET_GSIS << 32 | TIMER_FIXED | h->comparator[n].config;
    case 8:
        return h->comparator[n].value & mask(&h->comparator[n]);
    default: // messages (FSB interrupts) are not supported
        return 0;
    }
}

static bool is_proper(uint32_t offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0 && offset < VHPET_BYTES;
}

uint64_t vhpet_read(const struct vhpet *h, uint32_t offset, unsigned size, uint64_t ticks)
{
    if (!is_proper(offset, size))
        return UINT64_MAX;
    uint64_t value = read_register(h, offset & ~7u, ticks) >> (8 * (offset & 4));
    return size == 4 ? (uint32_t)value : value;
}

// ---- writing -----------------------------------------------------------------------------------

static void write_configuration(struct vhpet *h, uint64_t value, uint64_t ticks)
{
    h->base = counter(h, ticks);
    h->since = ticks;
    h->config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
}

// A route that doesn't exist reads back as 0 (2.3.8).
static void write_timer(struct vhpet_comparator *c, uint64_t value)
{
    c->config = value & TIMER_WRITABLE;
    c->sets_value = (value & TIMER_SET_VALUE) != 0;
    if (!(VHPET_GSIS >> (c->config >> TIMER_GSI_SHIFT & 0x1f) & 1))
        c->config &= ~(uint64_t)TIMER_GSI;
    if (c->config & TIMER_32BIT)
        c->value &= UINT32_MAX;
}

// A periodic comparator's register sets its period. It sets its value only after TIMER_SET_VALUE.
// `keep` are the bits that a write of one half leaves unchanged.
static void write_value(struct vhpet_comparator *c, uint64_t value, uint64_t keep)
{
    if (!repeats(c) || c->sets_value)
        c->value = ((c->value & keep) | value) & mask(c);
    if (repeats(c))
        c->period = ((c->period & keep) | value) & mask(c);
    c->sets_value = false;
}

static void write_register(struct vhpet *h, uint32_t offset, uint64_t value, uint64_t keep,
                           uint64_t ticks)
{
    unsigned n = (offset - FIRST_TIMER) / TIMER_STEP;
    uint64_t merged = (read_register(h, offset, ticks) & keep) | value;

    switch (offset) {
    case CONFIGURATION:
        write_configuration(h, merged, ticks);
        break;
    case STATUS: // writing ones clears bits
        h->status &= ~(uint32_t)value;
        break;
    case COUNTER:
        h->base = merged;
        h->since = ticks;
        break;
    default:
        if (offset < FIRST_TIMER || n >= VHPET_COMPARATORS)
            return;
        if (offset % TIMER_STEP == 0)
            write_timer(&h->comparator[n], merged);
        else if (offset % TIMER_STEP == 8)
            write_value(&h->comparator[n], value, keep);
    }
    for (n = 0; n < VHPET_COMPARATORS; n++)
        h->comparator[n].seen = counter(h, ticks);
}

void vhpet_write(struct vhpet *h, uint32_t offset, unsigned size, uint64_t value, uint64_t ticks)
{
    unsigned shift = size == 4 ? 8 * (offset & 4) : 0;
    uint64_t bits = size == 4 ? (uint64_t)UINT32_MAX << shift : UINT64_MAX;

    if (!is_proper(offset, size))
        return;
    for (unsigned n = 0; n < VHPET_COMPARATORS; n++)
        vhpet_settle(h, n, ticks); // no match is lost: the caller has settled before
    write_register(h, offset & ~7u, value << shift & bits, ~bits, ticks);
}

// ---- matches -----------------------------------------------------------------------------------

// Ticks of the counter from `seen` + 1 to the first match at or after that. A match that has passed
// comes again after a whole round.
static uint64_t distance(const struct vhpet_comparator *c)
{
    return (c->value - c->seen - 1) & mask(c);
}

bool vhpet_settle(struct vhpet *h, unsigned n, uint64_t ticks)
{
    struct vhpet_comparator *c = &h->comparator[n];
    uint64_t now = counter(h, ticks), left = distance(c), gone = now - c->seen;

    c->seen = now;
    if (left >= gone)
        return false;
    if (repeats(c) && c->period != 0)
        c->value = (c->value + ((gone - left - 1) / c->period + 1) * c->period) & mask(c);
    if (c->config & TIMER_LEVEL)
        h->status |= 1u << n;
    return (c->config & TIMER_ENABLED) != 0;
}

bool vhpet_next_edge(const struct vhpet *h, unsigned n, uint64_t ticks, struct vhpet_edge *out)
{
    const struct vhpet_comparator *c = &h->comparator[n];
    uint64_t left = distance(c);

    if (!runs(h) || !(c->config & TIMER_ENABLED) || left > INT64_MAX)
        return false;
    *out = (struct vhpet_edge){.at = ticks + 1 + left, .period = repeats(c) ? c->period : 0};
    return true;
}

bool vhpet_is_level(const struct vhpet *h, unsigned n)
{
    return (h->comparator[n].config & TIMER_LEVEL) != 0;
}

bool vhpet_is_asserted(const struct vhpet *h, unsigned n)
{
    return (h->status >> n & 1) && (h->comparator[n].config & TIMER_ENABLED);
}

bool vhpet_is_legacy(const struct vhpet *h)
{
    return (h->config & (CONFIG_ENABLE | CONFIG_LEGACY)) == (CONFIG_ENABLE | CONFIG_LEGACY);
}

unsigned vhpet_gsi(const struct vhpet *h, unsigned n)
{
    return (unsigned)(h->comparator[n].config & TIMER_GSI) >> TIMER_GSI_SHIFT;
}
