// SPDX-License-Identifier: Apache-2.0
// From a VM exit to the handler for the guest's action, and back. entry.asm calls vmx_exit with the
// general registers on the stack; RSP, RIP and RFLAGS are in the VMCS.
#include "arch/vmx/vmx.h"
#include "hv/life/end.h"
#include "hv/life/vcpu_work.h"

#include "arch/cpu/cpu.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/percpu.h"
#include "hv/exit/exits.h"
#include "hv/life/machine_check.h"
#include "hv/partition/guest_interrupt.h"
#include "hv/partition/guest_timer.h"
#include "hv/partition/partition.h"

#define VECTOR_NMI 2

// Moves past the exiting instruction in the plain case: no STI or MOV SS before it that holds
// interrupts back, no single step, no wrap-around. False: not the plain case, nothing was changed.
static inline bool quick_advance(void)
{
    uint64_t rip = vmread(VMCS_GUEST_RIP);
    uint64_t next = rip + vmread(VMCS_EXIT_LENGTH);
    if ((vmread(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_SHADOW) |
        (vmread(VMCS_GUEST_RFLAGS) & (RFLAGS_TF | RFLAGS_RF)) | ((rip ^ next) >> 32)) {
        return false;
    }
    vmwrite(VMCS_GUEST_RIP, next);
    return true;
}

// Moves past the exiting instruction in every case. Outside 64-bit mode EIP wraps at 4 GiB.
static void advance(struct vcpu *v)
{
    if (quick_advance()) {
        return;
    }
    uint64_t rip = vmread(VMCS_GUEST_RIP);
    uint64_t next = rip + vmread(VMCS_EXIT_LENGTH);
    if (next >> 32 != rip >> 32) {
        struct virt_state state;
        vmx_get_state(v, &state);
        next = state.mode == DECODE_64 ? next : (uint32_t)next;
    }
    vmx_complete(v, next, vmread(VMCS_GUEST_RFLAGS), 0);
}

// Runs a handler for an instruction. Moves past the instruction if the handler returns true.
#define COMPLETE(handler)                                                                          \
    do {                                                                                           \
        if (handler) {                                                                             \
            advance(v);                                                                            \
        }                                                                                          \
    } while (0)

static void port(struct vcpu *v, struct guest_regs *regs)
{
    uint64_t q = vmread(VMCS_QUALIFICATION);
    if (q & IO_STRING) {
        v->exits[EVENT_PORT_STRING]++;
        exit_port_string(v, regs);
        return;
    }
    v->exits[EVENT_PORT]++;
    if (!exit_port(v, regs, IO_PORT(q), IO_SIZE(q), (q & IO_IN) != 0)) {
        return;
    }
    advance(v);
    uint64_t dr7 = vmread(VMCS_GUEST_DR7);
    if (dr7 & DR7_ENABLED) {
        vmx_debug_trap(exit_port_breakpoints(dr7, vmx_cr4(), IO_PORT(q), IO_SIZE(q)));
    }
}

// The exit interrupted an IRET that had unblocked NMIs. The IRET will run again, so NMIs must still
// be blocked (SDM vol. 3, 28.2.3).
static void block_nmi_again(void)
{
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKED_BY_NMI);
}

static void ept_violation(struct vcpu *v, struct guest_regs *regs, bool delivering)
{
    uint64_t q = vmread(VMCS_QUALIFICATION);
    gpa_t address = gpa(vmread(VMCS_GUEST_PHYSICAL_ADDRESS));
    if ((q & EPT_NMI_UNBLOCKED) && !delivering) {
        block_nmi_again();
    }
    if ((q & EPT_LINEAR_VALID) == 0 || (q & EPT_LINEAR_TRANSLATED) == 0) {
        v->exits[EVENT_OTHER]++;
        exit_fault(v, regs, "page tables outside its memory, at guest-physical", address.v);
    } else if (q & EPT_ACCESS_FETCH) {
        v->exits[EVENT_OTHER]++;
        exit_fault(v, regs, "executes code outside its memory, at guest-physical", address.v);
    } else if (delivering) {
        // No instruction made this access: the processor is delivering an event.
        v->exits[EVENT_OTHER]++;
        exit_fault(v, regs, "descriptor tables or stack outside its memory, at guest-physical",
                   address.v);
    } else {
        exit_memory(v, regs, address, (q & EPT_ACCESS_WRITE) != 0);
    }
}

