// SPDX-License-Identifier: Apache-2.0
// Interrupts of a partition's devices. A device never holds the message that the guest wrote, but
// one that was checked and translated. With interrupt remapping it holds the handle of an IOMMU
// entry kept for this device; without, the physical destination. Delivery then needs no exit.
#include "hv/device/passthrough.h"
#include "hv/partition/deliver.h"

#include "arch/interrupt/apic_defs.h"
#include "arch/lib/spinlock.h"
#include "hv/interrupt/msi_check.h"
#include "hv/machine/guest_platform.h"
#include "hv/machine/ioapic_pin.h"
#include "hv/machine/pci.h"
#include "hv/partition/log.h"
#include "hv/partition/partition.h"

#define ENTRY_CONTROL 3 // index of a doubleword in an MSI-X entry

// ---- one message ----------------------------------------------------------------------------

static void set_route(const struct passthrough_device *d, unsigned index,
                      const struct irq_route *route)
{
    if (iommu != NULL) {
        spin_lock(&machine_pci.iommu_lock);
        iommu->irq_set(d->pci->requester, d->irq_first + index, route);
        spin_unlock(&machine_pci.iommu_lock);
    }
}

// Finds where the guest wants a message to go. False if the guest may not send it there.
static bool find_route(struct vcpu *v, const struct passthrough_device *d, unsigned vector,
                       uint64_t address, uint32_t data, struct irq_route *route)
{
    struct partition *p = v->partition;
    struct msi_target target;
    const char *reason;
    if (!msi_check(&p->topology, address, data, &target, &reason)) {
        if (reason != NULL) {
            char place[PCI_TEXT_SIZE];
            log_guest(v, "device %s, interrupt message %u (address 0x%lx, data 0x%x) refused: %s",
                      pci_text(d->pci->address, place), vector, address, data, reason);
        }
        return false;
    }
    *route =
        (struct irq_route){.apic_id = p->vcpus[target.vcpu]->physical_id, .vector = target.vector};
    // Without remapping a message has 8 bits for the APIC ID.
    if (iommu == NULL && route->apic_id > APIC_XAPIC_LAST_ID) {
        char place[PCI_TEXT_SIZE];
        log_guest(v, "device %s: without an IOMMU its messages don't reach APIC ID %u",
                  pci_text(d->pci->address, place), route->apic_id);
        return false;
    }
    return true;
}

// The message that the device itself is to send.
static struct msi_message device_message(const struct passthrough_device *d, unsigned index,
                                         const struct irq_route *route)
{
    struct msi_message m;
    if (iommu != NULL) {
        iommu->irq_message(d->pci->requester, d->irq_first + index, &m);
        return m;
    }
    m.address = APIC_MSI_ADDRESS | (uint64_t)route->apic_id << APIC_MSI_DEST_POS;
    m.data = route->vector; // fixed delivery, edge-triggered
    return m;
}

// ---- MSI-X ----------------------------------------------------------------------------------

static void program_vector(struct vcpu *v, struct passthrough_device *d, unsigned vector)
{
    uint64_t at = d->msix.table + (uint64_t)vector * PCI_MSIX_ENTRY_SIZE;
    volatile uint32_t *entry = passthrough_trapped(d, at, PCI_MSIX_ENTRY_SIZE);
    struct vmsix_message wish = vmsix_live(&d->msix, vector);
    struct irq_route route;
    // Masked first: a half-written entry is never live.
    entry[ENTRY_CONTROL] = PCI_MSIX_ENTRY_MASKED;
    if (!wish.live || !find_route(v, d, vector, wish.address, wish.data, &route)) {
        return;
    }
    set_route(d, vector, &route);
    struct msi_message m = device_message(d, vector, &route);
    entry[0] = (uint32_t)m.address;
    entry[1] = (uint32_t)(m.address >> 32);
    entry[2] = m.data;
    entry[ENTRY_CONTROL] = 0;
}

void passthrough_msix(struct vcpu *v, struct passthrough_device *d, struct vmsix_change change)
{
    if (d->msix_pages == NULL || d->lost) {
        return;
    }
    for (unsigned i = 0; i < change.count; i++) {
        program_vector(v, d, change.first + i);
    }
    // A function is masked by masking all its vectors, so only the enable bit is left to set.
    uint16_t control = vpci_msix_control(d->virt) & PCI_MSIX_ENABLE;
    pci_config_write(d->pci->address, d->pci->msix + PCI_MSIX_CONTROL, 2, control);
}

// ---- MSI ------------------------------------------------------------------------------------

static unsigned log2_of(unsigned power)
{
    return (unsigned)__builtin_ctz(power);
}

