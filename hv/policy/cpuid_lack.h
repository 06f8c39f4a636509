// SPDX-License-Identifier: Apache-2.0
// Processors that are not alike: guests are shown the features of the boot CPU, so each CPU that
// runs one has to have them. What a CPU has beyond them stays hidden.
#ifndef HV_POLICY_CPUID_LACK_H
#define HV_POLICY_CPUID_LACK_H

#include "hv/policy/cpuid_policy.h"

// True if the CPU that calls lacks a feature that `shown` has; `text` then names registers and
// bits, as far as there is room: "CPUID 0x7.0 EBX 0x20, CPUID 0xd.1 EAX 0x8".
bool cpuid_lacks(const struct cpuid_table *shown, char *text, size_t size);

#endif
