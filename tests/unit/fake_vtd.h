// SPDX-License-Identifier: Apache-2.0
// VT-d units for host tests: registers, the invalidation queue, and what a request of a device
// comes to, by walking root, context, second-level and interrupt remapping tables as the
// specification says. A unit caches all that it has walked until it is told to forget it, and one
// that does not snoop sees of memory only what was written back. Also the firmware's DMAR table,
// and the other things that the driver calls by their link-time names.
#ifndef TESTS_UNIT_FAKE_VTD_H
#define TESTS_UNIT_FAKE_VTD_H

#include "drivers/acpi/acpi.h"
#include "drivers/vtd/vtd.h"

#define FAKE_VTD_RECORDS 4u
#define FAKE_VTD_CACHE   64u

struct fake_vtd {
    uint64_t base;
    uint32_t version;
    uint64_t cap, ecap;
    uint32_t hang; // commands that never come to an end
    bool queue_hangs;
    bool gone; // all reads are ones
    // Registers, and what the commands have latched.
    uint32_t gsts, fsts, fectl, fedata, feaddr, feuaddr, pmen;
    uint64_t rtaddr, irta, iqa, iqh, iqt;
    uint64_t root, interrupts;
    struct vtd_entry records[FAKE_VTD_RECORDS];
    unsigned next_record;
    unsigned events;  // fault messages sent
    unsigned flushes; // of the write buffer
    unsigned drained; // IOTLB invalidations that drained
    struct {
        bool valid;
        uint16_t requester, domain;
        uint64_t page, leaf; // leaf 0: context entry only
        struct vtd_entry context;
    } cache[FAKE_VTD_CACHE];
    struct {
        bool valid;
        unsigned index;
        struct vtd_entry entry;
    } interrupt_cache[FAKE_VTD_CACHE];
    uint32_t registers[1]; // where they are "mapped": only the address counts
};

extern unsigned fake_vtd_mappings_left; // mmu_map_device() fails after so many

// No units, an empty heap, an empty DMAR table.
void fake_vtd_reset(void);
// A unit that can do everything but caching mode, with 39 and 48 bits.
struct fake_vtd *fake_vtd_add(uint64_t base);
// Whether a device may access an address, and where that leads.
bool fake_vtd_dma(struct fake_vtd *u, uint16_t requester, uint64_t address, bool write,
                  uint64_t *to);
// Whether a device's message becomes an interrupt, and which.
bool fake_vtd_message(struct fake_vtd *u, uint16_t requester, uint64_t address, uint32_t data,
                      struct irq_route *out);

// The table. `parts`: after the entry's own fields, device scopes.
struct acpi_info *fake_dmar_begin(uint8_t flags);
void fake_dmar_entry(uint16_t type, const void *fields, size_t size);
void fake_dmar_unit(uint64_t base, uint16_t segment, bool include_all, const void *scopes,
                    size_t size);
void fake_dmar_rmrr(uint64_t base, uint64_t limit, const void *scopes, size_t size);
// Makes the length and the checksum good. `cut`: bytes that are missing at the end.
void fake_dmar_end(unsigned cut);
uint8_t *fake_dmar_byte(unsigned offset);

#endif
