// SPDX-License-Identifier: Apache-2.0
// Handles a guest's call of the PC's BIOS, which a partition doesn't have. One line of the log
// names the call and the remedy. hv/guest/bios_rules.h says what the guest gets.
#ifndef HV_EXIT_BIOS_CALL_H
#define HV_EXIT_BIOS_CALL_H

#include <stdbool.h>

#include "arch/virt/guest_regs.h"

struct vcpu;

// Call when the guest has written to GUEST_BIOS_PORT. It is a BIOS call if it comes from one of the
// stubs in real mode. True: the guest continues after the instruction. False: the partition was
// ended, and `regs` may be those of its next start.
bool bios_call(struct vcpu *v, struct guest_regs *regs);

#endif
