// SPDX-License-Identifier: Apache-2.0
// The length of an intercepted instruction, from its bytes. Relies on the decoder and the guest
// page-table walk.
#include "hv/next_rip.h"

#include "arch/virt.h"
#include "hv/emulation.h"
#include "hv/vcpu.h"

bool next_rip_decode(struct vcpu *v, struct guest_regs *regs, uint64_t linear, uint64_t cr3,
                     unsigned plain_length, uint64_t *next)
{
    struct emulation e;
    emulation_begin(&e, v, regs);
    struct insn insn;
    if (!emulation_fetch(&e, &insn)) {
        return false;
    }
    if (insn.length == plain_length) {
        *next_rip_slot(&v->next_rip, linear) = (struct next_rip_entry){linear, cr3};
    }
    emulate_advance(&e.context, &insn);
    *next = e.context.rip;
    return true;
}
