// SPDX-License-Identifier: Apache-2.0
// The length of an intercepted instruction, on processors that don't report it. The common ones
// have a fixed length unless they have prefixes, so it is enough to check for the plain opcode at
// RIP. The physical page of the code is cached, as in a TLB; the bytes are read every time.
#ifndef HV_EXIT_NEXT_RIP_H
#define HV_EXIT_NEXT_RIP_H

#include "arch/memory/window_slot.h"
#include "arch/virt/guest_regs.h"
#include "hv/partition/next_rip_cache.h"

struct vcpu;

// Opcodes whose plain form is known, as little-endian words.
#define OPCODE_CPUID   0xa20fu
#define OPCODE_RDMSR   0x320fu
#define OPCODE_WRMSR   0x300fu
#define OPCODE_VMMCALL 0xd9010fu
#define OPCODE_INVD    0x080fu
#define OPCODE_WBINVD  0x090fu

static inline struct next_rip_page *next_rip_slot(struct next_rip_cache *cache, uint64_t linear,
                                                  uint64_t cr3)
{
    return &cache->page[((linear ^ cr3) >> PAGE_SHIFT) % NEXT_RIP_PAGES];
}

// Whether `opcode` of `length` bytes (2 or 3) is at `linear`. False also if the page isn't cached.
static inline bool next_rip_is_plain(struct next_rip_cache *cache, uint64_t linear, uint64_t cr3,
                                     uint32_t opcode, unsigned length)
{
    const struct next_rip_page *p = next_rip_slot(cache, linear, cr3);
    uint64_t offset = linear & PAGE_MASK;
    if (p->linear != linear - offset || p->cr3 != cr3 || offset > PAGE_SIZE - sizeof(opcode)) {
        return false;
    }
    uint32_t bytes;
    __builtin_memcpy(&bytes, window_open(SLOT_FROM, p->window_entry) + offset, sizeof(bytes));
    window_close(SLOT_FROM);
    return (bytes & ((1u << (8 * length)) - 1)) == opcode;
}

// Fetches and decodes the instruction that exited, and caches its page. True: *next is the RIP
// after it. False: an exception was injected, or the partition has ended.
bool next_rip_decode(struct vcpu *v, struct guest_regs *regs, uint64_t linear, uint64_t cr3,
                     uint64_t *next);

#endif
