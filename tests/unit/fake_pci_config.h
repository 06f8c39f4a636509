// SPDX-License-Identifier: Apache-2.0
// Devices with configuration space behind pci_config_read() and pci_config_write(), which remember
// what is written to them. An access that no driver may make ends the program.
#ifndef TESTS_UNIT_FAKE_PCI_CONFIG_H
#define TESTS_UNIT_FAKE_PCI_CONFIG_H

#include "drivers/pci/pci.h"

#define FAKE_PCI_MAX    20
#define FAKE_PCI_WRITES 64

struct fake_pci {
    struct pci_function function;
    uint8_t config[256];
    uint8_t writable[256]; // bits that change as they are written
    uint8_t cleared[256];  // bits that end where a one is written
};

struct fake_pci_write {
    pci_address_t address;
    unsigned offset, size;
    uint32_t before, value, after;
};

extern struct fake_pci fake_pci[FAKE_PCI_MAX];
extern unsigned fake_pci_count;
extern struct fake_pci_write fake_pci_writes[FAKE_PCI_WRITES];     // the last ones, from 0 on
extern unsigned fake_pci_written;                                  // how many
extern void (*fake_pci_watch)(const struct fake_pci_write *write); // or NULL

void fake_pci_init(void);

// A function without BARs and capabilities at bus, device, function; its command register and error
// bits are as a real one's.
struct fake_pci *fake_pci_add(unsigned bus, unsigned device, unsigned function, uint16_t vendor,
                              uint16_t id, uint32_t class_code);

void fake_pci_bar(struct fake_pci *d, unsigned bar, enum pci_bar_kind kind, uint64_t address,
                  uint64_t size);
void fake_pci_set(struct fake_pci *d, unsigned offset, unsigned size, uint32_t value);
uint32_t fake_pci_get(const struct fake_pci *d, unsigned offset, unsigned size);

// Capabilities at `at`, in front of those that are there.
void fake_pci_capability(struct fake_pci *d, unsigned at, uint8_t id);
void fake_pci_pm(struct fake_pci *d, unsigned at, uint16_t control);
void fake_pci_msi(struct fake_pci *d, unsigned at, uint16_t control);
void fake_pci_msix(struct fake_pci *d, unsigned at, unsigned vectors, uint32_t table, uint32_t pba);
void fake_pci_express(struct fake_pci *d, unsigned at, uint16_t capabilities);
void fake_pci_virtio(struct fake_pci *d, unsigned at, uint8_t type, uint8_t length);

// A network adapter at 00:03.0 with PM at 0xc8, MSI (64-bit) at 0xd0, PCI Express at 0xe0, MSI-X of
// 5 vectors at 0xa0 in BAR 3, memory BARs 0, 1, 3 and I/O BAR 2.
struct fake_pci *fake_pci_network(void);

#endif
