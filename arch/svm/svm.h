// SPDX-License-Identifier: Apache-2.0
// Shared by the files of the AMD-V back end.
#ifndef ARCH_SVM_SVM_H
#define ARCH_SVM_SVM_H

#include "arch/memory/layout.h"
#include "arch/svm/verdict.h"
#include "arch/svm/vmcb.h"
#include "arch/virt/virt.h"
#include "hv/partition/vcpu.h"

// The same on all CPUs; set by svm_probe.
extern struct svm_features svm_features;

// The VMCB of this CPU's guest, at its fixed address.
static inline struct vmcb *svm_vmcb(void)
{
    return (struct vmcb *)PERCPU_VM;
}

// The guest's general registers during an exit, at the top of this CPU's stack.
static inline struct guest_regs *svm_regs(void)
{
    return (struct guest_regs *)(PERCPU_STACK_TOP - sizeof(struct guest_regs));
}

static inline struct vmcb *svm_vmcb_of(const struct vcpu *v)
{
    return v->vm;
}

void svm_vcpu_reset(struct vcpu *v, const struct vcpu_entry *entry, struct guest_regs *regs);
void svm_enter(struct guest_regs *regs) __attribute__((noreturn));

void svm_get_state(struct vcpu *v, struct virt_state *out);
void svm_get_segment(struct vcpu *v, enum insn_segment segment, struct guest_segment *out);
void svm_inject(struct vcpu *v, const struct guest_exception *e, bool has_error_code);
void svm_inject_nmi(struct vcpu *v);
bool svm_can_interrupt(struct vcpu *v);
void svm_interrupt(struct vcpu *v, uint8_t vector);
void svm_interrupt_window(struct vcpu *v, bool wanted);
void svm_flush(struct vcpu *v);

// See struct virt_ops.
void svm_complete(struct vcpu *v, uint64_t rip, uint64_t rflags, uint64_t hits);

// The effects of an instruction's end: updates RF, and injects the trap for TF and for the
// breakpoints that the instruction met (`hits`, bits of DR6), if any. `repeats`: it was one
// iteration of several.
void svm_end_instruction(struct vmcb *vmcb, bool repeats, uint64_t hits);

// Called at the end of the guest's NMI handler: for an intercepted IRET, and for the single step
// over it.
void svm_nmi_iret(struct vcpu *v);
bool svm_nmi_step(struct vcpu *v);

// Let pending NMIs through, such as the one that caused an exit, and hold them back again.
void svm_nmi_open(void);
void svm_nmi_close(void);

// Called by the exit path (entry.asm).
void svm_exit(void);

#endif
