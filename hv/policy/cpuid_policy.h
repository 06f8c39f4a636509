// SPDX-License-Identifier: Apache-2.0
// What a guest's CPUID shows. It is the host's values filtered by a table of allowed bits (a bit
// without a row is hidden), with topology, hypervisor and frequency leaves made for the partition.
// Built once per vCPU into flat arrays; relies on host_cpuid() only.
#ifndef HV_POLICY_CPUID_POLICY_H
#define HV_POLICY_CPUID_POLICY_H

#include "arch/cpu/cpuid.h"
#include "arch/cpu/host_cpuid.h"
#include "arch/lib/types.h"

// An entry's flags: what cpuid_patch() must fill in at the exit.
#define CPUID_FLAG_OSXSAVE  0x01u // ECX.OSXSAVE (leaf 1) from CR4
#define CPUID_FLAG_APIC     0x02u // EDX.APIC (leaf 1, 0x80000001) from IA32_APIC_BASE.EN
#define CPUID_FLAG_OSPKE    0x04u // ECX.OSPKE (leaf 7) from CR4
#define CPUID_FLAG_LIVE_EBX 0x08u // EBX from the CPU: depends on the guest's own XCR0 and XSS
#define CPUID_FLAG_SUBLEAF  0x10u // bits 7:0 of ECX repeat the subleaf
#define CPUID_FLAG_DYNAMIC  0x1fu // any of them
#define CPUID_FLAG_INDEXED  0x20u // internal: the answer depends on the subleaf

struct cpuid_entry {
    uint32_t leaf;
    uint32_t subleaf;
    uint32_t eax, ebx, ecx, edx;
    uint32_t flags;
    uint16_t next;  // internal, of an INDEXED leaf: index of subleaf 1 in `more`
    uint16_t count; // and how many subleaves follow
};

#define CPUID_BASIC_COUNT    0x20 // leaves 0 to 0x1f
#define CPUID_EXTENDED_COUNT 0x22 // leaves 0x80000000 to 0x80000021
#define CPUID_HV_COUNT       0x11 // leaves 0x40000000 to 0x40000010
#define CPUID_KVM_COUNT      2    // leaves 0x40000100 and 0x40000101
#define CPUID_MORE_COUNT     48   // subleaves from 1 of all indexed leaves

// About 5 KiB, one per vCPU.
struct cpuid_table {
    struct cpuid_entry basic[CPUID_BASIC_COUNT];
    struct cpuid_entry extended[CPUID_EXTENDED_COUNT];
    struct cpuid_entry hv[CPUID_HV_COUNT];
    struct cpuid_entry kvm[CPUID_KVM_COUNT];
    struct cpuid_entry more[CPUID_MORE_COUNT];
    struct cpuid_entry topology_end; // leaves 0xb and 0x1f past their last level
    struct cpuid_entry none;         // all zeros
    uint32_t last_basic;
    uint32_t last_extended; // without the bit 0x80000000
    bool repeats_last;      // Intel: a leaf out of range gives the last basic leaf; AMD: zeros
    unsigned more_used;
};

struct cpuid_params {
    uint32_t vcpu_id;    // virtual APIC ID, 0 to vcpu_count - 1
    uint32_t vcpu_count; // 1 to MAX_CPUS
    uint32_t tsc_khz;
    uint32_t apic_khz;    // clock of the APIC timer, before its divider; 0 if unknown
    bool offer_virt_ssbd; // VIRT_SPEC_CTRL is emulated for guests (arch/virt/ssbd.h)
    bool offer_x2apic;    // the guest may use x2APIC mode, because the host uses it
};

// One row of the policy: bits of one register that a guest may see with the host's values.
enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

struct cpuid_rule {
    uint32_t leaf;
    uint16_t first; // first and last subleaf, inclusive
    uint16_t last;
    uint32_t reg; // enum cpuid_register
    uint32_t mask;
    const char *reason;
};

// The whole table, for tests and for printing. Several rows may apply to one register.
const struct cpuid_rule *cpuid_rules(unsigned *count);

// Components of XCR0 that a guest may see.

// Fills `t` for one vCPU. Called when the partition is created.
void cpuid_build(struct cpuid_table *t, const struct cpuid_params *params);

// The answer to CPUID with EAX = `leaf`, ECX = `subleaf`. Never NULL. If `flags` has one of
// CPUID_FLAG_DYNAMIC, the values need cpuid_patch().
const struct cpuid_entry *cpuid_find(const struct cpuid_table *t, uint32_t leaf, uint32_t subleaf);

// Copies the entry into out[] (EAX, EBX, ECX, EDX) and fills in what depends on the vCPU's current
// state: `cr4` as the guest sees it, `apic_enabled` IA32_APIC_BASE.EN. Runs on the vCPU's CPU with
// the guest's XCR0 and XSS loaded.
void cpuid_patch(const struct cpuid_entry *e, uint32_t subleaf, uint64_t cr4, bool apic_enabled,
                 uint32_t out[4]);

#endif
