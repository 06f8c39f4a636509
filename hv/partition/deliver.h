// SPDX-License-Identifier: Apache-2.0
// Delivers a partition's interrupts to its own CPUs: those that its virtual APICs and its IOAPIC
// send. On one of the partition's CPUs, interrupts off.
#ifndef HV_PARTITION_DELIVER_H
#define HV_PARTITION_DELIVER_H

#include <stdbool.h>

#include "hv/interrupt/icr.h"
#include "hv/vdev/vioapic.h"

struct partition;

// Finds where a message of the virtual IOAPIC goes, by the same check as for an IPI.
void deliver_judge(const struct partition *p, const struct vioapic_message *m,
                   struct icr_verdict *verdict);

// Sends a message of the virtual IOAPIC.
void deliver_message(struct partition *p, const struct vioapic_message *m);

// A device drives its line to a pin of the IOAPIC. Device lock held.
void deliver_pin(struct partition *p, unsigned pin, bool asserted);

// Carries out an ICR verdict: sends fixed interrupts as physical IPIs, posts the rest as work.
void deliver_verdict(struct partition *p, const struct icr_verdict *verdict);

#endif
