// SPDX-License-Identifier: Apache-2.0
// Which bits of CR0 and CR4 belong to a guest on VT-x. No privileged instruction: tested on the
// host.
#ifndef ARCH_VMX_CR_RULES_H
#define ARCH_VMX_CR_RULES_H

#include <stdbool.h>

#include "arch/cpu/register_bits.h"
#include "arch/lib/types.h"

struct vmx_cr_rule {
    unsigned number; // of the register: 0 or 4
    bool passed;     // the guest's own; else kept
    uint64_t mask;
    const char *name;
    const char *reason;
};

// The table, for tests and for printing it. A bit of CR0 without a row is the guest's, a bit of
// CR4 without a row is kept: those come with new processors.
const struct vmx_cr_rule *vmx_cr_rules(unsigned *count);

// Kept, but the guest may write it: a machine check has to exit, not to shut the CPU down.
#define CR4_SHOWN_ONLY CR4_MCE

// The guest/host masks: what is kept.
uint64_t vmx_cr0_kept(void);
uint64_t vmx_cr4_kept(void);

#endif
