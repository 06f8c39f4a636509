// SPDX-License-Identifier: Apache-2.0
// Names of device classes (PCI Code and ID Assignment Specification), for messages and lists only.
#include "arch/lib/types.h"
#include "drivers/pci/pci.h"

// Exact rows come before general ones: the first row that matches counts.
static const struct class_name {
    uint32_t code, mask;
    const char *name;
} names[] = {
    {0x000100, 0xffff00, "VGA-compatible device"},
    {0x010100, 0xffff00, "IDE controller"},
    {0x010601, 0xffffff, "AHCI controller"},
    {0x010600, 0xffff00, "SATA controller"},
    {0x010700, 0xffff00, "SAS controller"},
    {0x010400, 0xffff00, "RAID controller"},
    {0x010802, 0xffffff, "NVMe controller"},
    {0x010800, 0xffff00, "non-volatile memory controller"},
    {0x010000, 0xffff00, "SCSI controller"},
    {0x010000, 0xff0000, "storage controller"},
    {0x020000, 0xffff00, "Ethernet controller"},
    {0x020000, 0xff0000, "network controller"},
    {0x030000, 0xffff00, "VGA controller"},
    {0x030000, 0xff0000, "display controller"},
    {0x040300, 0xffff00, "audio device"},
    {0x040000, 0xff0000, "multimedia device"},
    {0x050000, 0xff0000, "memory controller"},
    {0x060000, 0xffff00, "host bridge"},
    {0x060100, 0xffff00, "ISA bridge"},
    {0x060400, 0xffff00, "PCI bridge"},
    {0x060700, 0xffff00, "CardBus bridge"},
    {0x060000, 0xff0000, "bridge"},
    {0x070000, 0xffff00, "serial port"},
    {0x070000, 0xff0000, "communication controller"},
    {0x080600, 0xffff00, "IOMMU"},
    {0x080000, 0xff0000, "system peripheral"},
    {0x090000, 0xff0000, "input device"},
    {0x0a0000, 0xff0000, "docking station"},
    {0x0b0000, 0xff0000, "processor"},
    {0x0c0300, 0xffffff, "USB controller (UHCI)"},
    {0x0c0310, 0xffffff, "USB controller (OHCI)"},
    {0x0c0320, 0xffffff, "USB controller (EHCI)"},
    {0x0c0330, 0xffffff, "USB controller (xHCI)"},
    {0x0c0300, 0xffff00, "USB controller"},
    {0x0c0500, 0xffff00, "SMBus controller"},
    {0x0c0000, 0xff0000, "serial bus controller"},
    {0x0d0000, 0xff0000, "wireless controller"},
    {0x0e0000, 0xff0000, "intelligent I/O controller"},
    {0x0f0000, 0xff0000, "satellite controller"},
    {0x100000, 0xff0000, "encryption controller"},
    {0x110000, 0xff0000, "signal processing controller"},
    {0x120000, 0xff0000, "processing accelerator"},
};

const char *pci_class_name(uint32_t class_code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if ((class_code & names[i].mask) == names[i].code) {
            return names[i].name;
        }
    }
    return "device";
}
