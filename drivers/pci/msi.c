// SPDX-License-Identifier: Apache-2.0
// Writes the MSI capability.
#include "drivers/pci/msi.h"

void pci_msi_write(pci_address_t a, const struct pci_msi *r, const struct msi_message *m)
{
    pci_config_write(a, r->address, 4, (uint32_t)m->address);
    if (r->wide) {
        pci_config_write(a, r->address + 4, 4, (uint32_t)(m->address >> 32));
    }
    pci_config_write(a, r->data, 2, m->data & 0xffff);
}
