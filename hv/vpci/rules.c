// SPDX-License-Identifier: Apache-2.0
// Which registers and capabilities of its PCI functions a guest sees. Offsets and bits: PCI Local
// Bus Specification 3.0, chapter 6; PCI Power Management 1.2, chapter 3; PCI Express Base
// Specification 3.0, 7.8; virtio 1.1, 4.1.4.
#include "hv/vpci/rules.h"

#include "drivers/pci/defs.h"

#define AT(place_, offset_, size_) .place = PCI_PLACE_##place_, .offset = (offset_), .size = (size_)
#define DEVICE(bits)               .device = (bits)
#define OWN(bits)                  .own = (bits)
#define COPIED(bits)               .own = (bits), .copied = (bits)
#define WRITABLE(bits)             .own = (bits), .writable = (bits)
#define CAPABILITY(place_)                                                                         \
    AT(place_, 0, 2), OWN(0xffff), .name = "identifier and next",                                  \
                                   .why = "the list leads only over what is shown"

static const char names[] = "drivers are chosen by it; constant";
static const char never_moves[] =
    "the device's own never moves; where a guest puts it counts within its window only";
static const char other_vectors[] =
    "the device's own is written by the hypervisor, from what passed the check of an ICR write";
static const char of_device[] = "a property of the device";
static const char of_link[] = "the link is shared with the bridge above";
static const char of_virtio[] = "says where in the BARs the registers are; constant";

