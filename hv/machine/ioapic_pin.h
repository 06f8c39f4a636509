// SPDX-License-Identifier: Apache-2.0
// The pins of the physical IOAPICs: routed directly, or through the IOMMU if there is one. Any CPU,
// after machine_map_ioapics(); interrupts off.
#ifndef HV_MACHINE_IOAPIC_PIN_H
#define HV_MACHINE_IOAPIC_PIN_H

#include "arch/lib/status.h"
#include "drivers/ioapic/ioapic.h"
#include "drivers/iommu/iommu.h"

// Routes a pin. NULL masks it; it is masked as level-triggered, so that an interrupt asserted
// meanwhile is not lost. On any error the pin is masked. Errors: there is no such pin, the APIC ID
// does not fit, the IOMMU does not serve the IOAPIC or has no entry left.
enum status ioapic_pin_route(const struct ioapic_input *input, const struct irq_route *route);

// Whether a level-triggered interrupt of the pin is waiting for its EOI.
bool ioapic_pin_waits(const struct ioapic_input *input);

#endif
