// SPDX-License-Identifier: Apache-2.0
// The firmware's table of AMD's IOMMUs, IVRS (AMD I/O Virtualization Technology specification,
// chapter 5): the units, the devices that each serves with their IDs, and the memory that the
// firmware reserves for devices. Firmware is not trusted: each length, count and order is checked.
#ifndef DRIVERS_AMDVI_IVRS_H
#define DRIVERS_AMDVI_IVRS_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/acpi/tables.h"

#define IVRS_MAX_UNITS    8
#define IVRS_MAX_RANGES   512
#define IVRS_MAX_SPECIALS 16
#define IVRS_MAX_RESERVED 32

// Flags of a unit: settings that the firmware wants in its control register.
#define IVRS_UNIT_HT_TUNNEL   0x01u
#define IVRS_UNIT_PASS_PW     0x02u
#define IVRS_UNIT_RES_PASS_PW 0x04u
#define IVRS_UNIT_ISOCHRONOUS 0x08u

struct ivrs_unit {
    uint64_t base;       // host-physical address of its registers
    uint16_t device;     // requester ID of its own PCI function
    uint16_t capability; // offset of its capability there
    uint8_t type;        // of the chosen block: 0x10, 0x11 or 0x40
    uint8_t flags;
    uint32_t offset, end; // of that block in the table
};

// A range of requester IDs that a unit serves.
struct ivrs_range {
    uint16_t first, last;
    uint8_t unit;
    bool all;     // from an entry for all devices that no other unit names
    bool aliased; // their requests carry the ID `alias`
    uint16_t alias;
};

enum ivrs_special_kind {
    IVRS_IOAPIC = 1,
    IVRS_HPET = 2,
};

// A source of interrupts that is not a PCI function.
struct ivrs_special {
    uint8_t kind;
    uint8_t id; // ACPI ID of the IOAPIC, number of the HPET
    uint8_t unit;
    uint16_t device; // its requester ID
};

// Memory that must stay reachable for devices, because the firmware uses it without the system's
// knowledge.
struct ivrs_reserved {
    uint16_t first, last;
    uint64_t base, size;
    bool exclusion; // not translated; false: mapped one to one
};

struct ivrs {
    unsigned unit_count, range_count, special_count, reserved_count;
    struct ivrs_unit unit[IVRS_MAX_UNITS];
    struct ivrs_range range[IVRS_MAX_RANGES];
    struct ivrs_special special[IVRS_MAX_SPECIALS];
    struct ivrs_reserved reserved[IVRS_MAX_RESERVED];
};

// Parses the table; its checksum must have been verified. If blocks of several types describe one
// unit, the newest type counts. Units of PCI segments other than 0 are skipped with a warning. On
// an error `error` says what is wrong, at which offset, and what to do: ERR_INVALID, ERR_TRUNCATED,
// ERR_RANGE (more entries of a kind than there is room for), ERR_NOT_FOUND (no unit), or
// phys_read()'s error.
enum status ivrs_parse(const struct acpi_table *table, struct ivrs *out, char *error, size_t size);

// The most exact range that serves a requester ID; NULL: no unit serves it.
const struct ivrs_range *ivrs_find(const struct ivrs *ivrs, uint16_t device);

// The special device of this kind and ID; NULL: the table does not name it.
const struct ivrs_special *ivrs_find_special(const struct ivrs *ivrs, enum ivrs_special_kind kind,
                                             uint32_t id);

// The first memory range reserved for a requester ID; NULL: none.
const struct ivrs_reserved *ivrs_find_reserved(const struct ivrs *ivrs, uint16_t device);

#endif