static void nmi(struct vcpu *v, struct guest_regs *regs)
{
    v->exits[EVENT_NMI]++;
    this_cpu()->nmi_taken = 1; // this NMI exited instead of running nmi_entry
    vmx_unblock_nmi();
    vcpu_after_nmi(v, regs);
}

static void exception_or_nmi(struct vcpu *v, struct guest_regs *regs, bool delivering)
{
    uint32_t event = (uint32_t)vmread(VMCS_EXIT_EVENT);
    if (EVENT_TYPE(event) == EVENT_TYPE_NMI) {
        nmi(v, regs);
        return;
    }
    v->exits[EVENT_EXCEPTION]++;
    if ((event & EVENT_NMI_UNBLOCKED) && !delivering) {
        block_nmi_again();
    }
    switch (EVENT_VECTOR(event)) {
    case EXCEPTION_DB:
    case EXCEPTION_AC:
        vmx_reflect(event, vmread(VMCS_QUALIFICATION));
        break;
    case EXCEPTION_MC:
        machine_check_exit(v, regs, true);
        break;
    default:
        exit_fault(v, regs, "an exception that was not asked for, vector", EVENT_VECTOR(event));
        break;
    }
}

static void dispatch(struct vcpu *v, struct guest_regs *regs, unsigned reason, bool delivering)
{
    switch (reason) {
    case VMX_EXIT_CPUID:
        v->exits[EVENT_CPUID]++;
        COMPLETE(exit_cpuid(v, regs, vmx_cr4()));
        break;
    case VMX_EXIT_RDMSR:
        v->exits[EVENT_MSR_READ]++;
        COMPLETE(exit_rdmsr(v, regs));
        break;
    case VMX_EXIT_WRMSR:
        v->exits[EVENT_MSR_WRITE]++;
        COMPLETE(exit_wrmsr(v, regs));
        break;
    case VMX_EXIT_VMCALL:
        v->exits[EVENT_HYPERCALL]++;
        COMPLETE((regs->r[GPR_RAX] = exit_hypercall(regs->r[GPR_RAX]), true));
        break;
    case VMX_EXIT_EXCEPTION_NMI:
        exception_or_nmi(v, regs, delivering);
        break;
    case VMX_EXIT_INTERRUPT_WINDOW:
        v->exits[EVENT_OTHER]++;
        guest_interrupt_window(v);
        break;
    case VMX_EXIT_HLT:
        v->exits[EVENT_INSTRUCTION]++;
        advance(v);
        vmx_halted(v);
        break;
    case VMX_EXIT_PREEMPTION_TIMER:
        v->exits[EVENT_OTHER]++;
        guest_timers_work(v);
        break;
    case VMX_EXIT_NMI_WINDOW:
        v->exits[EVENT_NMI]++;
        vmx_nmi_window(v);
        break;
    case VMX_EXIT_IO:
        port(v, regs);
        break;
    case VMX_EXIT_EPT_VIOLATION:
        ept_violation(v, regs, delivering);
        break;
    case VMX_EXIT_CR:
        v->exits[EVENT_INSTRUCTION]++;
        COMPLETE(vmx_cr_exit(v, regs, vmread(VMCS_QUALIFICATION)));
        break;
    case VMX_EXIT_XSETBV:
        v->exits[EVENT_INSTRUCTION]++;
        COMPLETE(vmx_xsetbv(v, regs));
        break;
    case VMX_EXIT_INVD:
    case VMX_EXIT_WBINVD:
        // Memory is coherent and no device of the guest bypasses the caches, so nothing needs
        // writing back, and doing so would stall the other partitions.
        v->exits[EVENT_INSTRUCTION]++;
        advance(v);
        break;
    case VMX_EXIT_RDPMC:
        v->exits[EVENT_INSTRUCTION]++;
        exit_protected(v);
        break;
    case VMX_EXIT_VMCLEAR ... VMX_EXIT_VMXON:
    case VMX_EXIT_INVEPT:
    case VMX_EXIT_INVVPID:
    case VMX_EXIT_VMFUNC:
    case VMX_EXIT_GETSEC:
    case VMX_EXIT_ENCLS:
    case VMX_EXIT_ENCLV:
    case VMX_EXIT_SEAMCALL: // with TDX these two exit without any control
    case VMX_EXIT_TDCALL:
    case VMX_EXIT_RDMSR_IMMEDIATE: // these two obey the MSR bitmaps; CPUID hides them
    case VMX_EXIT_WRMSR_IMMEDIATE:
    case VMX_EXIT_MWAIT:
    case VMX_EXIT_MONITOR:
    case VMX_EXIT_RSM:
        v->exits[EVENT_INSTRUCTION]++;
        exit_undefined(v);
        break;
    case VMX_EXIT_TRIPLE_FAULT:
        v->exits[EVENT_OTHER]++;
        partition_end(v, PARTITION_TRIPLE_FAULT, "triple fault", regs);
        break;
    case VMX_EXIT_INIT:
    case VMX_EXIT_SIPI:
        // Nothing in the machine sends INIT. An unexpected one is not for the guest.
        v->exits[EVENT_OTHER]++;
        break;
    case VMX_EXIT_TASK_SWITCH:
        v->exits[EVENT_OTHER]++;
        vmx_task_switch(v, regs);
        break;
    case VMX_EXIT_EPT_MISCONFIGURATION:
        panic("EPT misconfiguration of partition %s at guest-physical 0x%lx", v->partition->name,
              vmread(VMCS_GUEST_PHYSICAL_ADDRESS));
    default:
        v->exits[EVENT_OTHER]++;
        exit_fault(v, regs, "an exit that was not asked for, reason", reason);
        break;
    }
}

