// SPDX-License-Identifier: Apache-2.0
// The state in which a guest's processor starts: the state after RESET or INIT
// (arch/virt/reset_state.h), changed as the entry requires.
#include "arch/svm/svm.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr.h"
#include "arch/lib/string.h"
#include "arch/memory/heap.h"
#include "arch/svm/vmcb_controls.h"
#include "arch/virt/guest_state.h"
#include "arch/virt/reset_state.h"

#define ATTRIBUTES_CODE32 0xc9b
#define ATTRIBUTES_CODE64 0xa9b
#define ATTRIBUTES_DATA32 0xc93

static struct vmcb_segment segment(uint16_t selector, uint16_t attributes, uint32_t limit,
                                   uint64_t base)
{
    return (struct vmcb_segment){selector, attributes, limit, base};
}

static struct vmcb_segment segment_reset(enum reset_id rights)
{
    return segment((uint16_t)reset_value(RESET_SELECTOR), (uint16_t)reset_value(rights),
                   (uint32_t)reset_value(RESET_LIMIT), 0);
}

static void reset_system_state(struct vmcb_save *s, bool init)
{
    uint64_t cr0 = s->cr0, pat = s->g_pat;
    memset(s, 0, sizeof(*s));
    s->es = s->ss = s->ds = s->fs = s->gs = segment_reset(RESET_DATA_RIGHTS);
    s->cs = segment_reset(RESET_CODE_RIGHTS);
    s->gdtr = s->idtr = segment(0, 0, (uint32_t)reset_value(RESET_LIMIT), 0);
    s->ldtr = segment_reset(RESET_LDTR_RIGHTS);
    s->tr = segment_reset(RESET_TR_RIGHTS);
    // VMRUN requires SVME; the guest sees EFER without it.
    s->efer = reset_value(RESET_EFER) | EFER_SVME;
    s->cr0 = reset_after(RESET_CR0, init, cr0);
    s->cr2 = reset_value(RESET_CR2);
    s->cr3 = reset_value(RESET_CR3);
    s->cr4 = reset_value(RESET_CR4);
    s->dr6 = reset_value(RESET_DR6);
    s->dr7 = reset_value(RESET_DR7);
    s->rflags = reset_value(RESET_RFLAGS);
    s->g_pat = reset_after(RESET_PAT, init, pat);
}

static void enter_flat(struct vmcb_save *s, const struct vcpu_entry *entry, uint16_t code)
{
    s->cs = segment(entry->cs, code, 0xffffffff, 0);
    s->es = s->ss = s->ds = s->fs = s->gs = segment(entry->ds, ATTRIBUTES_DATA32, 0xffffffff, 0);
    s->gdtr = segment(0, 0, entry->gdt_limit, entry->gdt.v);
    s->cr0 = CR0_ET | CR0_NE | CR0_PE;
}

static void set_mode(struct vmcb_save *s, const struct vcpu_entry *entry)
{
    s->rip = entry->rip;
    switch (entry->mode) {
    case ENTRY_REAL:
        s->cs.selector = (uint16_t)(entry->rip >> 4);
        s->cs.base = entry->rip & ~0xfull;
        s->rip = entry->rip & 0xf;
        break;
    case ENTRY_PROTECTED32:
        enter_flat(s, entry, ATTRIBUTES_CODE32);
        break;
    case ENTRY_LONG64:
        enter_flat(s, entry, ATTRIBUTES_CODE64);
        s->cr0 |= CR0_PG;
        s->cr4 = CR4_PAE;
        s->cr3 = entry->cr3;
        s->efer |= EFER_LME | EFER_LMA;
        break;
    }
}

// Loads the segment registers that VMRUN does not load. VMLOAD also loads some MSRs; VMSAVE first
// stores their present values, so they stay as they are. reset_msrs() later resets those that
// change.
static void load_segments(const struct vcpu *v, const struct vmcb_save *s)
{
    struct vmcb *scratch = heap_ptr(hpa(v->vm_state));
    __asm__ volatile("vmsave %%rax" : : "a"(v->vm_state) : "memory");
    scratch->save.fs = s->fs;
    scratch->save.gs = s->gs;
    scratch->save.ldtr = s->ldtr;
    scratch->save.tr = s->tr;
    __asm__ volatile("vmload %%rax" : : "a"(v->vm_state) : "memory");
}

void svm_flush(struct vcpu *v)
{
    (void)v; // called on its own CPU
    svm_vmcb()->control.tlb_control =
        svm_features.flush_by_asid ? TLB_CONTROL_ASID : TLB_CONTROL_ALL;
    svm_vmcb()->control.clean = 0;
}

void svm_vcpu_reset(struct vcpu *v, const struct vcpu_entry *entry, struct guest_regs *regs)
{
    struct vmcb *vmcb = svm_vmcb_of(v);
    struct vmcb_save *s = &vmcb->save;
    reset_system_state(s, entry->after_init);
    set_mode(s, entry);
    memset(regs, 0, sizeof(*regs));
    regs->r[GPR_RAX] = s->rax = entry->rax;
    regs->r[GPR_RCX] = entry->rcx;
    regs->r[GPR_RDX] = entry->rdx;
    regs->r[GPR_RBX] = entry->rbx;
    regs->r[GPR_RSP] = s->rsp = entry->rsp;
    regs->r[GPR_RBP] = entry->rbp;
    regs->r[GPR_RSI] = entry->rsi;
    regs->r[GPR_RDI] = entry->rdi;

    vmcb->control.event_injection = 0;
    vmcb->control.interrupt_shadow = 0;
    vmcb->control.intercept_misc1 &= ~(uint32_t)INTERCEPT_IRET;
    svm_interrupt_window(v, false);
    svm_flush(v);
    v->nmi_pending = false;
    v->nmi_state = NMI_OPEN;

    load_segments(v, s);
    guest_state_reset(RESET_IN_VMCB, entry->after_init);
}
