// SPDX-License-Identifier: Apache-2.0
// Sends fixed interrupts as physical IPIs. Everything else is work for the receiver.
#include "hv/partition/deliver.h"

#include "arch/interrupt/apic.h"
#include "hv/partition/partition.h"

void deliver_verdict(struct partition *p, const struct icr_verdict *verdict)
{
    for (uint64_t left = verdict->targets; left != 0; left &= left - 1) {
        struct vcpu *target = p->vcpus[__builtin_ctzll(left)];
        switch (verdict->kind) {
        case ICR_FIXED:
            apic_send_fixed(target->physical_id, (uint8_t)verdict->vector);
            break;
        case ICR_NMI:
            vcpu_post_nmi(target);
            break;
        case ICR_INIT:
            vcpu_post_init(target);
            break;
        case ICR_SIPI:
            vcpu_post_sipi(target, (uint8_t)verdict->vector);
            break;
        default:
            break;
        }
    }
}

// An IOAPIC message is judged like an IPI from vCPU 0.
void deliver_judge(const struct partition *p, const struct vioapic_message *m,
                   struct icr_verdict *verdict)
{
    uint64_t icr = (uint64_t)m->destination << APIC_ICR_XAPIC_DEST_POS |
                   (uint64_t)m->delivery << APIC_ICR_MODE_POS | APIC_ICR_ASSERT | m->vector;
    if (m->logical) {
        icr |= APIC_ICR_LOGICAL;
    }
    icr_check(&p->topology, 0, icr, false, verdict);
}

void deliver_message(struct partition *p, const struct vioapic_message *m)
{
    struct icr_verdict verdict;
    deliver_judge(p, m, &verdict);
    deliver_verdict(p, &verdict);
}

void deliver_pin(struct partition *p, unsigned pin, bool asserted)
{
    struct vioapic_message message;
    if (vioapic_set_line(&p->devices.ioapic, pin, asserted, &message)) {
        deliver_message(p, &message);
    }
}