// The hot exits. Constant answers need no call. False: not a hot exit.
static inline bool hot_exit(struct vcpu *v, struct guest_regs *regs, uint64_t reason)
{
    if (reason == VMX_EXIT_CPUID) {
        const struct cpuid_entry *e = cpuid_constant(&v->cpuid, (uint32_t)regs->r[GPR_RAX]);
        if (!quick_advance()) {
            return false;
        }
        v->exits[EVENT_CPUID]++;
        if (e == NULL) {
            exit_cpuid(v, regs, vmx_cr4());
            return true;
        }
        regs->r[GPR_RAX] = e->eax;
        regs->r[GPR_RBX] = e->ebx;
        regs->r[GPR_RCX] = e->ecx;
        regs->r[GPR_RDX] = e->edx;
        return true;
    }
    if (reason == VMX_EXIT_VMCALL) {
        if (!quick_advance()) {
            return false;
        }
        v->exits[EVENT_HYPERCALL]++;
        regs->r[GPR_RAX] = exit_hypercall(regs->r[GPR_RAX]);
        return true;
    }
    return false;
}

static __attribute__((noinline)) void cold_exit(struct vcpu *v, struct guest_regs *regs,
                                                uint64_t reason)
{
    regs->r[GPR_RSP] = vmread(VMCS_GUEST_RSP);
    if (reason & EXIT_ENTRY_FAILED) {
        vmx_entry_refused(v, regs, reason);
    } else {
        uint32_t vectoring = (uint32_t)vmread(VMCS_VECTORING_EVENT);
        bool delivering = (vectoring & EVENT_VALID) != 0;
        if (delivering) {
            vmx_deliver_again(vectoring);
        }
        dispatch(v, regs, EXIT_REASON_BASIC(reason), delivering);
    }
    vmwrite(VMCS_GUEST_RSP, regs->r[GPR_RSP]);
}

void vmx_exit(struct guest_regs *regs)
{
    struct vcpu *v = this_cpu()->vcpu;
    uint64_t reason = vmread(VMCS_EXIT_REASON);
    if (!hot_exit(v, regs, reason)) {
        cold_exit(v, regs, reason);
    }
}

void vmx_kicked(struct guest_regs *regs)
{
    struct vcpu *v = this_cpu()->vcpu;
    regs->r[GPR_RSP] = vmread(VMCS_GUEST_RSP);
    vcpu_after_nmi(v, regs);
    vmwrite(VMCS_GUEST_RSP, regs->r[GPR_RSP]);
}
