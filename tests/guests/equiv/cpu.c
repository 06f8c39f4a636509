// SPDX-License-Identifier: Apache-2.0
// The processor's side of the equivalence guest.

#include "tests/guests/equiv/equiv.h"

void equiv_cpu(void)
{
    outcome("insn.cpuid.leaf1-ring0", "x2apic and hypervisor bits 0x%x",
            cpuid(1, 0).ecx & (1u << 31 | 1u << 21));
}
