// SPDX-License-Identifier: Apache-2.0
// Which MSRs a guest may read and write: one table with a reason in each row, from which both
// vendors' permission maps are built. An MSR without a row is denied.
#ifndef HV_POLICY_MSR_POLICY_H
#define HV_POLICY_MSR_POLICY_H

#include "arch/lib/types.h"

enum msr_action {
    MSR_DENY = 0, // #GP(0)
    MSR_PASS,     // no exit: the physical register (where it doesn't exist, the CPU's own #GP)
    MSR_EMULATE,  // code of ours: EFER, IA32_APIC_BASE, x2APIC registers
    MSR_VALUE,    // read: gives `value`. Write: only `value` itself may be written, else #GP(0)
    MSR_IGNORE,   // write: dropped
};

// Why a guest that does what CPUID says does not meet the #GP of a row that denies: without a
// reason of this kind a row gives a value or drops the write.
enum msr_guard {
    MSR_OPEN = 0, // nothing is denied
    MSR_CPUID,    // a bit of CPUID announces it, and no guest sees that bit
    MSR_BY_MSR,   // bits of another MSR announce it, and read as 0
    MSR_ONE_WAY,  // what is denied faults on every processor: it is read-only, or write-only
    MSR_PROBED,   // only its model announces it, and systems try it, with a handler for the fault
    MSR_BARE,     // systems leave it alone where CPUID shows a hypervisor
    MSR_FIRMWARE, // for the firmware, before it starts a system
};

struct msr_gate {
    uint8_t guard;   // enum msr_guard
    uint8_t reg;     // MSR_CPUID: enum cpuid_register
    uint8_t subleaf; // MSR_CPUID
    uint32_t number; // MSR_CPUID: leaf; MSR_BY_MSR: that MSR
    uint64_t mask;   // MSR_CPUID, MSR_BY_MSR: the bits
};

struct msr_rule {
    uint32_t first; // MSR numbers, inclusive
    uint32_t last;
    uint8_t read;  // enum msr_action
    uint8_t write; // enum msr_action
    uint64_t value;
    const char *name; // the manual's
    const char *reason;
    struct msr_gate gate;
};

// The rule for `msr`; one that denies everything if there's no row. Never NULL. For an exit:
// MSR_PASS can't happen then, but for x2APIC registers, and is to be treated as MSR_DENY.
const struct msr_rule *msr_policy_find(uint32_t msr);

// The whole table, in ascending order, for tests and for printing it.
const struct msr_rule *msr_policy_rules(unsigned *count);

// AMD's MSR permission map, 8 KiB (APM vol. 2, 15.11): two bits for each MSR. `x2apic_mode`: of the
// vCPU now; without it all x2APIC registers are intercepted.
void msr_policy_build_svm(uint8_t map[8192], bool x2apic_mode);

// Intel's MSR bitmaps, 4 KiB (SDM vol. 3, "MSR-Bitmap Address").
void msr_policy_build_vmx(uint8_t map[4096], bool x2apic_mode);

#endif
