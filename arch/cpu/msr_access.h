// SPDX-License-Identifier: Apache-2.0
// Access to MSRs that may not exist. CPUID does not always say which MSRs exist, and a processor
// raises #GP for those that don't.
#ifndef ARCH_CPU_MSR_ACCESS_H
#define ARCH_CPU_MSR_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

// False if this CPU does not have the MSR, or refuses the value. The exception tables must be
// loaded.
bool msr_read_safe(uint32_t msr, uint64_t *value);
bool msr_write_safe(uint32_t msr, uint64_t value);

#endif
