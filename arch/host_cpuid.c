// SPDX-License-Identifier: Apache-2.0
// CPUID of the physical CPU as a function, for the policy code that is tested with a fake one.
#include "arch/cpu.h"
#include "hv/cpuid_policy.h"

void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    cpuid(leaf, subleaf, out);
}
