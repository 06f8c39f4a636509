// SPDX-License-Identifier: Apache-2.0
// The groups of the sensitive-instruction table, and what their references mean in the tables that
// the hypervisor uses.
#include "docs/tables/sensitive.h"

#include "arch/virt/exception_intercepts.h"
#include "arch/vmx/cr_rules.h"
#include "hv/policy/msr_policy.h"

static const struct sensitive_group *const groups[] = {
    &sensitive_identity,  &sensitive_registers, &sensitive_extended, &sensitive_descriptors,
    &sensitive_transfers, &sensitive_io,        &sensitive_caches,   &sensitive_virtual,
    &sensitive_security,  &sensitive_events,
};

const struct sensitive_group *const *sensitive_groups(unsigned *count)
{
    *count = ARRAY_SIZE(groups);
    return groups;
}

// ---- do the claims hold --------------------------------------------------------------------

static uint64_t svm_bits(uint32_t word, bool on)
{
    unsigned count;
    const struct svm_control_rule *rules = svm_control_rules(&count);
    uint64_t bits = 0;
    for (unsigned i = 0; i < count; i++) {
        bits |= rules[i].word == word && (rules[i].kind != SVM_OFF) == on ? rules[i].mask : 0;
    }
    return bits;
}

static uint64_t vmx_bits(uint32_t word, bool on)
{
    unsigned count;
    const struct vmx_control_rule *rules = vmx_control_rules(&count);
    uint64_t bits = 0;
    for (unsigned i = 0; i < count; i++) {
        bool applies = rules[i].word == word && rules[i].kind != RULE_ONE;
        bits |= applies && (rules[i].kind != RULE_OFF) == on ? rules[i].mask : 0;
    }
    return bits;
}

// VM exits that no control can prevent (SDM volume 3, 26.1.2 and 26.2; TDX).
static bool is_unconditional(uint32_t reason)
{
    static const uint8_t reasons[] = {2,  3,  4,  9,  10, 11, 13, 18, 19, 20, 21,
                                      22, 23, 24, 25, 26, 27, 50, 53, 55, 76, 77};
    for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (reasons[i] == reason) {
            return true;
        }
    }
    return false;
}

static bool covers(uint64_t bits, uint64_t mask)
{
    return mask != 0 && (bits & mask) == mask;
}

bool ref_holds(const struct ref *r)
{
    uint64_t kept = r->word == 0 ? vmx_cr0_kept() : vmx_cr4_kept();
    const struct msr_rule *msr = msr_policy_find(r->word);
    switch (r->kind) {
    case REF_SVM_ON:
    case REF_SVM_OFF:
        return covers(svm_bits(r->word, r->kind == REF_SVM_ON), r->mask);
    case REF_VMX_ON:
    case REF_VMX_OFF:
        return covers(vmx_bits(r->word, r->kind == REF_VMX_ON), r->mask);
    case REF_EXCEPTION:
        return covers(exception_intercept_mask(), BIT(r->word));
    case REF_ALWAYS:
        return is_unconditional(r->word);
    case REF_CR_KEPT:
        return covers(kept, r->mask);
    case REF_CR_PASSED:
        return covers(~kept, r->mask);
    case REF_MSR:
        return msr->write != MSR_PASS && msr->write != MSR_EMULATE;
    case REF_MSR_PASS:
        return msr->read == MSR_PASS && msr->write == MSR_PASS;
    case REF_NONE:
    default:
        return false;
    }
}

// ---- is a control named --------------------------------------------------------------------

static bool part_names(const struct vendor_part *part, enum ref_kind on, enum ref_kind off,
                       uint32_t word, uint64_t mask)
{
    for (unsigned i = 0; i < MAX_REFS; i++) {
        const struct ref *r = &part->by[i];
        if ((r->kind == on || r->kind == off) && r->word == word && (r->mask & mask) != 0) {
            return true;
        }
    }
    return false;
}

static bool any_names(enum ref_kind on, enum ref_kind off, uint32_t word, uint64_t mask)
{
    for (unsigned g = 0; g < ARRAY_SIZE(groups); g++) {
        for (unsigned i = 0; i < groups[g]->count; i++) {
            const struct sensitive_row *row = &groups[g]->rows[i];
            if (part_names(&row->vmx, on, off, word, mask) ||
                part_names(&row->svm, on, off, word, mask)) {
                return true;
            }
        }
    }
    return false;
}

bool sensitive_names_vmx(enum vmx_word word, uint32_t mask)
{
    return any_names(REF_VMX_ON, REF_VMX_OFF, word, mask);
}

bool sensitive_names_svm(enum svm_word word, uint32_t mask)
{
    return any_names(REF_SVM_ON, REF_SVM_OFF, word, mask);
}

bool sensitive_names_exception(unsigned vector)
{
    for (unsigned g = 0; g < ARRAY_SIZE(groups); g++) {
        for (unsigned i = 0; i < groups[g]->count; i++) {
            for (unsigned k = 0; k < MAX_REFS; k++) {
                const struct ref *r = &groups[g]->rows[i].vmx.by[k];
                if (r->kind == REF_EXCEPTION && r->word == vector) {
                    return true;
                }
            }
        }
    }
    return false;
}
