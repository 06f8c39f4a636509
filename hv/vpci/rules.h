// SPDX-License-Identifier: Apache-2.0
// What a guest finds in the configuration space of a PCI function that it owns, register by
// register: where what it reads comes from, what becomes of what it writes, and why that is safe.
// What has no row reads 0 and takes no writes. hv/vpci/vpci.c is the interpreter of these rows.
#ifndef HV_VPCI_RULES_H
#define HV_VPCI_RULES_H

#include "arch/lib/types.h"

// Where a row's offset counts from: the header, or a capability of this layout.
enum pci_place {
    PCI_PLACE_NONE,
    PCI_PLACE_HEADER,
    PCI_PLACE_PM,
    PCI_PLACE_MSI,    // of every MSI capability
    PCI_PLACE_MSI_32, // the rest, by what it can do
    PCI_PLACE_MSI_64,
    PCI_PLACE_MSI_32_MASK,
    PCI_PLACE_MSI_64_MASK,
    PCI_PLACE_MSIX,
    PCI_PLACE_PCIE,
    PCI_PLACE_PCIE_LINK, // unless it is version 1 of an integrated endpoint
    PCI_PLACE_PCIE_2,    // from version 2 on
    PCI_PLACE_VIRTIO,    // vendor-specific ones of virtio devices
    PCI_PLACE_VIRTIO_NOTIFY,
    PCI_PLACE_VIRTIO_SHARED,
};

// What a register is beyond its masks: who computes them, or what a write sets off.
enum pci_rule_kind {
    PCI_RULE_PLAIN,
    PCI_RULE_COMMAND, // the device gets what vpci_sync() makes of it
    PCI_RULE_BAR,     // writable bits follow from the size
    PCI_RULE_POWER,   // D0 and D3hot are passed on
    PCI_RULE_MSI,     // its effect is the caller's to bring about
    PCI_RULE_MSIX,
    PCI_RULE_DEVICE_CONTROL, // the function-level reset is the caller's to bring about
};

struct pci_rule {
    enum pci_place place;
    uint8_t offset, size; // bytes; size 1, 2 or 4
    enum pci_rule_kind kind;
    uint32_t device;   // bits that read as the device has them
    uint32_t own;      // bits that read from the partition's copy; no others than of `device`
    uint32_t copied;   // of these: taken from the device once, when the function is added
    uint32_t writable; // of these: a write changes them
    uint32_t passed;   // bits of the device that change as they are written
    uint32_t cleared;  // bits of the device that end where a one is written
    const char *name;
    const char *why;
};

// The rows. Row 0 is what holds for everything else.
const struct pci_rule *pci_rules(unsigned *count);

// The host bridge at 00:00.0: registers with a constant, 32 bits each. Others read 0, and no write
// has an effect.
struct pci_bridge_rule {
    uint8_t offset;
    uint32_t value;
    const char *name;
    const char *why;
};
const struct pci_bridge_rule *pci_bridge_rules(unsigned *count);

// Bits of the command register that vpci_sync() decides; the others stay as they are.
#define PCI_COMMAND_FILTERED 0x0544u

#endif
