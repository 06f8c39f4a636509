// SPDX-License-Identifier: Apache-2.0
// The table of places, and the record of pages that were accessed.
#include "hv/partition/stray.h"

// In the order of addresses. The first MiB is all RAM (hv/memory/guest_layout.h), so it contains
// the VGA window and option ROMs too.
static const struct stray_place places[] = {
    // MCFG gives its address (PCI Firmware Specification 3.2, 4.1.2); QEMU and most boards choose
    // these.
    {0xb0000000, 0xbfffffff, "PCI's configuration space or registers of PCI devices"},
    {0xc0000000, 0xdfffffff, "registers of PCI devices"},
    {0xe0000000, 0xefffffff, "PCI's configuration space or registers of PCI devices"},
    {0xf0000000, 0xfebfffff, "registers of PCI devices, a framebuffer for example"},
    // Intel I/O Controller Hub 9 data sheet, table 9-4.
    {0xfec00000, 0xfecfffff, "an IOAPIC"},
    {0xfed00000, 0xfed03fff, "the HPET"}, // IA-PC HPET specification 1.0a, 3.2.4: given by ACPI
    {0xfed10000, 0xfed1ffff, "registers of the chipset"},
    // Intel Trusted Execution Technology, Software Development Guide, appendix B.
    {0xfed20000, 0xfed3ffff, "Intel TXT"},
    // TCG PC Client Platform TPM Profile specification 1.05, 6.3.
    {0xfed40000, 0xfed44fff, "the TPM"},
    // AMD FCH register references, "AcpiMmio". QEMU has its AMD IOMMU here too.
    {0xfed80000, 0xfed8ffff, "registers of AMD's chipset"},
    {0xfed90000, 0xfed9ffff, "an IOMMU (VT-d)"}, // usual address in DMAR
    // SDM vol. 3, 11.4.1 and 11.11.1.
    {0xfee00000, 0xfee00fff, "the local APIC"},
    {0xfee01000, 0xfeefffff, "nothing that can be read: messages of devices (MSI)"},
    // Intel I/O Controller Hub 9 data sheet, table 9-4: the firmware hub or SPI flash.
    {0xff000000, 0xffffffff, "the firmware's flash"},
};

const struct stray_place *stray_places(unsigned *count)
{
    *count = ARRAY_SIZE(places);
    return places;
}

const char *stray_place(gpa_t address)
{
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        if (address.v >= places[i].first && address.v <= places[i].last) {
            return places[i].what;
        }
    }
    return "RAM of a larger machine, or nothing";
}

enum stray_news stray_note(struct stray_pages *s, gpa_t address)
{
    uint64_t page = align_down(address.v, PAGE_SIZE);
    for (unsigned i = 0; i < s->count; i++) {
        if (s->page[i] == page) {
            return STRAY_KNOWN;
        }
    }
    if (s->count == STRAY_PAGES) {
        return STRAY_KNOWN;
    }
    s->page[s->count++] = page;
    return s->count == STRAY_PAGES ? STRAY_LAST : STRAY_NEW;
}