// clang-format off
static const struct pci_rule rules[] = {
    {.name = "everything else", .why = "default deny"},

    {AT(HEADER, PCI_VENDOR, 2), DEVICE(0xffff), .name = "vendor", .why = names},
    {AT(HEADER, PCI_DEVICE, 2), DEVICE(0xffff), .name = "device", .why = names},
    {AT(HEADER, PCI_COMMAND, 2), WRITABLE(0x0547), .passed = 0x0444, .kind = PCI_RULE_COMMAND,
        .name = "command",
        .why = "decoding is the page tables' and the port map's; a system error would be the whole "
               "machine's, so SERR is only remembered; INTx is off unless it is granted and "
               "neither MSI nor MSI-X is on"},
    {AT(HEADER, PCI_STATUS, 2), DEVICE(0xffa8), OWN(0x0010), .cleared = 0xf900, .name = "status",
        .why = "errors of this device; clearing them is a driver's business"},
    {AT(HEADER, PCI_REVISION, 1), DEVICE(0xff), .name = "revision", .why = names},
    {AT(HEADER, 0x09, 1), DEVICE(0xff), .name = "programming interface", .why = names},
    {AT(HEADER, 0x0a, 2), DEVICE(0xffff), .name = "class", .why = names},
    {AT(HEADER, PCI_CACHE_LINE, 1), WRITABLE(0xff), .name = "cache line size",
        .why = "only counts for memory write and invalidate, which stays as it is"},
    {AT(HEADER, PCI_LATENCY, 1), DEVICE(0xff), .name = "latency timer",
        .why = "how long it may hold a bus that others share"},
    {AT(HEADER, PCI_HEADER_TYPE, 1), OWN(PCI_HEADER_MULTI), .name = "header type",
        .why = "type 0; multi-function if more of the device's functions are the partition's"},
    {AT(HEADER, PCI_BAR0 + 0x00, 4), OWN(0xffffffff), .kind = PCI_RULE_BAR, .name = "BAR 0",
        .why = never_moves},
    {AT(HEADER, PCI_BAR0 + 0x04, 4), OWN(0xffffffff), .kind = PCI_RULE_BAR, .name = "BAR 1",
        .why = never_moves},
    {AT(HEADER, PCI_BAR0 + 0x08, 4), OWN(0xffffffff), .kind = PCI_RULE_BAR, .name = "BAR 2",
        .why = never_moves},
    {AT(HEADER, PCI_BAR0 + 0x0c, 4), OWN(0xffffffff), .kind = PCI_RULE_BAR, .name = "BAR 3",
        .why = never_moves},
    {AT(HEADER, PCI_BAR0 + 0x10, 4), OWN(0xffffffff), .kind = PCI_RULE_BAR, .name = "BAR 4",
        .why = never_moves},
    {AT(HEADER, PCI_BAR0 + 0x14, 4), OWN(0xffffffff), .kind = PCI_RULE_BAR, .name = "BAR 5",
        .why = never_moves},
    {AT(HEADER, PCI_SUBSYSTEM, 4), DEVICE(0xffffffff), .name = "subsystem", .why = names},
    {AT(HEADER, PCI_ROM, 4), .name = "expansion ROM",
        .why = "code of the device for firmware, which a partition has none of"},
    {AT(HEADER, PCI_CAPABILITIES, 1), OWN(0xff), .name = "capabilities",
        .why = "the list leads only over what is shown"},
    {AT(HEADER, PCI_INTERRUPT_LINE, 1), WRITABLE(0xff), .name = "interrupt line",
        .why = "a note among software"},
    {AT(HEADER, PCI_INTERRUPT_PIN, 1), OWN(0xff), .name = "interrupt pin",
        .why = "the wire that its interrupt is at on the partition's bus, if it has one; else none"},

    {CAPABILITY(PM)},
    {AT(PM, 2, 2), DEVICE(0x002f), .name = "PM capabilities",
        .why = "D1, D2 and wake-up are hidden"},
    {AT(PM, 4, 2), DEVICE(0x0008), .own = 0x0003, .writable = 0x0003, .passed = 0x0003,
        .kind = PCI_RULE_POWER, .name = "PM control",
        .why = "D0 and D3hot concern this device alone; others are ignored. A wake-up event would "
               "be the machine's"},

    {CAPABILITY(MSI)},
    {AT(MSI, PCI_MSI_CONTROL, 2), .own = 0x01ff, .copied = 0x018e, .writable = 0x0071,
        .kind = PCI_RULE_MSI, .name = "MSI control", .why = other_vectors},
    {AT(MSI, PCI_MSI_ADDRESS, 4), WRITABLE(0xfffffffc), .kind = PCI_RULE_MSI,
        .name = "MSI address", .why = other_vectors},
    {AT(MSI_32, 0x08, 2), WRITABLE(0xffff), .kind = PCI_RULE_MSI,
        .name = "MSI data (32-bit)", .why = other_vectors},
    {AT(MSI_64, 0x08, 4), WRITABLE(0xffffffff), .kind = PCI_RULE_MSI,
        .name = "MSI upper address", .why = other_vectors},
    {AT(MSI_64, 0x0c, 2), WRITABLE(0xffff), .kind = PCI_RULE_MSI,
        .name = "MSI data (64-bit)", .why = other_vectors},
    {AT(MSI_32_MASK, 0x0c, 4), WRITABLE(0xffffffff), .kind = PCI_RULE_MSI,
        .name = "MSI mask bits (32-bit)", .why = other_vectors},
    {AT(MSI_32_MASK, 0x10, 4), DEVICE(0xffffffff),
        .name = "MSI pending bits (32-bit)", .why = of_device},
    {AT(MSI_64_MASK, 0x10, 4), WRITABLE(0xffffffff), .kind = PCI_RULE_MSI,
        .name = "MSI mask bits (64-bit)", .why = other_vectors},
    {AT(MSI_64_MASK, 0x14, 4), DEVICE(0xffffffff),
        .name = "MSI pending bits (64-bit)", .why = of_device},

    {CAPABILITY(MSIX)},
    {AT(MSIX, PCI_MSIX_CONTROL, 2), .own = 0xc7ff, .copied = PCI_MSIX_SIZE_MASK,
        .writable = PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL, .kind = PCI_RULE_MSIX,
        .name = "MSI-X control", .why = other_vectors},
    {AT(MSIX, PCI_MSIX_TABLE, 4), COPIED(0xffffffff), .name = "MSI-X table",
        .why = "its pages are trapped"},
    {AT(MSIX, PCI_MSIX_PBA, 4), COPIED(0xffffffff), .name = "MSI-X pending bits",
        .why = of_device},

    {CAPABILITY(PCIE)},
    {AT(PCIE, 0x02, 2), .own = 0x3eff, .copied = 0x3e0f, .name = "PCI Express capabilities",
        .why = "shown as integrated endpoint (type 9), as there is no port above it"},
    {AT(PCIE, 0x04, 4), DEVICE(0xffffffe7), .name = "device capabilities",
        .why = "phantom functions are hidden: they would use other requester IDs"},
    {AT(PCIE, 0x08, 2), DEVICE(0x77f0), .own = 0x080f, .writable = 0x080f, .passed = 0x0010,
        .kind = PCI_RULE_DEVICE_CONTROL, .name = "device control",
        .why = "relaxed ordering concerns the device's own transfers; error messages would be the "
               "machine's, so their enables are only remembered, and so is no-snoop, because a "
               "guest's WBINVD does nothing; payload sizes must suit the bridges above; a "
               "function-level reset is the hypervisor's to do"},
    {AT(PCIE, 0x0a, 2), DEVICE(0x003f), .cleared = 0x000f, .name = "device status",
        .why = "errors of this device; clearing them is a driver's business"},
    {AT(PCIE_LINK, 0x0c, 4), DEVICE(0xffffffff), .name = "link capabilities", .why = of_link},
    {AT(PCIE_LINK, 0x10, 2), DEVICE(0xffff), .name = "link control", .why = of_link},
    {AT(PCIE_LINK, 0x12, 2), DEVICE(0xffff), .name = "link status", .why = of_link},
    {AT(PCIE_2, 0x24, 4), DEVICE(0xffffffff), .name = "device capabilities 2", .why = of_device},
    {AT(PCIE_2, 0x28, 2), DEVICE(0xffff), .name = "device control 2",
        .why = "timeouts and what the bridges above must know of"},
    {AT(PCIE_2, 0x2c, 4), DEVICE(0xffffffff), .name = "link capabilities 2", .why = of_link},
    {AT(PCIE_2, 0x30, 2), DEVICE(0xffff), .name = "link control 2", .why = of_link},
    {AT(PCIE_2, 0x32, 2), DEVICE(0xffff), .name = "link status 2", .why = of_link},

    {CAPABILITY(VIRTIO)},
    {AT(VIRTIO, 2, 2), COPIED(0xffff), .name = "length and type",
        .why = "types 1 to 4 and 8 are shown; type 5, a window to the BARs, is not"},
    {AT(VIRTIO, 4, 4), COPIED(0x0000ffff), .name = "BAR and id", .why = of_virtio},
    {AT(VIRTIO, 8, 4), COPIED(0xffffffff), .name = "offset", .why = of_virtio},
    {AT(VIRTIO, 12, 4), COPIED(0xffffffff), .name = "length", .why = of_virtio},
    {AT(VIRTIO_NOTIFY, 16, 4), COPIED(0xffffffff), .name = "notification multiplier",
        .why = of_virtio},
    {AT(VIRTIO_SHARED, 16, 4), COPIED(0xffffffff), .name = "upper offset", .why = of_virtio},
    {AT(VIRTIO_SHARED, 20, 4), COPIED(0xffffffff), .name = "upper length", .why = of_virtio},
};
// clang-format on

const struct pci_rule *pci_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}

_Static_assert(ARRAY_SIZE(rules) < 256, "a byte of struct vpci_function holds a row");

static const struct pci_bridge_rule bridge[] = {
    {PCI_VENDOR, 0x00081b36, "vendor and device",
     "QEMU's generic host bridge: no driver and no quirk asks for more"},
    {PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, "command and status",
     "fixed; no capabilities"},
    {PCI_CLASS, 0x06000000, "class", "host bridge: systems take the bus for real if there is one"},
};

const struct pci_bridge_rule *pci_bridge_rules(unsigned *count)
{
    *count = ARRAY_SIZE(bridge);
    return bridge;
}
