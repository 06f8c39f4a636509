// SPDX-License-Identifier: Apache-2.0
// A machine with two AMD-Vi units and a few functions, for the tests of AMD-Vi, and what it asserts
// of its devices. Include behind cmocka.h.
#ifndef TESTS_UNIT_AMDVI_FIXTURE_H
#define TESTS_UNIT_AMDVI_FIXTURE_H

#include "drivers/amdvi/amdvi.h"
#include "tests/unit/fake_amdvi.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/ivrs_image.h"

#define EDU    0x0018u // 00:03.0
#define NVME   0x0020u // 00:04.0
#define OLD    0x0108u // 01:01.0, whose requests carry the ID 00:1e.0
#define ALIAS  0x00f0u
#define IOAPIC 0x00a0u
#define FAR    0x0210u // 02:02.0, at the second unit
#define APIC   0xfee00000ull
#define RAM    0x10000000ull

extern struct ivrs_image image;
extern struct acpi_info acpi;
extern struct pci_machine pci;
extern char error[IOMMU_TEXT_SIZE * 2];
extern struct iommu_domain alpha, beta; // what they reach is in start_with()
extern uint32_t config[64];             // configuration space of the first unit's function

// Two units: the first serves buses 0 and 1, the second 02:02.0. Nothing is probed yet.
void make_machine(uint64_t features);
void add_function(uint16_t id);
const struct pci_function *function(uint16_t id);
enum status probe(void);
// Probed and enabled, with both domains.
void start_with(uint64_t features, bool x2apic);
void start(void);

// A requester reaches no memory, sends no interrupt of any kind, or writes where it should.
void assert_no_memory(unsigned at_unit, uint16_t id);
void assert_no_interrupts(unsigned at_unit, uint16_t id);
void assert_reaches(uint16_t id, uint64_t address, uint64_t expected);
// Takes all faults.
void drain(void);

#endif
