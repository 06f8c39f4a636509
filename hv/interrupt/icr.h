// SPDX-License-Identifier: Apache-2.0
// The check of every inter-processor interrupt: turns a guest's ICR write into a set of vCPUs of
// its own partition, or into nothing. Pure: it accesses no APIC and changes no state.
#ifndef HV_INTERRUPT_ICR_H
#define HV_INTERRUPT_ICR_H

#include "arch/lib/types.h"

enum apic_mode {
    APIC_DISABLED = 0, // IA32_APIC_BASE.EN = 0: receives nothing at all
    APIC_XAPIC,
    APIC_X2APIC,
};

// One vCPU as a destination. Its own CPU writes it, every CPU of the partition reads it. Each field
// is a word of its own, and their order doesn't matter: a sender that races with a destination's
// change of mode sees the old or the new mode, as on hardware.
struct icr_target {
    uint32_t mode;    // enum apic_mode
    uint32_t enabled; // software-enabled (SVR bit 8), 0 or 1
    uint32_t ldr;     // logical ID in xAPIC mode, 8 bits (register bits 31:24)
    uint32_t cluster; // xAPIC mode: 1 if the DFR says cluster model, 0 for flat
};

// A partition's processors. A vCPU's index is its (virtual) APIC ID.
struct icr_topology {
    unsigned vcpu_count; // 1 to MAX_CPUS
    struct icr_target vcpu[MAX_CPUS];
};

enum icr_kind {
    ICR_NONE,       // legal, but no vCPU is there, or hardware ignores it
    ICR_FIXED,      // `vector` to each vCPU in `targets` (lowest priority: exactly one)
    ICR_NMI,        // NMI to each of `targets`
    ICR_INIT,       // INIT to each, by changing the vCPU's state; may include the sender
    ICR_SIPI,       // SIPI to each, by changing the vCPU's state; start page is `vector`
    ICR_DENIED,     // dropped; `reason` says why
    ICR_BAD_VECTOR, // vector below 16: not sent, ESR "send illegal vector"
    ICR_RESERVED,   // x2APIC format only: a reserved bit is set; #GP(0), nothing is sent
};

struct icr_verdict {
    uint32_t kind; // enum icr_kind
    uint32_t vector;
    uint64_t targets;   // bit i: vCPU i; non-zero only for FIXED, NMI, INIT and SIPI
    const char *reason; // only for DENIED and RESERVED
};

// Judges `icr`, written by vCPU `sender` (< vcpu_count). `x2apic` selects the format: destination
// in bits 63:32, or in 63:56. (SDM vol. 3, "Issuing Interprocessor Interrupts"; APM vol. 2, 16.5)
void icr_check(const struct icr_topology *t, unsigned sender, uint64_t icr, bool x2apic,
               struct icr_verdict *out);

#endif
