// SPDX-License-Identifier: Apache-2.0
// From a #VMEXIT to the handler for the guest's action, and back. entry.asm calls svm_exit with the
// general registers on the stack; RAX and RSP are in the VMCB.
#include "arch/svm/svm.h"
#include "hv/life/end.h"
#include "hv/life/vcpu_work.h"

#include "arch/cpu/mca.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/percpu.h"
#include "hv/exit/exits.h"
#include "hv/exit/next_rip.h"
#include "hv/exit/platform.h"
#include "hv/life/machine_check.h"
#include "hv/partition/guest_interrupt.h"
#include "hv/partition/partition.h"

#define PORT_61 0x61

// The guest's RSP is in the VMCB; handlers expect it among the other registers.
static void stack_pointer_in(const struct vmcb *vmcb, struct guest_regs *regs)
{
    regs->r[GPR_RSP] = vmcb->save.rsp;
}

static void stack_pointer_out(struct vmcb *vmcb, const struct guest_regs *regs)
{
    vmcb->save.rsp = regs->r[GPR_RSP];
}

// The address after the exiting instruction, if it is known without decoding: from the processor,
// or because the plain `opcode` of `length` bytes is at RIP.
static inline bool quick_next_rip(struct vcpu *v, const struct vmcb *vmcb, uint32_t opcode,
                                  unsigned length, uint64_t *out)
{
    if (svm_features.next_rip) {
        *out = vmcb->control.next_rip;
        return true;
    }
    const struct vmcb_save *s = &vmcb->save;
    *out = s->rip + length;
    return next_rip_is_plain(&v->next_rip, s->cs.base + s->rip, s->cr3, opcode, length);
}

// The same, decoding if necessary. False if the address can't be found; an exception was injected
// instead.
static bool next_rip(struct vcpu *v, const struct vmcb *vmcb, struct guest_regs *regs,
                     uint32_t opcode, unsigned length, uint64_t *out)
{
    const struct vmcb_save *s = &vmcb->save;
    return quick_next_rip(v, vmcb, opcode, length, out) ||
           next_rip_decode(v, regs, s->cs.base + s->rip, s->cr3, out);
}

static inline void move_to(struct vmcb *vmcb, uint64_t rip)
{
    vmcb->save.rip = rip;
    vmcb->control.interrupt_shadow = 0;
    if (vmcb->save.rflags & (RFLAGS_TF | RFLAGS_RF)) {
        svm_end_instruction(vmcb, false, 0);
    }
}

// Runs a handler for an instruction whose plain form is `opcode` of `length` bytes. Moves past the
// instruction if the handler returns true.
#define COMPLETE(opcode, length, handler)                                                          \
    do {                                                                                           \
        uint64_t next_;                                                                            \
        if (next_rip(v, vmcb, regs, (opcode), (length), &next_) && (handler)) {                    \
            move_to(vmcb, next_);                                                                  \
        }                                                                                          \
    } while (0)

static void port(struct vcpu *v, struct vmcb *vmcb, struct guest_regs *regs)
{
    uint64_t info = vmcb->control.exit_info1;
    if (info & IOIO_STRING) {
        v->exits[EVENT_PORT_STRING]++;
        stack_pointer_in(vmcb, regs);
        exit_port_string(v, regs);
        return;
    }
    v->exits[EVENT_PORT]++;
    unsigned size = (info >> IOIO_SIZE_SHIFT) & 7;
    uint64_t next = vmcb->control.exit_info2;
    uint16_t number = (uint16_t)(info >> IOIO_PORT_SHIFT);
    if (exit_port(v, regs, number, size, (info & IOIO_IN) != 0)) {
        uint64_t dr7 = vmcb->save.dr7, hits = 0;
        if (dr7 & DR7_ENABLED) {
            hits = exit_port_breakpoints(dr7, vmcb->save.cr4, number, size);
        }
        svm_complete(v, next, vmcb->save.rflags, hits);
    }
}

static void nested_page_fault(struct vcpu *v, struct vmcb *vmcb, struct guest_regs *regs)
{
    stack_pointer_in(vmcb, regs);
    uint64_t info = vmcb->control.exit_info1;
    gpa_t address = gpa(vmcb->control.exit_info2);
    if (info & NPF_TABLE_WALK) {
        exit_fault(v, regs, "page tables outside its memory, at guest-physical", address.v);
    } else if (info & NPF_FETCH) {
        exit_fault(v, regs, "executes code outside its memory, at guest-physical", address.v);
    } else if (vmcb->control.exit_int_info & EVENT_VALID) {
        // No instruction made this access: the processor is delivering an event.
        exit_fault(v, regs, "descriptor tables or stack outside its memory, at guest-physical",
                   address.v);
    } else if (exit_memory(v, regs, address, (info & NPF_WRITE) != 0)) {
        stack_pointer_out(vmcb, regs);
    }
}

