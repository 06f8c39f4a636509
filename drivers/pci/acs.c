// SPDX-License-Identifier: Apache-2.0
// Access control services (PCI Express Base Specification, sections 6.12 and 7.7.11): a port, or a
// function of a multi-function device, sends requests that could go to a neighbour upstream to the
// IOMMU instead.
#include "drivers/pci/parts.h"

// Redirects requests and completions upstream. Forwards requests from below upstream whatever their
// address, and requires that they carry an ID of a bus below.
#define NEEDED (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)
// Also block requests that claim to be translated already: no device may send them.
#define WANTED (NEEDED | PCI_ACS_TB)

bool pci_isolate(const struct pci_function *f)
{
    unsigned at = pci_find_extended(f, PCI_EXT_CAP_ACS);
    if (at == 0 || at + PCI_ACS_CONTROL + 2 > 4096) {
        return false;
    }
    // A service that the capability does not offer is a transfer that the function never makes
    // (section 6.12.1).
    uint32_t offered = pci_config_read(f->address, at + PCI_ACS_CAP, 2);
    uint32_t control = pci_config_read(f->address, at + PCI_ACS_CONTROL, 2);
    control = (control & ~(uint32_t)(PCI_ACS_EC | PCI_ACS_DT)) | (offered & WANTED);
    pci_config_write(f->address, at + PCI_ACS_CONTROL, 2, control);
    control = pci_config_read(f->address, at + PCI_ACS_CONTROL, 2);
    return (control & offered & NEEDED) == (offered & NEEDED);
}
