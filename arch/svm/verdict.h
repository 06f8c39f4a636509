// SPDX-License-Identifier: Apache-2.0
// Whether a processor's AMD-V is sufficient, judged from its registers' values. Pure: setup.c reads
// the registers.
#ifndef ARCH_SVM_VERDICT_H
#define ARCH_SVM_VERDICT_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

#define SVM_GUEST_ASID 1 // one guest per CPU, permanently; ASID 0 is the hypervisor's own

// What CPUID and the MSRs say about a processor.
struct svm_identity {
    bool svm;       // CPUID 0x80000001 ECX bit 2, and leaf 0x8000000a exists
    uint64_t vm_cr; // MSR VM_CR; 0 if it does not exist
    uint32_t asids; // CPUID 0x8000000a EBX
    uint32_t edx;   // CPUID 0x8000000a EDX
};

// Optional features of this machine's AMD-V; the same on all CPUs.
struct svm_features {
    bool next_rip; // nRIP save
    bool flush_by_asid;
    bool decode_assists;
};

// Judges one processor. `first` is the CPU that was judged first, or NULL. All CPUs use that CPU's
// features, so a CPU with one less or one more is refused. ERR_NOT_FOUND: no AMD-V at all.
// ERR_UNSUPPORTED: `why` says what is missing and what to do.
enum status svm_verdict(const struct svm_identity *cpu, const struct svm_identity *first, char *why,
                        size_t size);

// The optional features of a sufficient processor.
struct svm_features svm_features_of(const struct svm_identity *cpu);

#endif
