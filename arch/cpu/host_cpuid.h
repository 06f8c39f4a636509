// SPDX-License-Identifier: Apache-2.0
// CPUID of the physical CPU as a function, for the policy code that is tested with a fake one.
#ifndef ARCH_CPU_HOST_CPUID_H
#define ARCH_CPU_HOST_CPUID_H

#include <stdint.h>

void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

#endif
