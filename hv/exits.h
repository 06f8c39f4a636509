// SPDX-License-Identifier: Apache-2.0
// What a guest did that made it exit, in terms of neither vendor: one handler for each event. The
// back end calls them on the vCPU's CPU with interrupts off and `regs` complete.
//
// A handler that returns true has done what the instruction does, and the back end moves RIP
// behind it. On false RIP stays: an exception is to be delivered, the handler has set RIP itself,
// or the vCPU was reset.
#ifndef HV_EXITS_H
#define HV_EXITS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/types.h"
#include "hv/guest_regs.h"

struct vcpu;

bool exit_cpuid(struct vcpu *v, struct guest_regs *regs, uint64_t cr4);
bool exit_rdmsr(struct vcpu *v, struct guest_regs *regs);
bool exit_wrmsr(struct vcpu *v, struct guest_regs *regs);
bool exit_hypercall(struct vcpu *v, struct guest_regs *regs);

// IN or OUT of `size` bytes (1, 2, 4).
bool exit_port(struct vcpu *v, struct guest_regs *regs, uint16_t port, unsigned size, bool in);

// INS or OUTS; the instruction is decoded here.
bool exit_port_string(struct vcpu *v, struct guest_regs *regs);

// A guest-physical address that is not mapped for the access.
bool exit_memory(struct vcpu *v, struct guest_regs *regs, gpa_t address, bool write);

// An instruction that a guest does not have: #UD; or may not use: #GP(0).
bool exit_undefined(struct vcpu *v);
bool exit_protected(struct vcpu *v);

// Something that can't be served ends the partition with a report.
bool exit_fault(struct vcpu *v, struct guest_regs *regs, const char *what, uint64_t detail);

#endif
