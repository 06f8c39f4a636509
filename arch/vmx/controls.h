// SPDX-License-Identifier: Apache-2.0
// Which VT-x controls are on and off: one table with a reason in each row, held once against what
// the processor's capability MSRs allow. No privileged instruction: tested on the host.
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
    RULE_ON,   // must be on: a processor that can't is refused
    RULE_OFF,  // must be off: a processor that can't is refused
    RULE_USED, // on where the processor can
    RULE_FREE, // switched at run time: must be possible both ways, begins as 0
    RULE_MAY,  // likewise, where the processor can: must be possible to have off
    RULE_ONE,  // reserved, of the default1 class (SDM vol. 3, appendix A.2): as the processor says
};

struct vmx_control_rule {
    enum vmx_word word;
    enum vmx_rule_kind kind;
    uint64_t mask; // one bit, of RULE_ONE any number
    const char *name;
    const char *reason;
};

// What the capability MSRs say. Of the words: bits 31:0 are those that must be 1, bits 63:32 those
// that may be 1.
struct vmx_capabilities {
    uint64_t basic;
    uint64_t word[WORD_COUNT];
    uint64_t ept_vpid; // 0 where there is neither
};

// What is programmed; the same on all CPUs.
struct vmx_controls {
    uint32_t word[WORD_COUNT];
    bool vpid;
    bool ept_1g;
    bool ept_2m;
    bool ept_accessed_dirty;
    bool preemption; // there is a preemption timer, whose value is kept over exits
};

// The table, for tests and for printing it.
const struct vmx_control_rule *vmx_control_rules(unsigned *count);

// Whether IA32_FEATURE_CONTROL of that value keeps VT-x off until the next reset.
bool vmx_locked_off(uint64_t feature_control);

// Writes in which words `c` differs from `first` to `text`; false if in nothing.
bool vmx_controls_differ(const struct vmx_controls *c, const struct vmx_controls *first, char *text,
                         size_t size);

// Decides. ERR_UNSUPPORTED: `why` names everything that is missing, as far as it has room.
enum status vmx_controls_decide(const struct vmx_capabilities *c, struct vmx_controls *out,
                                char *why, size_t size);

#endif
