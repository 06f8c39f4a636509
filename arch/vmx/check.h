// SPDX-License-Identifier: Apache-2.0
// Repeats the checks that VM entry makes on the guest state, to name the one that failed: the
// processor only reports that one did (SDM volume 3, 27.3.1). Has no privileged instruction, so it
// is tested on the host.
#ifndef ARCH_VMX_CHECK_H
#define ARCH_VMX_CHECK_H

#include "arch/lib/types.h"
#include "arch/vmx/vmcs.h"

struct vmx_segment_state {
    uint64_t base;
    uint32_t limit;
    uint32_t rights;
    uint16_t selector;
};

struct vmx_guest_state {
    uint64_t cr0, cr3, cr4, dr7;
    uint64_t rip, rflags;
    uint64_t efer, pat, debugctl;
    uint64_t sysenter_esp, sysenter_eip;
    uint64_t pending_debug, link_pointer;
    uint64_t pdpte[4];
    uint64_t gdtr_base, idtr_base;
    uint32_t gdtr_limit, idtr_limit;
    struct vmx_segment_state segment[VMCS_SEGMENTS];
    uint32_t interruptibility, activity;
    uint32_t entry_event; // VM-entry interruption information
    uint32_t entry_controls;
};

// What this processor requires.
struct vmx_limits {
    // IA32_VMX_CR0_FIXED0: its 1 bits must be 1; FIXED1: its 0 bits must be 0.
    uint64_t cr0_fixed0, cr0_fixed1;
    uint64_t cr4_fixed0, cr4_fixed1;
    uint64_t phys_bits; // 64 bits: without padding, because memcmp compares the structure
};

// The name of the first failed check, or NULL if the state passes all. *value: the value that
// failed.
const char *vmx_check_guest(const struct vmx_guest_state *s, const struct vmx_limits *limits,
                            uint64_t *value);

// The meaning of an error number of VMLAUNCH and VMRESUME (SDM volume 3, 31.4).
const char *vmx_instruction_error(uint32_t error);

#endif
