// SPDX-License-Identifier: Apache-2.0
// The narrow interface between hv/ and the processor's virtualization: AMD-V (arch/svm/) or VT-x.
// Everything above it is the same on both. All functions that take a vCPU are called on the CPU
// that runs it, interrupts off, unless said otherwise.
#ifndef ARCH_VIRT_VIRT_H
#define ARCH_VIRT_VIRT_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/memory/paging.h"
#include "arch/virt/guest_cpu.h"
#include "arch/virt/guest_regs.h"
#include "arch/virt/table_format.h"
#include "arch/virt/vcpu_entry.h"

struct partition;
struct vcpu;

// What emulation and reports need of a guest's state; gathered on slow exits only.
struct virt_state {
    struct guest_paging paging;
    enum decode_mode mode;
    bool real_mode; // CR0.PE = 0, or virtual-8086
    uint64_t cs_base;
    uint64_t rip;
    uint64_t rsp;
    uint64_t rflags;
    uint64_t dr7;
    // Instruction bytes that came with this exit; set by a back end that has some (else 0).
    const uint8_t *fetched;
    uint8_t fetched_count;
};

struct virt_ops {
    const char *name;
    enum table_format table_format; // of its second-level tables
    unsigned io_map_size;           // bytes of partition.io_map

    // Whether this CPU can do it. ERR_NOT_FOUND: it is not of this vendor, or hides it.
    // ERR_UNSUPPORTED: `why` says what is missing and what to do.
    enum status (*probe)(char *why, size_t size);
    // Which of the features that are used where they are this CPU has, for the inventory. After
    // probe.
    void (*describe)(char *text, size_t size);
    // Tables that all vCPUs share. Boot CPU, once, after probe.
    enum status (*init)(void);
    // Turns virtualization on for this CPU.
    enum status (*cpu_enable)(void);

    // An empty second-level tree (p->second_level) and an I/O permission map that the caller fills
    // (p->io_map). Boot CPU.
    enum status (*partition_create)(struct partition *p);
    // The control structure of a vCPU, in its CPU's private area. Boot CPU.
    enum status (*vcpu_create)(struct vcpu *v);
    // The vCPU's CPU takes hold of it: once, before all that follows.
    void (*vcpu_load)(struct vcpu *v);

    // Sets the guest's whole state to the architectural INIT state with the given start.
    void (*vcpu_reset)(struct vcpu *v, const struct vcpu_entry *entry, struct guest_regs *regs);
    // Enters the guest; from now on it is left only for exits.
    __attribute__((noreturn)) void (*run)(struct guest_regs *regs);

    // What this CPU remembers of the second-level tables is gone when the guest runs again. The
    // vCPU's own CPU.
    void (*flush)(struct vcpu *v);

    void (*get_state)(struct vcpu *v, struct virt_state *out);
    // An instruction was done for the guest, which goes on at `rip` with these flags; where `rip`
    // has not moved, one iteration of a repeated instruction was done. The shadow of STI or MOV SS
    // ends, so does RF, and the trap comes that TF or the breakpoints met (`hits`, bits of DR6)
    // make.
    void (*complete)(struct vcpu *v, uint64_t rip, uint64_t rflags, uint64_t hits);
    void (*get_segment)(struct vcpu *v, enum insn_segment segment, struct guest_segment *out);

    // EFER as the guest sees it.
    uint64_t (*get_efer)(struct vcpu *v);
    void (*set_efer)(struct vcpu *v, uint64_t efer);

    void (*inject)(struct vcpu *v, const struct guest_exception *e, bool has_error_code);
    // The guest's NMI, delivered as soon as the guest takes NMIs.
    void (*inject_nmi)(struct vcpu *v);

    // Interrupts of the guest's 8259s; all others are the physical APIC's. Whether the guest takes
    // one at its next instruction; the interrupt itself, for which that must hold; and an exit as
    // soon as it does, or no longer (interrupt_window in hv/partition/guest_interrupt.c is called
    // then).
    bool (*can_interrupt)(struct vcpu *v);
    void (*interrupt)(struct vcpu *v, uint8_t vector);
    void (*interrupt_window)(struct vcpu *v, bool wanted);

    // Makes the vCPU exit in so many ticks of the TSC (guest_timers_work in
    // hv/partition/guest_timer.c is called then); 0: no more. NULL: the vendor has no such timer;
    // has_timer says whether the processor has.
    void (*set_timer)(struct vcpu *v, uint64_t ticks);
    bool (*has_timer)(void);

    // Chooses which APIC MSRs pass: those of x2APIC mode or none.
    void (*set_x2apic)(struct vcpu *v, bool x2apic);

    // While NMIs are held back after an exit (AMD's GIF), lets them through and holds them again.
    void (*nmi_open)(void);
    void (*nmi_close)(void);
};

extern const struct virt_ops svm_ops;
extern const struct virt_ops vmx_ops;

// The back end of this machine; set once at boot.
extern const struct virt_ops *virt;

#endif
