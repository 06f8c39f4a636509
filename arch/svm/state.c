// SPDX-License-Identifier: Apache-2.0
// The guest's state for emulation and reports, and the events injected into the guest.
#include "arch/svm/svm.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"

#define ATTRIBUTE_LONG BIT(9)
#define ATTRIBUTE_BIG  BIT(10)

struct svm_features svm_features;

void svm_get_state(struct vcpu *v, struct virt_state *out)
{
    const struct vmcb_save *s = &svm_vmcb_of(v)->save;
    out->paging = (struct guest_paging){
        .cr0 = s->cr0,
        .cr3 = s->cr3,
        .cr4 = s->cr4,
        .efer = s->efer,
        .cpl = s->cpl,
        .ac = (s->rflags & RFLAGS_AC) != 0,
        .phys_bits = (uint8_t)v->cpuid.extended[8].eax,
    };
    out->real_mode = (s->cr0 & CR0_PE) == 0 || (s->rflags & RFLAGS_VM) != 0;
    bool long64 = (s->efer & EFER_LMA) != 0 && (s->cs.attributes & ATTRIBUTE_LONG) != 0;
    if (long64) {
        out->mode = DECODE_64;
    } else {
        out->mode = s->cs.attributes & ATTRIBUTE_BIG ? DECODE_32 : DECODE_16;
    }
    out->cs_base = long64 ? 0 : s->cs.base;
    out->rip = s->rip;
    out->rsp = s->rsp;
    out->rflags = s->rflags;
    out->dr7 = s->dr7;
    const struct vmcb_control *c = &svm_vmcb_of(v)->control;
    if (svm_features.decode_assists && c->exit_code == EXIT_NPF &&
        c->fetched_count <= sizeof(c->fetched)) {
        out->fetched = c->fetched; // APM vol. 2, 15.8.4
        out->fetched_count = c->fetched_count;
    }
}

void svm_get_segment(struct vcpu *v, enum insn_segment segment, struct guest_segment *out)
{
    const struct vmcb_save *s = &svm_vmcb_of(v)->save;
    const struct vmcb_segment *from;
    switch (segment) {
    case SEG_ES:
        from = &s->es;
        break;
    case SEG_CS:
        from = &s->cs;
        break;
    case SEG_SS:
        from = &s->ss;
        break;
    case SEG_DS:
    default:
        from = &s->ds;
        break;
    case SEG_FS:
    case SEG_GS: {
        // #VMEXIT does not save these two; they are still in the CPU. VMSAVE stores them, with
        // others, to a scratch page.
        __asm__ volatile("vmsave %%rax" : : "a"(v->vm_state) : "memory");
        const struct vmcb *scratch = heap_ptr(hpa(v->vm_state));
        from = segment == SEG_FS ? &scratch->save.fs : &scratch->save.gs;
        break;
    }
    }
    *out = (struct guest_segment){
        .base = from->base, .limit = from->limit, .attributes = from->attributes};
}

void svm_inject(struct vcpu *v, const struct guest_exception *e, bool has_error_code)
{
    struct vmcb *vmcb = svm_vmcb_of(v);
    if (e->vector == EXCEPTION_PF) {
        vmcb->save.cr2 = e->cr2;
        vmcb->control.clean = 0;
    }
    uint64_t event = e->vector | EVENT_TYPE_EXCEPTION | EVENT_VALID;
    // Real mode has no error codes.
    if (has_error_code && (vmcb->save.cr0 & CR0_PE)) {
        event |= EVENT_HAS_ERROR | (uint64_t)e->error_code << 32;
    }
    // The flags that a fault pushes have RF set (SDM vol. 3, 18.3.1.1); those of a #DB are
    // unchanged.
    if (e->vector != EXCEPTION_DB) {
        vmcb->save.rflags |= RFLAGS_RF;
    }
    vmcb->control.event_injection = event;
}

void svm_end_instruction(struct vmcb *vmcb, bool repeats, uint64_t hits)
{
    if (repeats) {
        vmcb->save.rflags |= RFLAGS_RF; // its breakpoints were reported before the first iteration
    } else {
        vmcb->save.rflags &= ~RFLAGS_RF;
    }
    if (vmcb->save.rflags & RFLAGS_TF) {
        hits |= DR6_BS;
    }
    if (hits != 0) {
        vmcb->save.dr6 |= hits;
        vmcb->control.clean = 0;
        vmcb->control.event_injection = EXCEPTION_DB | EVENT_TYPE_EXCEPTION | EVENT_VALID;
    }
}