// Without remapping a device's vectors are consecutive, so they must be the guest's own numbers and
// must all go to the same CPU. With remapping each vector has an entry of its own.
static bool routes_agree(const struct irq_route *route, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        if (route[i].apic_id != route[0].apic_id || route[i].vector != route[0].vector + i) {
            return false;
        }
    }
    return true;
}

static bool route_all(struct vcpu *v, struct passthrough_device *d, const struct vpci_msi *wish,
                      struct msi_message *message)
{
    struct irq_route route[32];
    for (unsigned i = 0; i < wish->vectors; i++) {
        if (!find_route(v, d, i, wish->address, wish->data | i, &route[i])) {
            return false;
        }
    }
    if (iommu == NULL && !routes_agree(route, wish->vectors)) {
        return false;
    }
    for (unsigned i = 0; i < wish->vectors; i++) {
        set_route(d, i, &route[i]);
    }
    *message = device_message(d, 0, &route[0]);
    return true;
}

void passthrough_msi(struct vcpu *v, struct passthrough_device *d)
{
    pci_address_t a = d->pci->address;
    struct msi_message message;
    if (d->virt->msi == 0 || d->lost) {
        return;
    }
    struct vpci_msi wish = vpci_msi(d->virt);
    uint32_t control = pci_config_read(a, d->pci->msi + PCI_MSI_CONTROL, 2);
    struct pci_msi r = pci_msi_registers(d->pci->msi, control);
    if (!wish.enabled || !route_all(v, d, &wish, &message)) {
        pci_config_write(a, r.control, 2, 0);
        return;
    }
    uint32_t on = PCI_MSI_ENABLE | log2_of(wish.vectors) << PCI_MSI_ENABLED_SHIFT;
    // An MSI that is on already is changed without turning it off. A device without masks would
    // lose an interrupt that it raises while MSI is off. With remapping only entries change then.
    if ((control & PCI_MSI_ENABLED) != on) {
        pci_config_write(a, r.control, 2, 0);
    }
    pci_msi_write(a, &r, &message);
    if (r.maskable) {
        pci_config_write(a, r.mask, 4, wish.mask);
    }
    pci_config_write(a, r.control, 2, on);
}

void passthrough_irq_stop(struct passthrough_device *d)
{
    pci_address_t a = d->pci->address;
    if (d->pci->msi != 0) {
        pci_config_write(a, d->pci->msi + PCI_MSI_CONTROL, 2, 0);
    }
    if (d->pci->msix != 0) {
        pci_config_write(a, d->pci->msix + PCI_MSIX_CONTROL, 2, 0);
    }
    unsigned vectors = d->pci->msi != 0 ? 32 : 0;
    vectors = d->msix.count > vectors ? d->msix.count : vectors;
    vectors = (unsigned)min_u64(vectors, d->irq_count);
    for (unsigned i = 0; i < vectors; i++) {
        set_route(d, i, NULL);
    }
}

// ---- pins -----------------------------------------------------------------------------------

static void program_pin(struct partition *p, unsigned n)
{
    struct vioapic_message m;
    struct icr_verdict verdict = {.kind = ICR_NONE};
    if (vioapic_direct_message(&p->devices.ioapic, GUEST_PCI_PIN_FIRST + n, &m) &&
        m.delivery != VIOAPIC_NMI) {
        deliver_judge(p, &m, &verdict);
    }
    if (verdict.kind != ICR_FIXED) {
        ioapic_pin_route(&p->passthrough->pin[n], NULL);
        return;
    }
    const struct vcpu *target = p->vcpus[__builtin_ctzll(verdict.targets)];
    struct irq_route route = {
        .apic_id = target->physical_id, .vector = (uint8_t)verdict.vector, .level = true};
    ioapic_pin_route(&p->passthrough->pin[n], &route); // the pin stays masked if this fails
}

void passthrough_pins(struct partition *p)
{
    struct vioapic *a = &p->devices.ioapic;
    while (a->changed != 0) {
        unsigned pin = (unsigned)__builtin_ctz(a->changed);
        a->changed &= a->changed - 1;
        program_pin(p, pin - GUEST_PCI_PIN_FIRST);
    }
}

void passthrough_pins_read(struct partition *p)
{
    struct vioapic *a = &p->devices.ioapic;
    a->remote_irr = 0;
    for (uint32_t left = a->direct; left != 0; left &= left - 1) {
        unsigned pin = (unsigned)__builtin_ctz(left);
        if (ioapic_pin_waits(&p->passthrough->pin[pin - GUEST_PCI_PIN_FIRST])) {
            a->remote_irr |= 1u << pin;
        }
    }
}
