// SPDX-License-Identifier: Apache-2.0
// Which CPUs are threads of one core, and which cores belong to one package. CPUID gives the number
// of bits that each has in the APIC ID; the numbers hold for all CPUs of the machine, so one CPU is
// asked. Has no privileged instruction, so it is tested on the host.
#ifndef ARCH_CPU_TOPOLOGY_H
#define ARCH_CPU_TOPOLOGY_H

#include "arch/lib/types.h"

// The parts of an APIC ID: the lowest bits number the thread within a core, the next ones the core
// within a package, the rest the package. Numbers may have gaps.
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
