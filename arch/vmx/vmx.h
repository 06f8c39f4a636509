// SPDX-License-Identifier: Apache-2.0
// Shared by the files of the VT-x back end. A vCPU's VMCS is current on its CPU from vmx_vcpu_load
// on, and no other ever becomes current, so VMREAD and VMWRITE always access this guest.
#ifndef ARCH_VMX_VMX_H
#define ARCH_VMX_VMX_H

#include "arch/virt/virt.h"
#include "arch/vmx/check.h"
#include "arch/vmx/controls.h"
#include "arch/vmx/vmcs.h"
#include "hv/partition/vcpu.h"

// The controls and limits of this machine's VT-x; the same on all CPUs. Set by the boot CPU's
// vmx_probe.
extern struct vmx_controls vmx_controls;
extern struct vmx_limits vmx_limits;

extern const uint8_t *vmx_msr_map_xapic;  // permission maps, shared by all vCPUs, constant
extern const uint8_t *vmx_msr_map_x2apic; // after vmx_init

// CR0 and CR4 bits that the guest does not own: see arch/vmx/cr.c.
extern uint64_t vmx_cr0_mask;
extern uint64_t vmx_cr4_mask;

static inline uint64_t vmread(enum vmcs_field field)
{
    uint64_t value;
    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
    return value;
}

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
    __asm__ volatile("vmwrite %1, %0" : : "r"((uint64_t)field), "r"(value) : "cc", "memory");
}

// reset.c
void vmx_vcpu_reset(struct vcpu *v, const struct vcpu_entry *entry, struct guest_regs *regs);

// Flushes all cached translations of this CPU's guest.
void vmx_flush_tlb(void);

// task_exit.c
void vmx_task_switch(struct vcpu *v, struct guest_regs *regs);

// cr.c: sets the two masks above.
void vmx_cr_init(void);
// Sets the real values and the read shadows of CR0 and CR4 from the values that the guest asks for.
void vmx_cr_set(uint64_t cr0, uint64_t cr4);
uint64_t vmx_cr0(void); // as the guest sees them
uint64_t vmx_cr4(void);
// Handle exits for MOV to CR0 and CR4, and for XSETBV. True: move past the instruction.
bool vmx_cr_exit(struct vcpu *v, struct guest_regs *regs, uint64_t qualification);
bool vmx_xsetbv(struct vcpu *v, const struct guest_regs *regs);

// state.c
void vmx_get_state(struct vcpu *v, struct virt_state *out);
void vmx_get_segment(struct vcpu *v, enum insn_segment segment, struct guest_segment *out);
// See struct virt_ops.
void vmx_complete(struct vcpu *v, uint64_t rip, uint64_t rflags, uint64_t hits);
// Makes a #DB trap pending after the instruction that was completed last; `hits` are bits of DR6.
void vmx_debug_trap(uint64_t hits);
void vmx_set_x2apic(struct vcpu *v, bool x2apic);
uint64_t vmx_get_efer(struct vcpu *v);
void vmx_set_efer(struct vcpu *v, uint64_t efer);

// event.c
void vmx_inject(struct vcpu *v, const struct guest_exception *e, bool has_error_code);
void vmx_inject_nmi(struct vcpu *v);
bool vmx_can_interrupt(struct vcpu *v);
void vmx_interrupt(struct vcpu *v, uint8_t vector);
void vmx_interrupt_window(struct vcpu *v, bool wanted);
void vmx_halted(struct vcpu *v); // after an HLT that exited was completed
void vmx_set_timer(struct vcpu *v, uint64_t ticks);
bool vmx_has_timer(void);
void vmx_nmi_window(struct vcpu *v);
// Gives an intercepted exception to the guest; `event` is the exit's interruption information.
void vmx_reflect(uint32_t event, uint64_t qualification);
// Injects the event again whose delivery an exit interrupted; `event` is valid vectoring
// information.
void vmx_deliver_again(uint32_t event);

// report.c: prints why an entry failed and ends the partition.
void vmx_entry_refused(struct vcpu *v, struct guest_regs *regs, uint64_t reason);

// entry.asm
void vmx_enter(struct guest_regs *regs) __attribute__((noreturn));
void vmx_unblock_nmi(void);
extern const uint8_t vmx_exit_entry[];

// Called by entry.asm.
void vmx_exit(struct guest_regs *regs);
void vmx_kicked(struct guest_regs *regs);
void vmx_entry_failed(struct guest_regs *regs);

#endif
