// SPDX-License-Identifier: Apache-2.0
// A guest that calls the BIOS of a PC, which a partition has not: one line of the log names the
// call and what to do, and the guest gets what hv/guest/bios_rules.h says.
#ifndef HV_EXIT_BIOS_CALL_H
#define HV_EXIT_BIOS_CALL_H

#include <stdbool.h>

#include "arch/virt/guest_regs.h"

struct vcpu;

// The guest has written to GUEST_BIOS_PORT: if from one of the stubs in real mode, it is a call.
// True: it goes on behind the instruction. False: the partition was ended, and `regs` may be a new
// start's.
bool bios_call(struct vcpu *v, struct guest_regs *regs);

#endif
