// SPDX-License-Identifier: Apache-2.0
// Reports the events of AMD-Vi units by NMI. Each unit is a PCI function with its own MSI, which no
// unit remaps.
#include "arch/interrupt/apic_defs.h"
#include "drivers/amdvi/amdvi.h"

#define MAX_APIC_ID 254u // highest ID in 8 bits; 255 is broadcast

static void write_msi(pci_address_t a, unsigned at, uint32_t apic_id)
{
    uint32_t control = pci_config_read(a, at + PCI_MSI_CONTROL, 2);
    struct pci_msi r = pci_msi_registers(at, control);
    struct msi_message m = {.address = APIC_MSI_ADDRESS | apic_id << APIC_MSI_DEST_POS,
                            .data = APIC_MODE_NMI << APIC_MSI_MODE_POS};
    // One vector, so that no number is put into the data.
    control &= ~(PCI_MSI_ENABLE | 7u << PCI_MSI_ENABLED_SHIFT);
    pci_config_write(a, r.control, 2, control);
    pci_msi_write(a, &r, &m);
    // Sending a message needs bus mastering.
    uint32_t command = pci_config_read(a, PCI_COMMAND, 2);
    pci_config_write(a, PCI_COMMAND, 2, command | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    pci_config_write(a, r.control, 2, control | PCI_MSI_ENABLE);
}

// A unit that can't report its events still has them in its log.
void amdvi_fault_nmi(uint32_t apic_id)
{
    if (apic_id > MAX_APIC_ID) {
        return; // the message has only 8 bits for it
    }
    for (unsigned i = 0; i < amdvi.unit_count; i++) {
        struct amdvi_unit *u = &amdvi.unit[i];
        pci_address_t a = {u->firmware->device};
        if (u->msi == 0) {
            continue;
        }
        write_msi(a, u->msi, apic_id);
        u->announces = true;
        u->control |= AMDVI_CONTROL_EVENT_MSI;
        amdvi_write(u, AMDVI_CONTROL, u->control);
    }
}

void amdvi_fault_hold(bool hold)
{
    for (unsigned i = 0; i < amdvi.unit_count; i++) {
        struct amdvi_unit *u = &amdvi.unit[i];
        if (u->announces) {
            u->control &= ~AMDVI_CONTROL_EVENT_MSI;
            u->control |= hold ? 0 : AMDVI_CONTROL_EVENT_MSI;
            amdvi_write(u, AMDVI_CONTROL, u->control);
        }
    }
}
