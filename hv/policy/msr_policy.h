// SPDX-License-Identifier: Apache-2.0
// Which MSRs a guest may read and write: one table with a reason in each row, from which both
// vendors' permission maps are built. An MSR without a row is denied.
#ifndef HV_POLICY_MSR_POLICY_H
#define HV_POLICY_MSR_POLICY_H

#include "arch/lib/types.h"

enum msr_action {
    MSR_DENY = 0, // #GP(0)
    MSR_PASS,     // no exit: accesses the physical register; if there is none, the CPU raises #GP
    MSR_EMULATE,  // by code: EFER, IA32_APIC_BASE, x2APIC registers
    MSR_VALUE,    // read: gives `value`. Write: only `value` itself may be written, else #GP(0)
    MSR_IGNORE,   // write: dropped
};

// Why a guest that follows CPUID never gets the #GP of a row that denies. A row that has no such
// reason gives a value or drops the write instead.
enum msr_guard {
    MSR_OPEN = 0, // nothing is denied
    MSR_CPUID,    // a CPUID bit announces it, and no guest sees that bit
    MSR_BY_MSR,   // bits of another MSR announce it, and they read as 0
    MSR_ONE_WAY, // the denied access faults on every processor: the MSR is read-only, or write-only
    MSR_PROBED,  // only the CPU model announces it; systems probe it with a handler for the fault
    MSR_BARE,    // systems don't access it if CPUID shows a hypervisor
    MSR_FIRMWARE, // only firmware uses it, before it starts a system
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
    const char *name; // as in the manual
    const char *reason;
    struct msr_gate gate;
};

// The rule for `msr`; without a row a rule that denies everything. Never NULL. At an exit a rule
// with MSR_PASS must be treated as MSR_DENY; only x2APIC registers can have it there.
const struct msr_rule *msr_policy_find(uint32_t msr);

// The whole table, in ascending order, for tests and for printing.
const struct msr_rule *msr_policy_rules(unsigned *count);

// AMD's MSR permission map, 8 KiB (APM vol. 2, 15.11): two bits for each MSR. `x2apic_mode`: the
// vCPU is in x2APIC mode now; otherwise all x2APIC registers are intercepted.
void msr_policy_build_svm(uint8_t map[8192], bool x2apic_mode);

// Intel's MSR bitmaps, 4 KiB (SDM vol. 3, "MSR-Bitmap Address").
void msr_policy_build_vmx(uint8_t map[4096], bool x2apic_mode);

#endif
