// SPDX-License-Identifier: Apache-2.0
// Interrupt messages, and a function's registers for them (PCI Local Bus Specification 3.0, 6.8).
#ifndef DRIVERS_PCI_MSI_H
#define DRIVERS_PCI_MSI_H

#include "drivers/pci/pci.h"

// The contents of a device's MSI or MSI-X registers.
struct msi_message {
    uint64_t address;
    uint32_t data;
};

// The registers of an MSI capability, as offsets in configuration space.
struct pci_msi {
    unsigned control, address, data, mask;
    bool wide, maskable; // the address has 64 bits; a mask register exists
};

// `at`: the capability's offset, `control`: its control register.
static inline struct pci_msi pci_msi_registers(unsigned at, uint32_t control)
{
    bool wide = (control & PCI_MSI_64) != 0;
    unsigned data = at + PCI_MSI_ADDRESS + (wide ? 8 : 4);
    return (struct pci_msi){.control = at + PCI_MSI_CONTROL,
                            .address = at + PCI_MSI_ADDRESS,
                            .data = data,
                            .mask = data + 4,
                            .wide = wide,
                            .maskable = (control & PCI_MSI_MASKABLE) != 0};
}

// Writes the address and the data. MSI may be enabled meanwhile.
void pci_msi_write(pci_address_t a, const struct pci_msi *r, const struct msi_message *m);

#endif