static void exception(struct vcpu *v, struct vmcb *vmcb, struct guest_regs *regs)
{
    unsigned vector = (unsigned)(vmcb->control.exit_code - EXIT_EXCEPTION_FIRST);
    v->exits[EVENT_EXCEPTION]++;
    switch (vector) {
    case EXCEPTION_DB:
        if (!svm_nmi_step(v)) {
            svm_inject(v, &(struct guest_exception){.vector = EXCEPTION_DB}, false);
        }
        break;
    case EXCEPTION_AC:
        svm_inject(v, &(struct guest_exception){.vector = EXCEPTION_AC}, true);
        break;
    case EXCEPTION_MC:
        machine_check_exit(v, regs, true);
        break;
    default:
        exit_fault(v, regs, "an exception that was not asked for, vector", vector);
        break;
    }
}

// The exit interrupted the delivery of an event to the guest, so it is injected again (APM volume
// 2, 15.20). A software interrupt is repeated by its instruction.
static void restore_event(struct vmcb *vmcb)
{
    uint64_t event = vmcb->control.exit_int_info;
    if ((event & EVENT_TYPE_MASK) != EVENT_TYPE_SOFTWARE) {
        vmcb->control.event_injection = event;
    }
}

static void dispatch(struct vcpu *v, struct vmcb *vmcb, struct guest_regs *regs)
{
    switch (vmcb->control.exit_code) {
    case EXIT_CPUID:
        v->exits[EVENT_CPUID]++;
        COMPLETE(OPCODE_CPUID, 2, exit_cpuid(v, regs, vmcb->save.cr4));
        break;
    case EXIT_MSR:
        if (vmcb->control.exit_info1 == 0) {
            v->exits[EVENT_MSR_READ]++;
            COMPLETE(OPCODE_RDMSR, 2, exit_rdmsr(v, regs));
        } else {
            v->exits[EVENT_MSR_WRITE]++;
            COMPLETE(OPCODE_WRMSR, 2, exit_wrmsr(v, regs));
        }
        break;
    case EXIT_VMMCALL:
        v->exits[EVENT_HYPERCALL]++;
        COMPLETE(OPCODE_VMMCALL, 3, (regs->r[GPR_RAX] = exit_hypercall(regs->r[GPR_RAX]), true));
        break;
    case EXIT_NMI:
        v->exits[EVENT_NMI]++;
        svm_nmi_open();
        svm_nmi_close();
        vcpu_after_nmi(v, regs);
        break;
    case EXIT_IOIO:
        port(v, vmcb, regs);
        break;
    case EXIT_VINTR:
        v->exits[EVENT_OTHER]++;
        guest_interrupt_window(v);
        break;
    case EXIT_IRET:
        v->exits[EVENT_OTHER]++;
        svm_nmi_iret(v);
        break;
    case EXIT_INVD:
        v->exits[EVENT_INSTRUCTION]++;
        COMPLETE(OPCODE_INVD, 2, true);
        break;
    case EXIT_WBINVD:
        // Does nothing, like INVD. Memory is coherent and no device of the guest bypasses the
        // caches, so nothing needs writing back, and doing so would stall the other partitions.
        v->exits[EVENT_INSTRUCTION]++;
        COMPLETE(OPCODE_WBINVD, 2, true);
        break;
    case EXIT_RDPMC:
        v->exits[EVENT_INSTRUCTION]++;
        exit_protected(v);
        break;
    case EXIT_VMRUN:
    case EXIT_VMLOAD:
    case EXIT_VMSAVE:
    case EXIT_STGI:
    case EXIT_CLGI:
    case EXIT_SKINIT:
    case EXIT_INVLPGA:
    case EXIT_INVLPGB:
    case EXIT_TLBSYNC:
    case EXIT_MONITOR:
    case EXIT_MWAIT:
    case EXIT_MWAIT_ARMED:
    case EXIT_RDPRU:
    case EXIT_RSM:
        v->exits[EVENT_INSTRUCTION]++;
        exit_undefined(v);
        break;
    case EXIT_FERR_FREEZE:
        // The guest wants FPU errors reported the old way, by interrupt 13 of an 8259. None is
        // connected, and the CPU would wait for ever. The guest gets #MF, as on VT-x, where CR0.NE
        // is fixed.
        v->exits[EVENT_EXCEPTION]++;
        svm_inject(v, &(struct guest_exception){.vector = EXCEPTION_MF}, false);
        break;
    case EXIT_SHUTDOWN:
        // The VMCB's save area is undefined from here on (APM vol. 2, 15.14.3).
        v->exits[EVENT_OTHER]++;
        if (mca_in_progress()) {
            machine_check_exit(v, regs, false); // an #MC while the guest's CR4.MCE was clear
        } else {
            partition_end(v, PARTITION_TRIPLE_FAULT, "triple fault", regs);
        }
        break;
    case EXIT_INIT:
        // Nothing in the machine sends INIT. An unexpected one is not for the guest.
        v->exits[EVENT_OTHER]++;
        break;
    case EXIT_INVALID:
        exit_fault(v, regs, "guest state that VMRUN refuses, CR0", vmcb->save.cr0);
        break;
    default:
        if (vmcb->control.exit_code >= EXIT_EXCEPTION_FIRST &&
            vmcb->control.exit_code <= EXIT_EXCEPTION_LAST) {
            exception(v, vmcb, regs);
            break;
        }
        exit_fault(v, regs, "an exit that was not asked for, code", vmcb->control.exit_code);
        break;
    }
}

