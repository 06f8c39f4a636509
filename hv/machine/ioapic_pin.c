// SPDX-License-Identifier: Apache-2.0
// Routes with and without interrupt remapping, and the lock for the registers.
#include "hv/machine/ioapic_pin.h"

#include "arch/lib/spinlock.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"

// Only one CPU at a time uses an IOAPIC's register pair.
static struct spinlock lock;

static enum status remap(const struct ioapic_input *input, const struct irq_route *route)
{
    uint64_t entry;
    spin_lock(&machine_pci.iommu_lock);
    enum status s = iommu->ioapic_entry(machine.acpi.ioapics[input->ioapic].id, input->pin, route,
                                        input->active_low, &entry);
    spin_unlock(&machine_pci.iommu_lock);
    if (s == STATUS_OK) {
        ioapic_put(machine.ioapic[input->ioapic], input->pin, entry);
    }
    return s;
}

static enum status program(const struct ioapic_input *input, const struct irq_route *route)
{
    if (iommu != NULL) {
        return remap(input, route);
    }
    if (route->apic_id > UINT8_MAX) {
        return ERR_UNSUPPORTED;
    }
    struct ioapic_route direct = {
        .vector = route->vector,
        .mode = route->nmi ? IOAPIC_MODE_NMI : IOAPIC_MODE_FIXED,
        .level = route->level,
        .active_low = input->active_low,
        .apic_id = (uint8_t)route->apic_id,
    };
    return ioapic_set(machine.ioapic[input->ioapic], input->pin, &direct);
}

enum status ioapic_pin_route(const struct ioapic_input *input, const struct irq_route *route)
{
    const struct ioapic_route masked = {.vector = UINT8_MAX,
                                        .mode = IOAPIC_MODE_FIXED,
                                        .level = true,
                                        .active_low = input->active_low,
                                        .masked = true};
    enum status s = STATUS_OK;
    spin_lock(&lock);
    if (route != NULL) {
        s = program(input, route);
    }
    if (route == NULL || s != STATUS_OK) {
        ioapic_set(machine.ioapic[input->ioapic], input->pin, &masked);
    }
    spin_unlock(&lock);
    return s;
}

bool ioapic_pin_waits(const struct ioapic_input *input)
{
    spin_lock(&lock);
    uint64_t entry = ioapic_get(machine.ioapic[input->ioapic], input->pin);
    spin_unlock(&lock);
    return (entry & IOAPIC_ENTRY_REMOTE_IRR) != 0;
}
