// SPDX-License-Identifier: Apache-2.0
// Which CPUs are threads of one core, and which cores of one package: from the numbers of bits that
// CPUID gives to each in the APIC ID. They hold for all CPUs of the machine, so one is asked. No
// privileged instruction: tested on the host.
#ifndef ARCH_CPU_TOPOLOGY_H
#define ARCH_CPU_TOPOLOGY_H

#include "arch/lib/types.h"

// How an APIC ID is cut: the lowest bits number the thread of a core, the next ones the core of a
// package, the rest the package. Numbers may have gaps.
struct topology {
    unsigned thread_bits, core_bits;
};

struct topology_place {
    uint32_t package, core, thread;
};

// EAX, EBX, ECX, EDX of a CPUID leaf.
typedef void topology_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

struct topology topology_find(topology_cpuid *read);

struct topology_place topology_of(struct topology t, uint32_t apic_id);

#endif
