// SPDX-License-Identifier: Apache-2.0
// The MSI capability, which has its registers where its control register says.
#include "drivers/pci_msi.h"

struct pci_msi pci_msi_registers(unsigned at, uint32_t control)
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

void pci_msi_write(pci_address_t a, const struct pci_msi *r, const struct msi_message *m)
{
    pci_config_write(a, r->address, 4, (uint32_t)m->address);
    if (r->wide) {
        pci_config_write(a, r->address + 4, 4, (uint32_t)(m->address >> 32));
    }
    pci_config_write(a, r->data, 2, m->data & 0xffff);
}
