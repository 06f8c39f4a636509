// SPDX-License-Identifier: Apache-2.0
// What a guest did that made it exit, in terms of neither vendor: one handler for each event. The
// back end calls them on the vCPU's CPU with interrupts off and `regs` complete.
//
// A handler that returns true has done what the instruction does, and the back end moves RIP
// behind it. On false RIP stays: an exception is to be delivered, the handler has set RIP itself,
// or the vCPU was reset.
#ifndef HV_EXIT_EXITS_H
#define HV_EXIT_EXITS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/types.h"
#include "arch/virt/guest_regs.h"
#include "hv/exit/hypercall.h"
#include "hv/partition/vcpu.h"

// CPUID is the hot exit (a fork and exec has dozens), so the back end takes the leaves whose answer
// is a constant from here without a call. NULL: exit_cpuid has to do it.
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
// A hypercall of this number has a result right away. (There is none of any number yet.)
static inline uint64_t exit_hypercall(uint64_t number)
{
    (void)number;
    return HYPERCALL_UNKNOWN;
}

// IN or OUT of `size` bytes (1, 2, 4).
bool exit_port(struct vcpu *v, struct guest_regs *regs, uint16_t port, unsigned size, bool in);

// The breakpoints that the access met, as bits of DR6; asked for where DR7 has one enabled.
uint64_t exit_port_breakpoints(uint64_t dr7, uint64_t cr4, uint16_t port, unsigned size);

// INS or OUTS; the instruction is decoded here.
bool exit_port_string(struct vcpu *v, struct guest_regs *regs);

// A guest-physical address that is not mapped for the access of an instruction. Where there is no
// device either, a read gives ones and a write is dropped, unless the partition is to be stopped
// (on_stray_access).
bool exit_memory(struct vcpu *v, struct guest_regs *regs, gpa_t address, bool write);

// An instruction that a guest does not have: #UD; or may not use: #GP(0).
bool exit_undefined(struct vcpu *v);
bool exit_protected(struct vcpu *v);

// Something that can't be served ends the partition with a report.
bool exit_fault(struct vcpu *v, struct guest_regs *regs, const char *what, uint64_t detail);

#endif
