// SPDX-License-Identifier: Apache-2.0
// Which bits of CR0 and CR4 a guest owns on VT-x. Has no privileged instruction, so it is tested on
// the host.
#ifndef ARCH_VMX_CR_RULES_H
#define ARCH_VMX_CR_RULES_H

#include <stdbool.h>

#include "arch/cpu/register_bits.h"
#include "arch/lib/types.h"

struct vmx_cr_rule {
    unsigned number; // of the register: 0 or 4
    bool passed;     // true: the guest's own; false: kept by the hypervisor
    uint64_t mask;
    const char *name;
    const char *reason;
};

// The table; also read by tests and for printing. A bit of CR0 without a row is the guest's. A bit
// of CR4 without a row is kept, because such bits come with new processors.
const struct vmx_cr_rule *vmx_cr_rules(unsigned *count);

// Kept, but the guest may write it and sees its value. It stays set, so that a machine check exits
// and does not shut the CPU down.
#define CR4_SHOWN_ONLY CR4_MCE

// The guest/host masks: the kept bits.
uint64_t vmx_cr0_kept(void);
uint64_t vmx_cr4_kept(void);

#endif
