// SPDX-License-Identifier: Apache-2.0
// Speculative Store Bypass Disable on AMD's processors. Newer ones have it in SPEC_CTRL, which
// passes to guests. On older ones guests are offered VIRT_SPEC_CTRL, an MSR that hypervisors
// emulate (APM vol. 2, 3.2.9 and 15.32; AMD, "Speculative Store Bypass Disable", document 124441).
#ifndef ARCH_VIRT_SSBD_H
#define ARCH_VIRT_SSBD_H

#include "arch/lib/types.h"

#define VIRT_SPEC_CTRL_SSBD BIT(2)

enum ssbd_way {
    SSBD_NOT_OFFERED, // SPEC_CTRL has it, or the processor does not need it or lacks it
    SSBD_BY_VIRT,     // Bulkhead runs on a virtual machine that has VIRT_SPEC_CTRL
    SSBD_BY_LS_CFG,   // by a bit of LS_CFG, which the threads of a core share
};

// What CPUID and the MSRs say about a processor.
struct ssbd_identity {
    bool amd; // or Hygon
    uint32_t signature;
    uint32_t sizes_ebx; // CPUID 0x80000008 EBX; 0 if the leaf does not exist
    bool ls_cfg;        // LS_CFG can be read
};

struct ssbd_choice {
    enum ssbd_way way;
    uint64_t bit; // of LS_CFG
};

struct ssbd_choice ssbd_choose(const struct ssbd_identity *cpu);

// The setting that one CPU's guest asked for. Its own CPU writes `wanted`; the other threads of its
// core read it. agree() in arch/virt/ssbd_cpu.c gives the order.
struct ssbd_wish {
    uint32_t apic_id;
    uint32_t wanted;
};

// Whether any thread of `apic_id`'s core wants it. The IDs of a core's threads differ only in the
// lowest `thread_bits` bits.
bool ssbd_wanted_on_core(const struct ssbd_wish *wishes, unsigned count, unsigned thread_bits,
                         uint32_t apic_id);

// ---- arch/virt/ssbd_cpu.c: on the processor ------------------------------------------------

// Chooses the way once, on the boot CPU, when all CPUs are known.
void ssbd_init(void);

// Whether guests are offered VIRT_SPEC_CTRL. False before ssbd_init().
bool ssbd_offered(void);

// Read and set what this CPU's guest asks for. If it is not offered, the processor stays unchanged.
bool ssbd_get(void);
void ssbd_set(bool on);

#endif
