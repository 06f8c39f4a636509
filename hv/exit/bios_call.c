// SPDX-License-Identifier: Apache-2.0
// BIOS calls, which the stubs of hv/guest/bios.c report. Relies on the guest being in real mode
// without paging: linear addresses are physical addresses there.
#include "hv/exit/bios_call.h"

#include "arch/cpu/register_bits.h"
#include "arch/virt/virt.h"
#include "hv/exit/exits.h"
#include "hv/guest/bios.h"
#include "hv/guest/bios_rules.h"
#include "hv/guest/e820.h"
#include "hv/memory/guest_mem.h"
#include "hv/partition/log.h"
#include "hv/partition/partition.h"

#define STACK_FLAGS 4u // offset of an interrupt's flags on the stack, after IP and CS

static void tell(struct vcpu *v, unsigned vector, unsigned ax, const struct bios_rule *rule)
{
    static const char *const gets[] = {
        [BIOS_NOTHING] = "it does nothing", [BIOS_ERROR] = "it gets an error",
        [BIOS_STATUS] = "it gets an error", [BIOS_WORD] = "it gets what the BIOS data area says",
        [BIOS_NO_KEY] = "there is no key",  [BIOS_STOP] = "it can't go on",
    };
    uint64_t *told = &v->partition->bios_told[vector / 64];
    if (__atomic_fetch_or(told, BIT(vector % 64), __ATOMIC_RELAXED) & BIT(vector % 64)) {
        return;
    }
    log_guest(
        v,
        "calls the BIOS: int 0x%x, AX 0x%x (%s). There is none: %s. Give the kernel itself as "
        "image, not a boot loader; for Xen add no-real-mode",
        vector, ax, rule->name, gets[rule->answer]);
}

static void set_flag(struct vcpu *v, const struct virt_state *state, uint16_t flag)
{
    struct guest_segment stack;
    uint16_t flags;
    virt->get_segment(v, SEG_SS, &stack);
    gpa_t at = gpa(stack.base + ((state->rsp + STACK_FLAGS) & 0xffff));
    if (guest_read(&v->partition->ram, at, &flags, sizeof(flags)) == STATUS_OK) {
        flags |= flag;
        // It was readable just before.
        (void)guest_write(&v->partition->ram, at, &flags, sizeof(flags));
    }
}

static void answer(struct vcpu *v, struct guest_regs *regs, const struct virt_state *state,
                   const struct bios_rule *rule)
{
    uint64_t rest = regs->r[GPR_RAX] & ~0xffffull;
    uint16_t ax = (uint16_t)regs->r[GPR_RAX];
    switch (rule->answer) {
    case BIOS_ERROR:
        set_flag(v, state, RFLAGS_CF);
        ax = (uint16_t)((ax & 0xff) | rule->value << 8);
        break;
    case BIOS_STATUS:
        ax = (uint16_t)((ax & 0xff) | rule->value << 8);
        break;
    case BIOS_WORD:
        (void)guest_read(&v->partition->ram, gpa(rule->value), &ax, sizeof(ax));
        break;
    case BIOS_NO_KEY:
        set_flag(v, state, RFLAGS_ZF);
        break;
    default:
        break;
    }
    regs->r[GPR_RAX] = rest | ax;
}

bool bios_call(struct vcpu *v, struct guest_regs *regs)
{
    struct virt_state state;
    virt->get_state(v, &state);
    uint64_t at = state.cs_base + state.rip - GUEST_BIOS;
    if ((state.paging.cr0 & CR0_PE) != 0 || at >= GUEST_BIOS_VECTORS * GUEST_BIOS_STEP ||
        at % GUEST_BIOS_STEP != 0) {
        return true; // not from a stub: a write to a port without a device
    }
    unsigned vector = (unsigned)(at / GUEST_BIOS_STEP), ax = regs->r[GPR_RAX] & 0xffff;
    const struct bios_rule *rule = bios_rule_find((uint8_t)vector, (uint8_t)(ax >> 8));
    tell(v, vector, ax, rule);
    if (rule->answer == BIOS_STOP) {
        return exit_fault(v, regs, "a BIOS call that can't be served: int", vector);
    }
    answer(v, regs, &state, rule);
    return true;
}
