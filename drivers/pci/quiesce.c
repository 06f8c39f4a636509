// SPDX-License-Identifier: Apache-2.0
// Stops what the firmware left running. From then on no device masters the bus or interrupts until
// its owner turns that on.
#include "drivers/pci/parts.h"

static void stop_messages(const struct pci_function *f)
{
    if (f->msi != 0) {
        uint32_t control = pci_config_read(f->address, f->msi + PCI_MSI_CONTROL, 2);
        pci_config_write(f->address, f->msi + PCI_MSI_CONTROL, 2, control & ~PCI_MSI_ENABLE);
    }
    if (f->msix != 0) {
        uint32_t control = pci_config_read(f->address, f->msix + PCI_MSIX_CONTROL, 2);
        pci_config_write(f->address, f->msix + PCI_MSIX_CONTROL, 2, control & ~PCI_MSIX_ENABLE);
    }
}

// The ROM may share its decoder with a BAR (PCI Local Bus Specification 3.0, section 6.2.5.2).
static void hide_rom(const struct pci_function *f)
{
    if (f->header_type == PCI_HEADER_DEVICE) {
        uint32_t rom = pci_config_read(f->address, PCI_ROM, 4);
        pci_config_write(f->address, PCI_ROM, 4, rom & ~PCI_ROM_ENABLE);
    }
}

static bool keeps_mastering(const struct pci_function *f)
{
    return f->bridge || PCI_CLASS_SUB(f->class_code) == PCI_CLASS_IOMMU;
}

// A bridge's own interrupts (hot plug, errors) are turned off, because no owner handles them. Its
// bus master bit stays on for the functions below it, which are stopped one by one. A host bridge's
// command register stays unchanged, because it may control the processors' access to memory. An
// IOMMU keeps bus mastering, because it works for the hypervisor.
static void stop(const struct pci_function *f)
{
    if (PCI_CLASS_SUB(f->class_code) == PCI_CLASS_HOST_BRIDGE) {
        return;
    }
    uint32_t command = pci_config_read(f->address, PCI_COMMAND, 2) | PCI_COMMAND_INTX_DISABLE;
    if (!keeps_mastering(f)) {
        command &= ~PCI_COMMAND_MASTER;
    }
    pci_config_write(f->address, PCI_COMMAND, 2, command);
    stop_messages(f);
    hide_rom(f);
}

// Legacy support ends first: until then system management code may drive the controller, and turn
// on again what was turned off.
void pci_quiesce(const struct pci_machine *pci)
{
    for (unsigned i = 0; i < pci->count; i++) {
        pci_take_usb(&pci->function[i]);
    }
    for (unsigned i = 0; i < pci->count; i++) {
        stop(&pci->function[i]);
    }
}

void pci_open_bridges(const struct pci_machine *pci, const struct pci_function *f)
{
    for (int p = f->parent; p != PCI_NO_PARENT; p = pci->function[p].parent) {
        pci_address_t a = pci->function[p].address;
        uint32_t command = pci_config_read(a, PCI_COMMAND, 2);
        pci_config_write(a, PCI_COMMAND, 2,
                         command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    }
}
