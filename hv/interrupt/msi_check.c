// SPDX-License-Identifier: Apache-2.0
// Finds the vCPU that an MSI message interrupts. Relies on the ICR check for all about
// destinations.
#include "hv/interrupt/msi_check.h"

#include "arch/interrupt/apic_defs.h"

// The address, as the guest writes it.
#define MSI_WINDOW_MASK 0xfffffffffff00000ull
#define MSI_LOGICAL     BIT(2)

// The data: vector in 7:0, delivery mode in 10:8. Trigger and level are ignored, because a message
// is always delivered edge-triggered.
#define MSI_VECTOR    0xffu
#define MSI_MODE_MASK 7u

bool msi_check(const struct icr_topology *t, uint64_t address, uint32_t data,
               struct msi_target *target, const char **reason)
{
    *reason = NULL;
    if ((address & MSI_WINDOW_MASK) != APIC_MSI_ADDRESS) {
        *reason = "its address is not that of an interrupt";
        return false;
    }
    uint64_t mode = data >> APIC_MSI_MODE_POS & MSI_MODE_MASK;
    if (mode != APIC_MODE_FIXED && mode != APIC_MODE_LOWEST) {
        *reason = "its delivery mode is neither fixed nor lowest priority";
        return false;
    }
    uint64_t destination = address >> APIC_MSI_DEST_POS & 0xff;
    uint64_t icr = destination << APIC_ICR_XAPIC_DEST_POS | mode << APIC_ICR_MODE_POS |
                   APIC_ICR_ASSERT | (data & MSI_VECTOR);
    if (address & MSI_LOGICAL) {
        icr |= APIC_ICR_LOGICAL;
    }
    struct icr_verdict verdict;
    icr_check(t, 0, icr, false, &verdict);
    if (verdict.kind == ICR_BAD_VECTOR) {
        *reason = "its vector is one of the exceptions'";
        return false;
    }
    if (verdict.kind != ICR_FIXED) {
        *reason = verdict.reason;
        return false;
    }
    target->vcpu = (unsigned)__builtin_ctzll(verdict.targets);
    target->vector = (uint8_t)verdict.vector;
    return true;
}
