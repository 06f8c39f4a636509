// SPDX-License-Identifier: Apache-2.0
// Announces the events of AMD-Vi units by NMI: each unit is a PCI function with an MSI of its own,
// which no unit remaps.
#include "drivers/amdvi.h"

#define MSI_ADDRESS    0xfee00000u
#define MSI_APIC_SHIFT 12
#define MSI_NMI        0x400u // delivery mode 100b, edge
#define MAX_APIC_ID    254u
#define HEADER_SIZE    0x40u
#define MAX_CAPS       48u // that fit behind the header: more is a loop

// Offset of the function's MSI capability; 0: it has none.
static unsigned find_msi(pci_address_t a)
{
    if (!(pci_config_read(a, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES)) {
        return 0;
    }
    unsigned at = pci_config_read(a, PCI_CAPABILITIES, 1) & ~3u;
    for (unsigned i = 0; i < MAX_CAPS && at >= HEADER_SIZE; i++) {
        if (pci_config_read(a, at, 1) == PCI_CAP_MSI) {
            return at;
        }
        at = pci_config_read(a, at + 1, 1) & ~3u;
    }
    return 0;
}

static void write_msi(pci_address_t a, unsigned at, uint32_t apic_id)
{
    uint32_t control = pci_config_read(a, at + PCI_MSI_CONTROL, 2);
    unsigned data = at + PCI_MSI_ADDRESS + 4;
    // One vector: no number is put into the data.
    control &= ~(PCI_MSI_ENABLE | 7u << PCI_MSI_ENABLED_SHIFT);
    pci_config_write(a, at + PCI_MSI_CONTROL, 2, control);
    pci_config_write(a, at + PCI_MSI_ADDRESS, 4, MSI_ADDRESS | apic_id << MSI_APIC_SHIFT);
    if (control & PCI_MSI_64) {
        pci_config_write(a, data, 4, 0);
        data += 4;
    }
    pci_config_write(a, data, 2, MSI_NMI);
    // Sending a message is mastering the bus.
    uint32_t command = pci_config_read(a, PCI_COMMAND, 2);
    pci_config_write(a, PCI_COMMAND, 2, command | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    pci_config_write(a, at + PCI_MSI_CONTROL, 2, control | PCI_MSI_ENABLE);
}

// A unit that can't announce its events has them in its log all the same.
void amdvi_fault_nmi(uint32_t apic_id)
{
    if (apic_id > MAX_APIC_ID) {
        return; // the message has 8 bits for it
    }
    for (unsigned i = 0; i < amdvi.unit_count; i++) {
        struct amdvi_unit *u = &amdvi.unit[i];
        pci_address_t a = {u->firmware->device};
        unsigned at = find_msi(a);
        if (at == 0) {
            continue;
        }
        write_msi(a, at, apic_id);
        u->control |= AMDVI_CONTROL_EVENT_MSI;
        amdvi_write(u, AMDVI_CONTROL, u->control);
    }
}

void amdvi_fault_nmi_off(void)
{
    for (unsigned i = 0; i < amdvi.unit_count; i++) {
        struct amdvi_unit *u = &amdvi.unit[i];
        u->control &= ~AMDVI_CONTROL_EVENT_MSI;
        amdvi_write(u, AMDVI_CONTROL, u->control);
    }
}
