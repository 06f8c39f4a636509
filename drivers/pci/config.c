// SPDX-License-Identifier: Apache-2.0
// Configuration space of the machine's functions. Memory-mapped, if ACPI's MCFG gives an address
// and the page there shows the same function as the ports do; else through the ports.
#include "arch/lib/types.h"
#include "drivers/console/console.h"
#include "drivers/pci/raw.h"

#define PORT_SPACE 256u
#define PAGE_SPACE 4096u

// Written at boot only. Sorted by address, as the scan finds functions in that order.
static struct config_page {
    pci_address_t address;
    volatile void *page;
} pages[PCI_MAX_FUNCTIONS];
static unsigned page_count;

static volatile void *find_page(pci_address_t a)
{
    unsigned first = 0, behind = page_count;
    while (first < behind) {
        unsigned middle = (first + behind) / 2;
        if (pages[middle].address.v == a.v) {
            return pages[middle].page;
        }
        if (pages[middle].address.v < a.v) {
            first = middle + 1;
        } else {
            behind = middle;
        }
    }
    return NULL;
}

static bool is_register(unsigned offset, unsigned size, unsigned space)
{
    return (size == 1 || size == 2 || size == 4) && offset % size == 0 && offset < space;
}

static bool by_ports(pci_address_t a, unsigned offset, unsigned size)
{
    return PCI_SEGMENT(a) == 0 && is_register(offset, size, PORT_SPACE);
}

uint32_t pci_config_read(pci_address_t a, unsigned offset, unsigned size)
{
    volatile void *page = find_page(a);
    if (page != NULL && is_register(offset, size, PAGE_SPACE)) {
        return pci_page_read(page, offset, size);
    }
    if (by_ports(a, offset, size)) {
        return pci_port_read(a, offset, size);
    }
    return size >= 4 ? UINT32_MAX : (1u << 8 * size) - 1;
}

void pci_config_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value)
{
    volatile void *page = find_page(a);
    if (page != NULL && is_register(offset, size, PAGE_SPACE)) {
        pci_page_write(page, offset, size, value);
    } else if (by_ports(a, offset, size)) {
        pci_port_write(a, offset, size, value);
    }
}

// ---- MCFG ------------------------------------------------------------------------------------

// The address of the function's page. False: no MCFG entry covers its bus.
static bool page_address(const struct acpi_info *acpi, pci_address_t a, hpa_t *out)
{
    for (uint32_t i = 0; i < acpi->mcfg_count && i < ACPI_MAX_MCFG; i++) {
        const struct acpi_mcfg *m = &acpi->mcfg[i];
        uint64_t offset = (uint64_t)(a.v & 0xffff) << PAGE_SHIFT;
        if (m->segment != PCI_SEGMENT(a) || PCI_BUS(a) < m->bus_first || PCI_BUS(a) > m->bus_last ||
            !is_aligned(m->base, PAGE_SIZE) || m->base == 0 || m->base >= BIT(52) - GIB(1)) {
            continue;
        }
        *out = hpa(m->base + offset);
        return true;
    }
    return false;
}

// Firmware is not trusted: the page must show the same function as the ports.
static bool same_function(volatile void *page, pci_address_t a)
{
    static const uint8_t fixed[] = {PCI_VENDOR, PCI_CLASS};
    for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++) {
        if (pci_page_read(page, fixed[i], 4) != pci_port_read(a, fixed[i], 4)) {
            return false;
        }
    }
    return true;
}

// Only PCI Express functions have extended space. A conventional bridge on the path passes no
// address bits above the first 256 bytes.
static bool has_extended_space(const struct pci_machine *pci, const struct pci_function *f)
{
    for (const struct pci_function *at = f;; at = &pci->function[at->parent]) {
        if (at->pcie == 0) {
            return false;
        }
        if (at->parent == PCI_NO_PARENT) {
            return pci_config_read(f->address, PCI_EXT_CAP_FIRST, 4) != UINT32_MAX;
        }
    }
}

enum status pci_map_config(struct pci_machine *pci, const struct acpi_info *acpi)
{
    bool told = false;
    page_count = 0;
    for (unsigned i = 0; i < pci->count; i++) {
        struct pci_function *f = &pci->function[i];
        hpa_t where;
        f->extended = false;
        if (!page_address(acpi, f->address, &where)) {
            continue;
        }
        volatile void *page = pci_page_map(where);
        if (page == NULL) {
            return ERR_NO_MEMORY;
        }
        if (!same_function(page, f->address)) {
            char text[PCI_TEXT_SIZE];
            if (!told) {
                print("ACPI's MCFG leads to 0x%lx for device %s, which is not there: ports are "
                      "used instead\n",
                      where.v, pci_text(f->address, text));
            }
            told = true;
            continue;
        }
        pages[page_count++] = (struct config_page){f->address, page};
    }
    for (unsigned i = 0; i < pci->count; i++) {
        pci->function[i].extended = find_page(pci->function[i].address) != NULL &&
                                    has_extended_space(pci, &pci->function[i]);
    }
    return STATUS_OK;
}
