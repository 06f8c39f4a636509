// SPDX-License-Identifier: Apache-2.0
// Looks up the rows of msr_rules.c, and builds the vendors' permission maps from them. A map starts
// with all ones. Only a row, of the MSRs or of the APIC's registers, clears a bit.
#include "hv/policy/msr_policy.h"

#include "arch/interrupt/apic_defs.h"
#include "arch/lib/string.h"
#include "hv/interrupt/vapic.h"

#define SVM_MAP_SIZE 8192
#define VMX_MAP_SIZE 4096
#define RANGE_SIZE   0x2000u // MSRs in one range of either map

static const struct msr_rule denied = {0, 0xffffffff,  MSR_DENY,       MSR_DENY,
                                       0, "(no rule)", "default deny", {0}};

const struct msr_rule *msr_policy_find(uint32_t msr)
{
    unsigned count;
    const struct msr_rule *rules = msr_policy_rules(&count);
    unsigned low = 0, high = count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (msr > rules[middle].last) {
            low = middle + 1;
        } else if (msr < rules[middle].first) {
            high = middle;
        } else {
            return &rules[middle];
        }
    }
    return &denied;
}

static void clear_bit(uint8_t *map, uint32_t bit)
{
    map[bit / 8] &= (uint8_t) ~(1u << bit % 8);
}

// AMD: ranges at 0, 0x800 and 0x1000. Each MSR has a read bit, then a write bit.
static void svm_pass(uint8_t *map, uint32_t msr, bool write)
{
    static const uint32_t bases[3] = {0x00000000, 0xc0000000, 0xc0010000};
    for (uint32_t range = 0; range < ARRAY_SIZE(bases); range++) {
        uint32_t index = msr - bases[range];
        if (index < RANGE_SIZE) {
            clear_bit(map, range * 0x800 * 8 + index * 2 + write);
        }
    }
}

// Intel: reads low, reads high, writes low, writes high, 1 KiB each. AMD's MSRs have no range.
static void vmx_pass(uint8_t *map, uint32_t msr, bool write)
{
    static const uint32_t bases[2] = {0x00000000, 0xc0000000};
    for (uint32_t range = 0; range < ARRAY_SIZE(bases); range++) {
        uint32_t index = msr - bases[range];
        if (index < RANGE_SIZE) {
            clear_bit(map, (write * 2 + range) * RANGE_SIZE + index);
        }
    }
}

static void pass(uint8_t *map, bool svm, uint32_t msr, bool write)
{
    if (svm) {
        svm_pass(map, msr, write);
    } else {
        vmx_pass(map, msr, write);
    }
}

static void build(uint8_t *map, bool svm, bool x2apic_mode)
{
    unsigned count;
    const struct msr_rule *rules = msr_policy_rules(&count);
    memset(map, 0xff, svm ? SVM_MAP_SIZE : VMX_MAP_SIZE);
    for (unsigned i = 0; i < count; i++) {
        for (uint32_t msr = rules[i].first; msr <= rules[i].last; msr++) {
            if (rules[i].read == MSR_PASS) {
                pass(map, svm, msr, false);
            }
            if (rules[i].write == MSR_PASS) {
                pass(map, svm, msr, true);
            }
        }
    }
    if (!x2apic_mode) {
        return;
    }
    for (uint32_t msr = MSR_X2APIC_FIRST; msr <= MSR_X2APIC_LAST; msr++) {
        if (vapic_msr_passes(msr, false)) {
            pass(map, svm, msr, false);
        }
        if (vapic_msr_passes(msr, true)) {
            pass(map, svm, msr, true);
        }
    }
}

void msr_policy_build_svm(uint8_t map[8192], bool x2apic_mode)
{
    build(map, true, x2apic_mode);
}

void msr_policy_build_vmx(uint8_t map[4096], bool x2apic_mode)
{
    build(map, false, x2apic_mode);
}
