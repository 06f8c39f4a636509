// SPDX-License-Identifier: Apache-2.0
// The pins of the physical IOAPICs: routed directly, or through the IOMMU where there is one. Any
// CPU, once machine_map_ioapics() has mapped the registers; interrupts off.
#ifndef HV_MACHINE_IOAPIC_PIN_H
#define HV_MACHINE_IOAPIC_PIN_H

#include "arch/lib/status.h"
#include "drivers/ioapic/ioapic.h"
#include "drivers/iommu/iommu.h"

// Routes a pin; NULL masks it, as a level-triggered one: what is asserted meanwhile is not lost.
// Any error: it can't be routed, because there is no such pin, the APIC ID does not fit, or the
// IOMMU does not serve the IOAPIC or has no entry left; then it is masked.
enum status ioapic_pin_route(const struct ioapic_input *input, const struct irq_route *route);

// Whether a level-triggered interrupt of the pin waits for its EOI.
bool ioapic_pin_waits(const struct ioapic_input *input);

#endif