void svm_complete(struct vcpu *v, uint64_t rip, uint64_t rflags, uint64_t hits)
{
    struct vmcb *vmcb = svm_vmcb_of(v);
    bool repeats = vmcb->save.rip == rip;
    vmcb->save.rip = rip;
    vmcb->save.rflags = rflags;
    // An interrupt shadow ends with the instruction after it (APM vol. 2, 15.21.5), which has now
    // run.
    vmcb->control.interrupt_shadow = 0;
    if (__builtin_expect(repeats || ((rflags & (RFLAGS_TF | RFLAGS_RF)) | hits) != 0, 0)) {
        svm_end_instruction(vmcb, repeats, hits);
    }
}

bool svm_can_interrupt(struct vcpu *v)
{
    const struct vmcb *vmcb = svm_vmcb_of(v);
    return (vmcb->save.rflags & RFLAGS_IF) != 0 && (vmcb->control.interrupt_shadow & 1) == 0 &&
           (vmcb->control.event_injection & EVENT_VALID) == 0;
}

void svm_interrupt(struct vcpu *v, uint8_t vector)
{
    svm_vmcb_of(v)->control.event_injection = vector | EVENT_TYPE_EXTERNAL | EVENT_VALID;
}

// Requests a virtual interrupt and intercepts it: the processor exits where the guest would take it
// (APM volume 2, 15.21.4).
void svm_interrupt_window(struct vcpu *v, bool wanted)
{
    struct vmcb_control *c = &svm_vmcb_of(v)->control;
    if (wanted) {
        c->v_intr |= V_IRQ | V_IGN_TPR;
        c->intercept_misc1 |= INTERCEPT_VINTR;
    } else {
        c->v_intr &= ~(uint32_t)(V_IRQ | V_IGN_TPR);
        c->intercept_misc1 &= ~(uint32_t)INTERCEPT_VINTR;
    }
    c->clean = 0;
}

// AMD-V without virtual NMIs does not track whether the guest is in its NMI handler. So IRET is
// intercepted while it is. The exit comes before the IRET runs, and the next NMI may be delivered
// only after the IRET. If an NMI is waiting, or arrives before the IRET has run, the IRET is
// single-stepped.
static void deliver_nmi(struct vcpu *v)
{
    struct vmcb *vmcb = svm_vmcb_of(v);
    vmcb->control.event_injection = EVENT_TYPE_NMI | EVENT_VALID | 2;
    vmcb->control.intercept_misc1 |= INTERCEPT_IRET;
    vmcb->control.clean = 0;
    v->nmi_pending = false;
    v->nmi_state = NMI_BLOCKED;
}

static void step_iret(struct vcpu *v)
{
    v->nmi_state = NMI_STEPPING;
    svm_vmcb_of(v)->save.rflags |= RFLAGS_TF;
}

void svm_inject_nmi(struct vcpu *v)
{
    struct vmcb *vmcb = svm_vmcb_of(v);
    if (v->nmi_state == NMI_BLOCKED || v->nmi_state == NMI_STEPPING) {
        v->nmi_pending = true; // one NMI is remembered, as in hardware
    } else if (v->nmi_state == NMI_LEAVING && vmcb->save.rip == v->nmi_iret_rip) {
        v->nmi_pending = true;
        step_iret(v);
    } else if (vmcb->control.event_injection & EVENT_VALID) {
        vcpu_post_nmi(v); // another event is being injected: try again at the exit right after it
    } else {
        deliver_nmi(v);
    }
}

void svm_nmi_iret(struct vcpu *v)
{
    struct vmcb *vmcb = svm_vmcb_of(v);
    vmcb->control.intercept_misc1 &= ~(uint32_t)INTERCEPT_IRET;
    vmcb->control.clean = 0;
    v->nmi_state = NMI_LEAVING;
    v->nmi_iret_rip = vmcb->save.rip;
    if (v->nmi_pending) {
        step_iret(v);
    }
}

bool svm_nmi_step(struct vcpu *v)
{
    if (v->nmi_state != NMI_STEPPING) {
        return false;
    }
    struct vmcb *vmcb = svm_vmcb_of(v);
    v->nmi_state = NMI_OPEN;
    // IRET has loaded the interrupted program's flags. If the IRET faulted instead, the TF set here
    // is still in the live flags and is cleared. The copy that the fault pushed keeps it.
    vmcb->save.rflags &= ~RFLAGS_TF;
    vmcb->save.dr6 &= ~DR6_BS;
    if (v->nmi_pending) {
        deliver_nmi(v);
    }
    return true;
}

void svm_nmi_open(void)
{
    __asm__ volatile("stgi" : : : "memory");
}

void svm_nmi_close(void)
{
    __asm__ volatile("clgi" : : : "memory");
}