// The hot exits. False: the exit needs the full path.
static inline bool hot_cpuid(struct vcpu *v, struct vmcb *vmcb, struct guest_regs *regs)
{
    uint64_t next;
    if (!quick_next_rip(v, vmcb, OPCODE_CPUID, 2, &next)) {
        return false;
    }
    const struct cpuid_entry *e = cpuid_constant(&v->cpuid, (uint32_t)vmcb->save.rax);
    if (e == NULL) {
        return false;
    }
    v->exits[EVENT_CPUID]++;
    vmcb->save.rax = e->eax;
    regs->r[GPR_RBX] = e->ebx;
    regs->r[GPR_RCX] = e->ecx;
    regs->r[GPR_RDX] = e->edx;
    move_to(vmcb, next);
    return true;
}

static inline bool hot_hypercall(struct vcpu *v, struct vmcb *vmcb)
{
    uint64_t next;
    if (!quick_next_rip(v, vmcb, OPCODE_VMMCALL, 3, &next)) {
        return false;
    }
    v->exits[EVENT_HYPERCALL]++;
    vmcb->save.rax = exit_hypercall(vmcb->save.rax);
    move_to(vmcb, next);
    return true;
}

// Not inline: its call would make the other hot exits save one more register.
static __attribute__((noinline)) bool hot_port(struct vcpu *v, struct vmcb *vmcb)
{
    uint64_t info = vmcb->control.exit_info1;
    if ((info & IOIO_WHAT) != IOIO_IN_BYTE || info >> IOIO_PORT_SHIFT != PORT_61 ||
        (vmcb->save.dr7 & DR7_ENABLED) != 0) {
        return false;
    }
    v->exits[EVENT_PORT]++;
    vmcb->save.rax = (vmcb->save.rax & ~0xffull) | platform_port61_read(v);
    move_to(vmcb, vmcb->control.exit_info2);
    return true;
}

static __attribute__((noinline)) void cold_exit(void)
{
    struct vmcb *vmcb = svm_vmcb();
    struct guest_regs *regs = svm_regs();
    struct vcpu *v = this_cpu()->vcpu;
    vmcb->control.tlb_control = TLB_CONTROL_NOTHING; // the flush of a reset is done
    if (vmcb->control.exit_int_info & EVENT_VALID) {
        restore_event(vmcb);
    }
    regs->r[GPR_RAX] = vmcb->save.rax;
    if (vmcb->control.exit_code == EXIT_NPF) {
        nested_page_fault(v, vmcb, regs); // also every access to the APIC page in xAPIC mode
    } else {
        dispatch(v, vmcb, regs);
    }
    if (__builtin_expect(this_cpu()->nmi_taken, 0)) {
        vcpu_after_nmi(v, regs); // an NMI that came while the handler let NMIs through
    }
    vmcb->save.rax = regs->r[GPR_RAX];
}

void svm_exit(void)
{
    struct vmcb *vmcb = svm_vmcb();
    struct vcpu *v = this_cpu()->vcpu;

    vmcb->control.clean = ~0u;
    uint64_t code = vmcb->control.exit_code;
    if (__builtin_expect(code == EXIT_CPUID, 1)) {
        if (hot_cpuid(v, vmcb, svm_regs())) {
            return;
        }
    } else if (code == EXIT_VMMCALL) {
        if (hot_hypercall(v, vmcb)) {
            return;
        }
    } else if (code == EXIT_IOIO) {
        if (hot_port(v, vmcb)) {
            return;
        }
    }
    cold_exit();
}
