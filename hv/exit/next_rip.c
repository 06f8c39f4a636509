// SPDX-License-Identifier: Apache-2.0
// Finds the length of an intercepted instruction from its bytes. Relies on the decoder and the
// guest page-table walk.
#include "hv/exit/next_rip.h"

#include "hv/exit/emulation.h"
#include "hv/partition/partition.h"
#include "hv/partition/vcpu.h"

static void remember(struct vcpu *v, const struct emulation *e, uint64_t linear, uint64_t cr3)
{
    uint32_t error_code;
    gpa_t address;
    hpa_t host;
    uint64_t contiguous;
    uint64_t page = linear & ~PAGE_MASK;
    if (guest_walk(&v->partition->ram, &e->state.paging, page, WALK_EXEC, &address, &error_code) ==
            STATUS_OK &&
        guest_ram_lookup(&v->partition->ram, address, &host, &contiguous)) {
        *next_rip_slot(&v->next_rip, linear, cr3) =
            (struct next_rip_page){page, cr3, host.v | PTE_WINDOW};
    }
}

bool next_rip_decode(struct vcpu *v, struct guest_regs *regs, uint64_t linear, uint64_t cr3,
                     uint64_t *next)
{
    struct emulation e;
    emulation_begin(&e, v, regs);
    struct insn insn;
    if (!emulation_fetch(&e, &insn)) {
        return false;
    }
    remember(v, &e, linear, cr3);
    emulate_advance(&e.context, &insn);
    *next = e.context.rip;
    return true;
}
