// SPDX-License-Identifier: Apache-2.0
// What a guest finds in the configuration space of a PCI function that it owns, register by
// register: where reads come from, what a write does, and why that is safe. A register without a
// row reads 0, and writes to it are dropped. hv/vpci/function.c interprets these rows.
#ifndef HV_VPCI_RULES_H
#define HV_VPCI_RULES_H

#include "arch/lib/types.h"

// What a row's offset is relative to: the header, or a capability with this layout.
enum pci_place {
    PCI_PLACE_NONE,
    PCI_PLACE_HEADER,
    PCI_PLACE_PM,
    PCI_PLACE_MSI,    // in every MSI capability
    PCI_PLACE_MSI_32, // further registers, by the capability's layout
    PCI_PLACE_MSI_64,
    PCI_PLACE_MSI_32_MASK,
    PCI_PLACE_MSI_64_MASK,
    PCI_PLACE_MSIX,
    PCI_PLACE_PCIE,
    PCI_PLACE_PCIE_LINK, // except in version 1 of an integrated endpoint
    PCI_PLACE_PCIE_2,    // from version 2 on
    PCI_PLACE_VIRTIO,    // vendor-specific capabilities of virtio devices
    PCI_PLACE_VIRTIO_NOTIFY,
    PCI_PLACE_VIRTIO_SHARED,
};

// What a register is beyond its masks: how they are computed, or what a write causes.
enum pci_rule_kind {
    PCI_RULE_PLAIN,
    PCI_RULE_COMMAND, // the device gets the result of vpci_sync()
    PCI_RULE_BAR,     // the writable bits depend on the size
    PCI_RULE_POWER,   // D0 and D3hot are passed on
    PCI_RULE_MSI,     // the caller carries out the effect
    PCI_RULE_MSIX,
    PCI_RULE_DEVICE_CONTROL, // the caller carries out the function-level reset
};

struct pci_rule {
    enum pci_place place;
    uint8_t offset, size; // bytes; size 1, 2 or 4
    enum pci_rule_kind kind;
    uint32_t device;   // bits read from the device
    uint32_t own;      // bits read from the partition's copy; none of `device`
    uint32_t copied;   // of these: copied from the device once, when the function is added
    uint32_t writable; // of these: changed by a write
    uint32_t passed;   // bits of the device that change as written
    uint32_t cleared;  // bits of the device that are cleared by writing a one
    const char *name;
    const char *why;
};

// The rows. Row 0 is for everything else.
const struct pci_rule *pci_rules(unsigned *count);

// The host bridge at 00:00.0: registers with constants, 32 bits each. Others read 0; writes are
// dropped.
struct pci_bridge_rule {
    uint8_t offset;
    uint32_t value;
    const char *name;
    const char *why;
};
const struct pci_bridge_rule *pci_bridge_rules(unsigned *count);

// Bits of the command register that vpci_sync() decides; it leaves the others unchanged.
#define PCI_COMMAND_FILTERED 0x0544u

#endif
