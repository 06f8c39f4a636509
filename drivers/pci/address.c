// SPDX-License-Identifier: Apache-2.0
// Finds a function by its address, and writes the address for messages.
#include "arch/lib/format.h"
#include "drivers/pci/pci.h"

int pci_find(const struct pci_machine *pci, pci_address_t a)
{
    for (unsigned i = 0; i < pci->count; i++) {
        if (pci->function[i].address.v == a.v) {
            return (int)i;
        }
    }
    return -1;
}

const char *pci_text(pci_address_t a, char text[PCI_TEXT_SIZE])
{
    char segment[6] = "";
    if (PCI_SEGMENT(a) != 0) {
        format(segment, sizeof(segment), "%04x:", PCI_SEGMENT(a));
    }
    format(text, PCI_TEXT_SIZE, "%s%02x:%02x.%u", segment, PCI_BUS(a), PCI_SLOT(a),
           PCI_FUNCTION(a));
    return text;
}
