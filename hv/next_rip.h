// SPDX-License-Identifier: Apache-2.0
// The length of an intercepted instruction on processors that don't report it. The common ones have
// one length unless somebody puts prefixes before them, and are met at the same places again and
// again: those places are remembered.
#ifndef HV_NEXT_RIP_H
#define HV_NEXT_RIP_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/guest_regs.h"

struct vcpu;

#define NEXT_RIP_ENTRIES 64

// A place where an instruction without prefixes was found: linear address and CR3. A guest that
// rewrites such an instruction at the same place into one with prefixes confuses itself only.
struct next_rip_cache {
    struct next_rip_entry {
        uint64_t linear;
        uint64_t cr3;
    } entry[NEXT_RIP_ENTRIES];
};

static inline struct next_rip_entry *next_rip_slot(struct next_rip_cache *cache, uint64_t linear)
{
    return &cache->entry[(linear ^ linear >> 6) % NEXT_RIP_ENTRIES];
}

// Is the instruction at `linear` known to have no prefixes?
static inline bool next_rip_known(struct next_rip_cache *cache, uint64_t linear, uint64_t cr3)
{
    const struct next_rip_entry *e = next_rip_slot(cache, linear);
    return e->linear == linear && e->cr3 == cr3;
}

// Fetches and decodes the instruction that exited. True: *next is the RIP behind it; remembered if
// it is `plain_length` bytes long. False: an exception was injected, or the partition has ended.
bool next_rip_decode(struct vcpu *v, struct guest_regs *regs, uint64_t linear, uint64_t cr3,
                     unsigned plain_length, uint64_t *next);

#endif
