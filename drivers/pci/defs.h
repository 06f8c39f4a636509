// SPDX-License-Identifier: Apache-2.0
// Registers of PCI configuration space (PCI Local Bus Specification 3.0, chapter 6; PCI Express
// Base Specification, chapter 7), as offsets, with the bits that the hypervisor uses.
#ifndef DRIVERS_PCI_DEFS_H
#define DRIVERS_PCI_DEFS_H

#define PCI_VENDOR               0x00
#define PCI_DEVICE               0x02
#define PCI_COMMAND              0x04
#define PCI_STATUS               0x06
#define PCI_REVISION             0x08
#define PCI_CLASS                0x08 // in bits 31:8 of the doubleword
#define PCI_CACHE_LINE           0x0c
#define PCI_LATENCY              0x0d
#define PCI_HEADER_TYPE          0x0e
#define PCI_BIST                 0x0f
#define PCI_BAR0                 0x10
#define PCI_SUBSYSTEM            0x2c
#define PCI_ROM                  0x30
#define PCI_CAPABILITIES         0x34
#define PCI_INTERRUPT_LINE       0x3c
#define PCI_INTERRUPT_PIN        0x3d
#define PCI_CARDBUS_CAPABILITIES 0x14
// In a bridge's header.
#define PCI_PRIMARY_BUS     0x18
#define PCI_SECONDARY_BUS   0x19
#define PCI_SUBORDINATE_BUS 0x1a
#define PCI_BRIDGE_CONTROL  0x3e

#define PCI_COMMAND_IO           0x0001u
#define PCI_COMMAND_MEMORY       0x0002u
#define PCI_COMMAND_MASTER       0x0004u
#define PCI_COMMAND_PARITY       0x0040u
#define PCI_COMMAND_SERR         0x0100u
#define PCI_COMMAND_INTX_DISABLE 0x0400u

#define PCI_STATUS_CAPABILITIES 0x0010u

#define PCI_HEADER_MULTI       0x80u
#define PCI_BRIDGE_CONTROL_RST 0x0040u

#define PCI_HEADER_DEVICE  0
#define PCI_HEADER_BRIDGE  1
#define PCI_HEADER_CARDBUS 2

#define PCI_CLASS_BASE(c)     ((c) >> 16)
#define PCI_CLASS_SUB(c)      ((c) >> 8) // including the base class
#define PCI_CLASS_HOST_BRIDGE 0x0600u
#define PCI_CLASS_IOMMU       0x0806u
#define PCI_CLASS_UHCI        0x0c0300u
#define PCI_CLASS_OHCI        0x0c0310u
#define PCI_CLASS_EHCI        0x0c0320u
#define PCI_CLASS_XHCI        0x0c0330u

#define PCI_ROM_ENABLE 0x1u

#define PCI_BAR_IS_IO       0x1u
#define PCI_BAR_TYPE        0x6u
#define PCI_BAR_TYPE_64     0x4u
#define PCI_BAR_PREFETCH    0x8u
#define PCI_BAR_IO_MASK     0xfffffffcu
#define PCI_BAR_MEMORY_MASK 0xfffffff0u

// Capabilities.
#define PCI_CAP_PM     0x01
#define PCI_CAP_MSI    0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_PCIE   0x10
#define PCI_CAP_MSIX   0x11
#define PCI_CAP_AF     0x13
#define PCI_CAP_FIRST  0x40 // capabilities come after the header
// Extended capabilities.
#define PCI_EXT_CAP_FIRST 0x100
#define PCI_EXT_CAP_ACS   0x000d

// The PCI Express capability: offsets from its start.
#define PCI_PCIE_FLAGS           2
#define PCI_PCIE_VERSION(f)      ((f)&0xfu)
#define PCI_PCIE_TYPE(f)         ((f) >> 4 & 0xfu) // enum pci_port_type
#define PCI_PCIE_DEVICE_CAP      4
#define PCI_PCIE_DEVICE_CAP_FLR  0x10000000u
#define PCI_PCIE_DEVICE_CONTROL  8
#define PCI_PCIE_CONTROL_FLR     0x8000u
#define PCI_PCIE_DEVICE_STATUS   10
#define PCI_PCIE_STATUS_PENDING  0x0020u
#define PCI_PCIE_LINK_CONTROL    16
#define PCI_PCIE_LINK_DISABLE    0x0010u
#define PCI_PCIE_LINK_RETRAIN    0x0020u
#define PCI_PCIE_DEVICE_CONTROL2 40
#define PCI_PCIE_CONTROL2_ARI    0x0020u

// The kinds of PCI Express functions.
enum pci_port_type {
    PCI_PORT_ENDPOINT = 0,
    PCI_PORT_ROOT = 4,
    PCI_PORT_UPSTREAM = 5,
    PCI_PORT_DOWNSTREAM = 6,
    PCI_PORT_TO_PCI = 7,   // PCI Express to PCI or PCI-X bridge
    PCI_PORT_FROM_PCI = 8, // PCI or PCI-X to PCI Express bridge
    PCI_PORT_INTEGRATED = 9,
};

// Power management; Advanced Features.
#define PCI_PM_CONTROL       4
#define PCI_PM_STATE         0x0003u
#define PCI_PM_D3            0x0003u
#define PCI_PM_NO_SOFT_RESET 0x0008u
#define PCI_AF_CAP           3
#define PCI_AF_CAP_TP        0x01u
#define PCI_AF_CAP_FLR       0x02u
#define PCI_AF_CONTROL       4
#define PCI_AF_CONTROL_FLR   0x01u
#define PCI_AF_STATUS        5
#define PCI_AF_STATUS_TP     0x01u

// Access control services.
#define PCI_ACS_CAP     4
#define PCI_ACS_CONTROL 6
#define PCI_ACS_SV      0x0001u // source validation
#define PCI_ACS_TB      0x0002u // translation blocking
#define PCI_ACS_RR      0x0004u // redirects peer-to-peer requests upstream
#define PCI_ACS_CR      0x0008u // redirects completions upstream
#define PCI_ACS_UF      0x0010u // upstream forwarding
#define PCI_ACS_EC      0x0020u // egress control: a list decides about peer-to-peer
#define PCI_ACS_DT      0x0040u // lets translated requests go directly

// Message-signaled interrupts: offsets from the start of their capability.
#define PCI_MSI_CONTROL       2
#define PCI_MSI_ENABLE        0x0001u
#define PCI_MSI_CAPABLE_SHIFT 1       // log2 of the vectors that it supports, bits 3:1
#define PCI_MSI_ENABLED_SHIFT 4       // log2 of the vectors that are enabled, bits 6:4
#define PCI_MSI_ENABLED       0x0071u // enable bit and the count of enabled vectors
#define PCI_MSI_64            0x0080u
#define PCI_MSI_MASKABLE      0x0100u
#define PCI_MSI_ADDRESS       4
#define PCI_MSIX_CONTROL      2
#define PCI_MSIX_SIZE_MASK    0x07ffu // vectors - 1
#define PCI_MSIX_MASK_ALL     0x4000u
#define PCI_MSIX_ENABLE       0x8000u
#define PCI_MSIX_TABLE        4 // BAR in bits 2:0, offset in the rest
#define PCI_MSIX_PBA          8
#define PCI_MSIX_ENTRY_SIZE   16
#define PCI_MSIX_ENTRY_MASKED 0x1u // in the fourth doubleword of an entry

#endif
