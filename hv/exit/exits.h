// SPDX-License-Identifier: Apache-2.0
// Handlers for guest actions that cause an exit, independent of the vendor: one for each event. The
// back end calls them on the vCPU's CPU with interrupts off and `regs` complete.
//
// A handler returns true if it has done what the instruction does; the back end then moves RIP past
// it. On false RIP stays: an exception is to be delivered, the handler has set RIP itself, or the
// vCPU was reset.
#ifndef HV_EXIT_EXITS_H
#define HV_EXIT_EXITS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/types.h"
#include "arch/virt/guest_regs.h"
#include "hv/exit/hypercall.h"
#include "hv/partition/vcpu.h"

// CPUID is the frequent exit (a fork and exec has dozens). The back end takes leaves with a
// constant answer from here without a call. NULL: exit_cpuid() must answer.
static inline const struct cpuid_entry *cpuid_constant(const struct cpuid_table *t, uint32_t leaf)
{
    const struct cpuid_entry *e;
    if (leaf <= t->last_basic) {
        e = &t->basic[leaf];
    } else if (leaf - CPUID_EXT_BASE <= t->last_extended) {
        e = &t->extended[leaf - CPUID_EXT_BASE];
    } else {
        return NULL;
    }
    return e->flags == 0 ? e : NULL;
}

bool exit_cpuid(struct vcpu *v, struct guest_regs *regs, uint64_t cr4);
bool exit_rdmsr(struct vcpu *v, struct guest_regs *regs);
bool exit_wrmsr(struct vcpu *v, struct guest_regs *regs);
// The result of a hypercall of this number. No number has a hypercall yet.
static inline uint64_t exit_hypercall(uint64_t number)
{
    (void)number;
    return HYPERCALL_UNKNOWN;
}

// IN or OUT of `size` bytes (1, 2, 4).
bool exit_port(struct vcpu *v, struct guest_regs *regs, uint16_t port, unsigned size, bool in);

// The breakpoints that a port access hits, as bits of DR6. Call only if DR7 enables one.
uint64_t exit_port_breakpoints(uint64_t dr7, uint64_t cr4, uint16_t port, unsigned size);

// INS or OUTS. Decodes the instruction itself.
bool exit_port_string(struct vcpu *v, struct guest_regs *regs);

// An instruction's access to a guest-physical address that is not mapped for it. If there is no
// device either, a read gives ones and a write is dropped, unless the partition is to be stopped
// (on_stray_access).
bool exit_memory(struct vcpu *v, struct guest_regs *regs, gpa_t address, bool write);

// For an instruction that the guest doesn't have (#UD), or may not use (#GP(0)).
bool exit_undefined(struct vcpu *v);
bool exit_protected(struct vcpu *v);

// Ends the partition with a report, for an exit that can't be handled.
bool exit_fault(struct vcpu *v, struct guest_regs *regs, const char *what, uint64_t detail);

#endif
