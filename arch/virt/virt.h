// SPDX-License-Identifier: Apache-2.0
// The narrow interface between hv/ and the processor's virtualization: AMD-V (arch/svm/) or VT-x
// (arch/vmx/). Everything above it is the same on both. Functions that take a vCPU are called on
// the CPU that runs it, with interrupts off, unless they say otherwise.
#ifndef ARCH_VIRT_VIRT_H
#define ARCH_VIRT_VIRT_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/virt/guest_cpu.h"
#include "arch/virt/guest_regs.h"
#include "arch/virt/table_format.h"
#include "arch/virt/vcpu_entry.h"

struct partition;
struct vcpu;

// The guest's state that emulation and reports need; gathered on slow exits only.
struct virt_state {
    struct guest_paging paging;
    enum decode_mode mode;
    bool real_mode; // CR0.PE = 0, or virtual-8086
    uint64_t cs_base;
    uint64_t rip;
    uint64_t rsp;
    uint64_t rflags;
    uint64_t dr7;
    // Instruction bytes that came with this exit, if the back end has any (else 0 bytes).
    const uint8_t *fetched;
    uint8_t fetched_count;
};

struct virt_ops {
    const char *name;
    enum table_format table_format; // of its second-level tables
    unsigned io_map_size;           // bytes of partition.io_map

    // Whether this CPU has what the back end needs. ERR_NOT_FOUND: another vendor's CPU, or the
    // feature is hidden. ERR_UNSUPPORTED: `why` says what is missing and what to do.
    enum status (*probe)(char *why, size_t size);
    // Lists for the inventory which optional features this CPU has. After probe.
    void (*describe)(char *text, size_t size);
    // Makes the tables that all vCPUs share. Boot CPU, once, after probe.
    enum status (*init)(void);
    // Turns virtualization on for this CPU.
    enum status (*cpu_enable)(void);

    // Makes an empty second-level tree (p->second_level), and an I/O permission map that the caller
    // fills (p->io_map). Boot CPU.
    enum status (*partition_create)(struct partition *p);
    // Makes the control structure of a vCPU, in its CPU's private area. Boot CPU.
    enum status (*vcpu_create)(struct vcpu *v);
    // Loads the vCPU's control structure on its CPU: once, before all that follows.
    void (*vcpu_load)(struct vcpu *v);

    // Sets the guest's whole state to the architectural INIT state with the given start.
    void (*vcpu_reset)(struct vcpu *v, const struct vcpu_entry *entry, struct guest_regs *regs);
    // Enters the guest for good. From then on the CPU leaves it only for exits.
    __attribute__((noreturn)) void (*run)(struct guest_regs *regs);

    // Flushes this CPU's cached second-level translations before the guest runs again. The vCPU's
    // own CPU.
    void (*flush)(struct vcpu *v);

    void (*get_state)(struct vcpu *v, struct virt_state *out);
    // Completes an instruction that was emulated: the guest continues at `rip` with these flags. An
    // unchanged `rip` means one iteration of a repeated instruction. Ends the shadow of STI or MOV
    // SS and clears RF, and raises the trap that TF or the breakpoints met (`hits`, bits of DR6)
    // require.
    void (*complete)(struct vcpu *v, uint64_t rip, uint64_t rflags, uint64_t hits);
    void (*get_segment)(struct vcpu *v, enum insn_segment segment, struct guest_segment *out);

    // EFER as the guest sees it.
    uint64_t (*get_efer)(struct vcpu *v);
    void (*set_efer)(struct vcpu *v, uint64_t efer);

    void (*inject)(struct vcpu *v, const struct guest_exception *e, bool has_error_code);
    // Queues an NMI for the guest, delivered as soon as the guest takes NMIs.
    void (*inject_nmi)(struct vcpu *v);

    // Interrupts of the guest's 8259s; all others come from the physical APIC. can_interrupt:
    // whether the guest takes one at its next instruction. interrupt: delivers one, if it does.
    // interrupt_window: requests (or cancels) an exit as soon as the guest can take one, which
    // calls guest_interrupt_window in hv/partition/guest_interrupt.c.
    bool (*can_interrupt)(struct vcpu *v);
    void (*interrupt)(struct vcpu *v, uint8_t vector);
    void (*interrupt_window)(struct vcpu *v, bool wanted);

    // Makes the vCPU exit after `ticks` TSC ticks, which calls guest_timers_work in
    // hv/partition/guest_timer.c; 0 cancels it. NULL: the vendor has no such timer. has_timer says
    // whether the processor has it.
    void (*set_timer)(struct vcpu *v, uint64_t ticks);
    bool (*has_timer)(void);

    // Chooses which APIC MSRs pass: those of x2APIC mode, or none.
    void (*set_x2apic)(struct vcpu *v, bool x2apic);

    // While NMIs are held back after an exit (AMD's GIF): let them through, and hold them back
    // again.
    void (*nmi_open)(void);
    void (*nmi_close)(void);
};

extern const struct virt_ops svm_ops;
extern const struct virt_ops vmx_ops;

// The back end of this machine; set once at boot.
extern const struct virt_ops *virt;

#endif
