// SPDX-License-Identifier: Apache-2.0
// Handles processors that differ. Guests see the features of the boot CPU, so each CPU that runs a
// guest must have them. Its further features stay hidden.
#ifndef HV_POLICY_CPUID_LACK_H
#define HV_POLICY_CPUID_LACK_H

#include "hv/policy/cpuid_policy.h"

// True if the calling CPU lacks a feature that `shown` has. Then `text` names registers and bits,
// as many as fit: "CPUID 0x7.0 EBX 0x20, CPUID 0xd.1 EAX 0x8".
bool cpuid_lacks(const struct cpuid_table *shown, char *text, size_t size);

#endif
