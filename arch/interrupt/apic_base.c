// SPDX-License-Identifier: Apache-2.0
// The steps between a local APIC's modes. No step leads from disabled to x2APIC mode directly (SDM
// vol. 3, 11.12.5); the path goes through xAPIC mode.
#include "arch/interrupt/apic_base.h"

#include "arch/interrupt/apic_defs.h"

static void step(struct apic_steps *s, uint64_t value)
{
    s->value[s->count++] = value;
}

struct apic_steps apic_base_steps(uint64_t base, bool x2apic, uint64_t page)
{
    struct apic_steps s = {0};
    if ((base & APIC_BASE_ENABLE) == 0) {
        base = (base & APIC_BASE_BSP) | page | APIC_BASE_ENABLE;
        step(&s, base);
    }
    if (x2apic && (base & APIC_BASE_EXTD) == 0) {
        step(&s, base | APIC_BASE_EXTD);
    } else if (!x2apic && (base & APIC_BASE_ADDRESS) != page) {
        step(&s, (base & ~APIC_BASE_ADDRESS) | page);
    }
    return s;
}
