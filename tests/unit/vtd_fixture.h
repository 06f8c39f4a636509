// SPDX-License-Identifier: Apache-2.0
// A machine with one VT-d unit that serves everything, for the tests of VT-d, and what its devices
// do. Include behind cmocka.h.
#ifndef TESTS_UNIT_VTD_FIXTURE_H
#define TESTS_UNIT_VTD_FIXTURE_H

#include "tests/unit/fake_vtd.h"

#define BASE   0xfed90000u
#define NIC    0x0018u // 00:03.0
#define DISK   0x0020u // 00:04.0
#define FAR    0x0500u // 05:00.0
#define IOAPIC 0xff00u // ff:00.0

extern struct acpi_info *acpi;
extern struct pci_machine pci;
extern struct fake_vtd *unit; // whose devices the functions below speak of
extern char error[256];
extern const uint8_t ioapic_scope[8]; // IOAPIC 8 is ff:00.0

// Before each test: nothing is probed yet.
int setup(void **state);
void start(void); // probes and enables
// A device reads, may do neither, or reaches `to` both ways.
bool reads(uint16_t requester, uint64_t address, uint64_t *to);
void blocked(uint16_t requester, uint64_t address);
void reaches(uint16_t requester, uint64_t address, uint64_t to);
// A domain of 2 MiB and two pages of memory.
void make_domain(struct iommu_domain *d, uint16_t id, uint64_t memory);
// A device sends one of several messages.
bool interrupts(uint16_t requester, const struct msi_message *m, unsigned number,
                struct irq_route *out);

#endif
