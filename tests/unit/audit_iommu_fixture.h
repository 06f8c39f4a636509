// SPDX-License-Identifier: Apache-2.0
// What the IOMMU audit's tests begin with: the two partitions of audit_fixture.h with two devices
// each, and right IOMMU tables, written here by number. The tests then break something.
#ifndef TESTS_UNIT_AUDIT_IOMMU_FIXTURE_H
#define TESTS_UNIT_AUDIT_IOMMU_FIXTURE_H

#include "hv/audit/iommu.h"
#include "tests/unit/audit_fixture.h"

// Requester IDs. The last one of beta's is on bus 1, and beyond a small device table of AMD-Vi.
#define ALPHA_NIC      0x18
#define ALPHA_NIC_2    0x19
#define BETA_DISK      0x20
#define BETA_USB       0x28
#define BETA_FAR       0x100
#define IOAPIC_ID      0x50
#define NOBODYS        0x30
#define REQUESTERS     5
#define NMI_CPU        0
#define VTD_INTERRUPTS 256u
#define IOMMU_LEVELS   4

enum {
    ENTRY_PIN,       // interrupts of the table for VT-d: of the IOAPIC, level-triggered to alpha
    ENTRY_NMI,       // of the IOAPIC
    ENTRY_ALPHA = 5, // of ALPHA_NIC to alpha's second CPU
    ENTRY_BETA = 200,
    AMD_ENTRY = 9, // the one that is used in each table for AMD-Vi
};

#define AMD_TABLE_LEN 5 // 32 interrupts a device

extern struct page_table dma[PARTNERS]; // trees of the devices
extern struct audit_unit unit;
extern struct audit_requester requesters[REQUESTERS];
extern struct audit_partition partitions[PARTNERS];
extern struct audit_iommu_input iommu_input;

// The tables of VT-d, and of AMD-Vi for `ids` requester IDs (a multiple of 128).
void build_vtd(bool x2apic);
void build_amdvi(bool wide, unsigned ids);
// A unit of either kind with small tables.
void build_unit(enum audit_unit_kind kind, bool modern);

// Entries, as 64-bit words.
uint64_t *vtd_root(unsigned bus);
uint64_t *vtd_context(uint16_t id); // of a bus that has a table
uint64_t *vtd_interrupt(unsigned index);
uint64_t *amd_device(uint16_t id);
void *amd_interrupt(uint16_t id, unsigned index);

// Audits all of it.
bool audit_all(void);

#endif
