// SPDX-License-Identifier: Apache-2.0
// The comparators of the machine's HPET, and the IOAPIC's pin that each has for good: a pin that no
// device of a partition and not the console has. A partition has one at most.
#ifndef HV_PARTITION_COMPARATOR_H
#define HV_PARTITION_COMPARATOR_H

#include "arch/lib/types.h"
#include "drivers/iommu/iommu.h"

struct timer;

// Finds, silences and tries them. Boot CPU, once the IOAPICs are mapped and devices are given away:
// `is_taken` says whether an input of the IOAPICs is somebody's.
void comparators_start(bool (*is_taken)(uint32_t gsi));

// Whether the timer has one, or could have. Any CPU.
bool comparator_possible(const struct timer *t);

// Gives the timer one and lets it interrupt by this route, in `ticks` of the TSC and then each
// `period`; 0: once, which may be too soon if that is far away. False: it can't; it has none then.
bool comparator_arm(struct timer *t, const struct irq_route *route, uint64_t ticks,
                    uint64_t period);

// The timer has none any more: it is silent, and its pin masked.
void comparator_release(struct timer *t);

#endif
