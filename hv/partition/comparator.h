// SPDX-License-Identifier: Apache-2.0
// The comparators of the machine's HPET. Each has its own IOAPIC pin for good, one that neither the
// console nor a partition's device uses. A partition has at most one comparator.
#ifndef HV_PARTITION_COMPARATOR_H
#define HV_PARTITION_COMPARATOR_H

#include "arch/lib/types.h"
#include "drivers/iommu/iommu.h"

struct timer;

// Finds, silences and tests the comparators. Boot CPU, after the IOAPICs are mapped and devices are
// assigned. `is_taken` says whether an IOAPIC input is in use.
void comparators_start(bool (*is_taken)(uint32_t gsi));

// Whether the timer has a comparator, or could get one. Any CPU.
bool comparator_possible(const struct timer *t);

// Gives the timer a comparator that interrupts by this route, in `ticks` of the TSC and then every
// `period`. With `period` 0 it interrupts once, and may be early if that time is far away. False:
// it is not possible, and the timer has no comparator.
bool comparator_arm(struct timer *t, const struct irq_route *route, uint64_t ticks,
                    uint64_t period);

// Takes the timer's comparator away: it is silent, and its pin is masked.
void comparator_release(struct timer *t);

#endif
