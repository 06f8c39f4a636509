// SPDX-License-Identifier: Apache-2.0
// The DMAR table (VT-d specification, chapter 8): the VT-d units, the devices that each serves, and
// the memory that the firmware reserves for devices' DMA. Firmware is not trusted: lengths and
// counts are checked. A table that can't be understood completely is refused as a whole, because
// devices of an overlooked unit would not be confined.
#ifndef DRIVERS_VTD_DMAR_H
#define DRIVERS_VTD_DMAR_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/acpi/tables.h"
#include "drivers/pci/pci.h"

#define DMAR_MAX_UNITS  8
#define DMAR_MAX_RMRRS  16
#define DMAR_MAX_SCOPES 128

// The kinds of device scopes; the table's values.
enum dmar_scope_kind {
    DMAR_SCOPE_ENDPOINT = 1,
    DMAR_SCOPE_BRIDGE = 2, // and everything below it
    DMAR_SCOPE_IOAPIC = 3,
    DMAR_SCOPE_HPET = 4,
};

struct dmar_scope {
    enum dmar_scope_kind kind;
    bool of_rmrr;
    unsigned owner;              // index of the unit or RMRR that it belongs to
    uint8_t id;                  // ACPI number of an IOAPIC or HPET
    uint16_t requester;          // bus, device and function at the end of the path
    uint8_t bus_first, bus_last; // below a bridge; otherwise first > last
};

struct dmar_unit {
    uint64_t base; // host-physical address of its registers
    uint16_t segment;
    bool include_all; // serves all devices that no other unit of the segment names
};

struct dmar_rmrr {
    uint64_t base, limit; // limit: the last byte
    uint16_t segment;
};

struct dmar {
    unsigned address_bits; // address width of the machine's DMA
    bool interrupt_remapping;
    unsigned unit_count, rmrr_count, scope_count;
    struct dmar_unit units[DMAR_MAX_UNITS];
    struct dmar_rmrr rmrrs[DMAR_MAX_RMRRS];
    struct dmar_scope scopes[DMAR_MAX_SCOPES];
};

// Parses the table. Follows paths through bridges with the bus numbers in `pci`. A path that leads
// to no bridge names no existing device and is skipped with a warning. On an error `error` says
// what is wrong, at which offset of the table, and what to do. Boot CPU.
enum status dmar_parse(const struct acpi_table *table, const struct pci_machine *pci,
                       struct dmar *out, char *error, size_t size);

// The unit that serves a requester of segment 0. A unit that names it comes before the one for all
// others. NULL: none.
const struct dmar_unit *dmar_unit_of(const struct dmar *dmar, uint16_t requester);

// The first range that the firmware reserves for a requester of segment 0; NULL: none.
const struct dmar_rmrr *dmar_rmrr_of(const struct dmar *dmar, uint16_t requester);

// The requester ID of the IOAPIC with this ACPI ID, if a unit of segment 0 serves it.
// ERR_NOT_FOUND.
enum status dmar_find_ioapic(const struct dmar *dmar, uint32_t id, uint16_t *requester);

#endif
