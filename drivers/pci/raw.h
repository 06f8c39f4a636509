// SPDX-License-Identifier: Apache-2.0
// Direct access to a PCI function's registers, without checks. By link-time names, so that tests
// can use a model of a machine (tests/unit/fake_pci.h).
#ifndef DRIVERS_PCI_RAW_H
#define DRIVERS_PCI_RAW_H

#include "drivers/pci/pci.h"

// Through the ports 0xcf8 and 0xcfc: segment 0; `offset` is below 256 and a multiple of `size` (1,
// 2 or 4). Any CPU, any context except the NMI handler.
uint32_t pci_port_read(pci_address_t a, unsigned offset, unsigned size);
void pci_port_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value);

// One function's 4 KiB of memory-mapped configuration space. It stays mapped; NULL: no room. Boot
// CPU.
volatile void *pci_page_map(hpa_t page);
uint32_t pci_page_read(volatile void *page, unsigned offset, unsigned size);
void pci_page_write(volatile void *page, unsigned offset, unsigned size, uint32_t value);

// One register of 4 bytes in a memory BAR, uncached, mapped for the access only. Any CPU that has
// its window (arch/memory/window.h).
uint32_t pci_device_read(hpa_t address);
void pci_device_write(hpa_t address, uint32_t value);

#endif
