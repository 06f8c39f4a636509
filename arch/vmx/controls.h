// SPDX-License-Identifier: Apache-2.0
// Which VT-x controls are on or off: one table with a reason in each row, compared once with what
// the processor's capability MSRs allow. Has no privileged instruction, so it is tested on the
// host.
#ifndef ARCH_VMX_CONTROLS_H
#define ARCH_VMX_CONTROLS_H

#include <stddef.h>

#include "arch/lib/status.h"
#include "arch/lib/types.h"

enum vmx_word {
    WORD_PIN,
    WORD_PROC,
    WORD_PROC2,
    WORD_EXIT,
    WORD_ENTRY,
    WORD_COUNT,
};

enum vmx_rule_kind {
    RULE_ON,   // must be on; a processor that can't is refused
    RULE_OFF,  // must be off; a processor that can't is refused
    RULE_USED, // on if the processor can
    RULE_FREE, // switched at run time; must be possible both ways; 0 at first
    RULE_MAY,  // switched at run time if the processor can; must be possible to turn off
    RULE_ONE,  // reserved, of the default1 class (SDM vol. 3, appendix A.2): as the processor
               // requires
};

struct vmx_control_rule {
    enum vmx_word word;
    enum vmx_rule_kind kind;
    uint64_t mask; // one bit; with RULE_ONE any number
    const char *name;
    const char *reason;
};

// The capability MSRs' values. In each word, bits 31:0 are the controls that must be 1, bits 63:32
// those that may be 1.
struct vmx_capabilities {
    uint64_t basic;
    uint64_t word[WORD_COUNT];
    uint64_t ept_vpid; // 0 if there is neither
};

// The chosen controls; the same on all CPUs.
struct vmx_controls {
    uint32_t word[WORD_COUNT];
    bool vpid;
    bool ept_1g;
    bool ept_2m;
    bool ept_accessed_dirty;
    bool preemption; // there is a preemption timer, and its value can be saved at exits
};

// The table; also read by tests and for printing.
const struct vmx_control_rule *vmx_control_rules(unsigned *count);

// Whether this value of IA32_FEATURE_CONTROL keeps VT-x off until the next reset.
bool vmx_locked_off(uint64_t feature_control);

// Writes the differences between `c` and `first` to `text`. False if there is none.
bool vmx_controls_differ(const struct vmx_controls *c, const struct vmx_controls *first, char *text,
                         size_t size);

// Chooses the controls. ERR_UNSUPPORTED: `why` names everything that is missing, as far as it fits.
enum status vmx_controls_decide(const struct vmx_capabilities *c, struct vmx_controls *out,
                                char *why, size_t size);

#endif
