// SPDX-License-Identifier: Apache-2.0
// Whether a processor's AMD-V will do, judged from what its registers say. Pure: the reading is
// done in setup.c.
#ifndef ARCH_SVM_VERDICT_H
#define ARCH_SVM_VERDICT_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

#define SVM_GUEST_ASID 1 // one guest a CPU, for ever; ASID 0 is the hypervisor's own

// What the processor says of itself.
struct svm_identity {
    bool svm;       // CPUID 0x80000001 ECX bit 2, and leaf 0x8000000a is there
    uint64_t vm_cr; // MSR VM_CR; 0 if there is none
    uint32_t asids; // CPUID 0x8000000a EBX
    uint32_t edx;   // CPUID 0x8000000a EDX
};

// What this machine's AMD-V has beyond the least; the same on all CPUs.
struct svm_features {
    bool next_rip; // nRIP save
    bool flush_by_asid;
    bool decode_assists;
};

// Judges one processor. `first` is the identity of the CPU that was judged first, or NULL: its
// features are used on all CPUs, so another that lacks one, or has one more, is refused.
// ERR_NOT_FOUND: no AMD-V at all. ERR_UNSUPPORTED: `why` says what is missing and what to do.
enum status svm_verdict(const struct svm_identity *cpu, const struct svm_identity *first, char *why,
                        size_t size);

// The features of a processor that will do.
struct svm_features svm_features_of(const struct svm_identity *cpu);

#endif
