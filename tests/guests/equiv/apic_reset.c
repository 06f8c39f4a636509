// SPDX-License-Identifier: Apache-2.0
// What the boot processor's local APIC holds when an operating system starts, as far as every
// firmware leaves it the same.

#include "tests/guests/equiv/device.h"

void apic_reset_state(void)
{
    uint64_t base = rdmsr(0x1b);
    outcome("apic.start.base", "enabled %lu, x2APIC %lu, BSP %lu, address 0x%lx", base >> 11 & 1,
            base >> 10 & 1, base >> 8 & 1, base & ~0xffful);
    outcome("apic.start.enabled", "by software %u", lapic_read(LAPIC_SVR) >> 8 & 1);
    outcome("apic.start.id", "0x%x, CPUID says 0x%x", lapic_id(), cpuid(1, 0).ebx >> 24);
    outcome("apic.start.tpr", "0x%x", lapic_read(LAPIC_TPR));
    outcome("apic.start.timer", "initial 0x%x current 0x%x masked %u",
            lapic_read(LAPIC_TIMER_INITIAL), lapic_read(LAPIC_TIMER_CURRENT),
            lapic_read(LAPIC_LVT_TIMER) >> 16 & 1);
}
