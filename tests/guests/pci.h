// SPDX-License-Identifier: Apache-2.0
// PCI as a test guest uses it: configuration space by ports and by memory (ECAM), finding devices,
// their capabilities and BARs, MSI, and the IOAPIC pin of INTx. Works the same on a bare PC and in
// a partition.

#ifndef TESTS_GUESTS_PCI_H
#define TESTS_GUESTS_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/pci/defs.h"

enum {
    PCI_PORT_ADDRESS = 0xcf8,
    PCI_PORT_DATA = 0xcfc,
    PCI_ANY = 0xffff,
    PCI_ALL_FUNCTIONS = 0x100, // of one bus
};

#define PCI_MSI_WINDOW 0xfee00000u

// Where a function is, as a requester ID has it: bus 15:8, device 7:3, function 2:0.
typedef uint16_t pci_where_t;

// By ports, the first 256 bytes; by memory, 4096. `offset` need not be a multiple of `size`, which
// is 1, 2 or 4: hostile guests ask for such. One CPU at a time for the ports.
uint32_t pci_port_read(pci_where_t where, unsigned offset, unsigned size);
void pci_port_write(pci_where_t where, unsigned offset, unsigned size, uint32_t value);
// The address of a register in memory; 0: the machine has no ECAM for this bus.
uint64_t pci_ecam(pci_where_t where, unsigned offset);
uint32_t pci_ecam_read(pci_where_t where, unsigned offset, unsigned size);
void pci_ecam_write(pci_where_t where, unsigned offset, unsigned size, uint32_t value);
// By ECAM where there is one.
uint32_t pci_read(pci_where_t where, unsigned offset, unsigned size);
void pci_write(pci_where_t where, unsigned offset, unsigned size, uint32_t value);

// The functions with these IDs (PCI_ANY: any), in the order of their addresses; how many.
unsigned pci_find(uint16_t vendor, uint16_t device, pci_where_t *found, unsigned max);
unsigned pci_last_bus(void);
// Offset of a capability; 0: it has none.
unsigned pci_capability(pci_where_t where, uint8_t id);
void pci_command(pci_where_t where, uint32_t set, uint32_t clear);

// Of a memory BAR of either width. Moving one, decoding is off for the moment.
uint64_t pci_bar(pci_where_t where, unsigned bar);
uint64_t pci_bar_size(pci_where_t where, unsigned bar);
void pci_bar_move(pci_where_t where, unsigned bar, uint64_t address);

// MSI, one message. Setting it leaves it on or off as it is. False: no such capability.
bool pci_msi_set(pci_where_t where, uint64_t address, uint32_t data);
bool pci_msi_enable(pci_where_t where, bool on);
// The message for a fixed interrupt, edge, to one APIC ID.
uint64_t pci_msi_address(uint32_t apic_id);

// INTx: the IOAPIC pin of a function of bus 0, by the rule of a partition's _PRT. On a bare PC the
// command line says where its four pins begin (`pin_first=`).
unsigned pci_intx_pin(pci_where_t where);
// Level, active low. `low` is further bits of the redirection entry.
void ioapic_set(unsigned pin, uint8_t apic_id, uint32_t low);
uint32_t ioapic_get(unsigned pin);

enum {
    IOAPIC_MASKED = 1 << 16,
    IOAPIC_LEVEL = 1 << 15,
    IOAPIC_REMOTE_IRR = 1 << 14,
    IOAPIC_ACTIVE_LOW = 1 << 13,
};

#endif
