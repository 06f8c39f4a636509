// SPDX-License-Identifier: Apache-2.0
// The two capability lists (PCI Local Bus Specification 3.0, section 6.7; PCI Express Base
// Specification, section 7.9.3). A device is not trusted to end its list.
#include "arch/lib/types.h"
#include "drivers/console/console.h"
#include "drivers/pci/parts.h"

#define SPACE          256u
#define EXTENDED_SPACE 4096u
#define EXTENDED_MAX   ((EXTENDED_SPACE - PCI_EXT_CAP_FIRST) / 4)

#define PCIE_SIZE 20u // the registers up to the link's, which every function of version 1 has

struct known_capability {
    uint8_t id;
    uint8_t size; // bytes that must lie within the space
    size_t where; // offset of the field in struct pci_function
};

#define FIELD(name) offsetof(struct pci_function, name)

static const struct known_capability known[] = {
    {PCI_CAP_PM, 8, FIELD(pm)},      {PCI_CAP_MSI, 10, FIELD(msi)},
    {PCI_CAP_MSIX, 12, FIELD(msix)}, {PCI_CAP_PCIE, PCIE_SIZE, FIELD(pcie)},
    {PCI_CAP_AF, 6, FIELD(af)},
};

// The size of an MSI capability depends on its features (section 6.8.1).
static unsigned msi_size(pci_address_t a, unsigned at)
{
    uint32_t control = pci_config_read(a, at + PCI_MSI_CONTROL, 2);
    unsigned size = control & PCI_MSI_64 ? 14 : 10;
    return control & PCI_MSI_MASKABLE ? size + 10 : size;
}

static void note(struct pci_function *f, unsigned id, unsigned at)
{
    char text[PCI_TEXT_SIZE];
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        uint8_t *field = (uint8_t *)f + known[i].where;
        if (known[i].id != id || *field != 0) {
            continue;
        }
        unsigned size = id == PCI_CAP_MSI ? msi_size(f->address, at) : known[i].size;
        if (at + size > SPACE) {
            print("device %s: capability 0x%02x at 0x%02x does not fit in: left out\n",
                  pci_text(f->address, text), id, at);
        } else {
            *field = (uint8_t)at;
        }
    }
}

void pci_find_capabilities(struct pci_function *f)
{
    uint64_t seen = 0; // one bit for each doubleword
    char text[PCI_TEXT_SIZE];
    if (!(pci_config_read(f->address, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES) ||
        f->header_type > PCI_HEADER_CARDBUS) {
        return;
    }
    unsigned link =
        f->header_type == PCI_HEADER_CARDBUS ? PCI_CARDBUS_CAPABILITIES : PCI_CAPABILITIES;
    for (;;) {
        unsigned at = pci_config_read(f->address, link, 1) & 0xfcu;
        if (at == 0) {
            return;
        }
        if (at < PCI_CAP_FIRST || (seen & BIT(at / 4))) {
            print("device %s: the list of capabilities %s at 0x%02x: the rest is left out\n",
                  pci_text(f->address, text),
                  at < PCI_CAP_FIRST ? "leads into the header" : "runs in a circle", at);
            return;
        }
        seen |= BIT(at / 4);
        note(f, pci_config_read(f->address, at, 1), at);
        link = at + 1;
    }
}

unsigned pci_find_extended(const struct pci_function *f, unsigned id)
{
    unsigned at = PCI_EXT_CAP_FIRST;
    if (!f->extended) {
        return 0;
    }
    for (unsigned i = 0; i < EXTENDED_MAX; i++) {
        uint32_t header = pci_config_read(f->address, at, 4);
        if (header == UINT32_MAX || header == 0) {
            return 0;
        }
        if ((header & 0xffff) == id) {
            return at;
        }
        at = header >> 20 & 0xffcu;
        if (at < PCI_EXT_CAP_FIRST) {
            return 0;
        }
    }
    return 0;
}

int pci_port_type(const struct pci_function *f)
{
    if (f->pcie == 0) {
        return -1;
    }
    return (int)PCI_PCIE_TYPE(pci_config_read(f->address, f->pcie + PCI_PCIE_FLAGS, 2));
}
