// SPDX-License-Identifier: Apache-2.0
// The real implementation: the instruction itself.
#include "arch/cpu/host_cpuid.h"

#include "arch/cpu/cpu.h"

void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    cpuid(leaf, subleaf, out);
}
