// SPDX-License-Identifier: Apache-2.0
// Decides which of a device's capabilities its virtual function shows, and links them into a list.
// Each stays at its offset; the others are skipped. A device's list is not trusted: it may contain
// loops, overlap itself, or lead nowhere.
#include "hv/vpci/function.h"

#define FIRST_CAPABILITY 0x40 // PCI 3.0, 6.7
#define MAX_CAPABILITIES 48   // more can't fit

#define PLACE(name) ((uint32_t)BIT(PCI_PLACE_##name))

#define PCIE_VERSION(caps)   ((caps)&0xf)
#define PCIE_TYPE(caps)      ((caps) >> 4 & 0xf)
#define PCIE_TYPE_ENDPOINT   0
#define PCIE_TYPE_LEGACY     1
#define PCIE_TYPE_INTEGRATED 9
#define PCIE_TYPE_SHIFT      4
#define PCIE_CAPABILITIES    2 // offset of a register in the capability

// virtio 1.1, 4.1.4.
#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_COMMON 1
#define VIRTIO_NOTIFY 2
#define VIRTIO_ISR    3
#define VIRTIO_DEVICE 4
#define VIRTIO_SHARED 8
#define VIRTIO_LENGTH 2 // offsets of registers in the capability
#define VIRTIO_TYPE   3

static uint32_t device_read(const struct vpci_function *f, unsigned offset, unsigned size)
{
    return pci_config_read(f->host->address, offset, size);
}

static bool show_pm(struct vpci_function *f, unsigned at)
{
    if (f->pm != 0 || !vpci_show(f, PLACE(PM), at)) {
        return false;
    }
    f->pm = (uint8_t)at;
    return true;
}

static bool show_msi(struct vpci_function *f, unsigned at)
{
    uint32_t control = device_read(f, at + PCI_MSI_CONTROL, 2);
    uint32_t places = PLACE(MSI);
    bool maskable = (control & PCI_MSI_MASKABLE) != 0;
    if ((control & PCI_MSI_64) != 0) {
        places |= PLACE(MSI_64) | (maskable ? PLACE(MSI_64_MASK) : 0);
    } else {
        places |= PLACE(MSI_32) | (maskable ? PLACE(MSI_32_MASK) : 0);
    }
    if (f->msi != 0 || !vpci_show(f, places, at)) {
        return false;
    }
    f->msi = (uint8_t)at;
    return true;
}

// Whether a structure lies inside the memory BAR that a device names for it.
static bool in_bar(const struct pci_function *host, uint32_t where, uint64_t size)
{
    unsigned bar = where & 7;
    uint64_t offset = where & ~7u;
    if (bar >= PCI_BARS) {
        return false;
    }
    enum pci_bar_kind kind = vpci_bar_kind(host, bar);
    return pci_bar_is_memory(kind) && offset + size <= host->bar[bar].size;
}

static bool show_msix(struct vpci_function *f, unsigned at)
{
    if (f->msix != 0 || at + 12 > VPCI_CONFIG_SIZE) {
        return false;
    }
    unsigned vectors = (device_read(f, at + PCI_MSIX_CONTROL, 2) & PCI_MSIX_SIZE_MASK) + 1;
    uint32_t table = device_read(f, at + PCI_MSIX_TABLE, 4);
    uint32_t pba = device_read(f, at + PCI_MSIX_PBA, 4);
    if (!in_bar(f->host, table, (uint64_t)vectors * PCI_MSIX_ENTRY_SIZE) ||
        !in_bar(f->host, pba, align_up(vectors, 64) / 8) || !vpci_show(f, PLACE(MSIX), at)) {
        return false;
    }
    f->msix = (uint8_t)at;
    f->msix_vectors = vectors;
    f->msix_bar = table & 7;
    f->msix_table = table & ~7u;
    f->msix_pba_bar = pba & 7;
    f->msix_pba = pba & ~7u;
    return true;
}

static bool show_pcie(struct vpci_function *f, unsigned at)
{
    uint32_t caps = device_read(f, at + PCIE_CAPABILITIES, 2);
    unsigned type = PCIE_TYPE(caps);
    if (type != PCIE_TYPE_ENDPOINT && type != PCIE_TYPE_LEGACY && type != PCIE_TYPE_INTEGRATED) {
        return false;
    }
    uint32_t places = PLACE(PCIE);
    if (PCIE_VERSION(caps) >= 2) {
        places |= PLACE(PCIE_LINK) | PLACE(PCIE_2);
    } else if (type != PCIE_TYPE_INTEGRATED) {
        places |= PLACE(PCIE_LINK);
    }
    if (f->pcie != 0 || !vpci_show(f, places, at)) {
        return false;
    }
    f->pcie = (uint8_t)at;
    uint32_t shown = vpci_own(f, at + PCIE_CAPABILITIES, 2);
    vpci_set_own(f, at + PCIE_CAPABILITIES, 2, shown | PCIE_TYPE_INTEGRATED << PCIE_TYPE_SHIFT);
    return true;
}

static bool show_vendor(struct vpci_function *f, unsigned at)
{
    if (f->host->vendor != VIRTIO_VENDOR) {
        return false; // unknown vendors' capabilities are hidden
    }
    uint32_t places = PLACE(VIRTIO);
    unsigned needed = 16;
    switch (device_read(f, at + VIRTIO_TYPE, 1)) {
    case VIRTIO_COMMON:
    case VIRTIO_ISR:
    case VIRTIO_DEVICE:
        break;
    case VIRTIO_NOTIFY:
        places |= PLACE(VIRTIO_NOTIFY);
        needed = 20;
        break;
    case VIRTIO_SHARED:
        places |= PLACE(VIRTIO_SHARED);
        needed = 24;
        break;
    default: // above all 5, which lets a guest access the device without the page tables
        return false;
    }
    return device_read(f, at + VIRTIO_LENGTH, 1) >= needed && vpci_show(f, places, at);
}

static bool show_capability(struct vpci_function *f, unsigned id, unsigned at)
{
    switch (id) {
    case PCI_CAP_PM:
        return show_pm(f, at);
    case PCI_CAP_MSI:
        return show_msi(f, at);
    case PCI_CAP_MSIX:
        return show_msix(f, at);
    case PCI_CAP_PCIE:
        return show_pcie(f, at);
    case PCI_CAP_VENDOR:
        return show_vendor(f, at);
    default:
        return false;
    }
}

void vpci_find_capabilities(struct vpci_function *f)
{
    if ((device_read(f, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES) == 0) {
        return;
    }
    // Offset of the byte that must hold the next capability's offset.
    unsigned link = PCI_CAPABILITIES;
    unsigned at = device_read(f, PCI_CAPABILITIES, 1) & ~3u;
    for (unsigned n = 0; n < MAX_CAPABILITIES && at >= FIRST_CAPABILITY; n++) {
        unsigned id = device_read(f, at, 1);
        unsigned next = device_read(f, at + 1, 1) & ~3u;
        if (show_capability(f, id, at)) {
            vpci_set_own(f, at, 1, id);
            vpci_set_own(f, at + 1, 1, 0);
            vpci_set_own(f, link, 1, at);
            vpci_set_own(f, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
            link = at + 1;
        }
        at = next;
    }
}
