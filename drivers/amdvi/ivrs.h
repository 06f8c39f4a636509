// SPDX-License-Identifier: Apache-2.0
// The firmware's table of AMD's IOMMUs, IVRS (AMD I/O Virtualization Technology specification,
// chapter 5): the units, which devices each serves and under which ID, and the memory that firmware
// keeps for devices. Firmware is not trusted: each length, count and order is checked.
#ifndef DRIVERS_AMDVI_IVRS_H
#define DRIVERS_AMDVI_IVRS_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/acpi/tables.h"

#define IVRS_MAX_UNITS    8
#define IVRS_MAX_RANGES   512
#define IVRS_MAX_SPECIALS 16
#define IVRS_MAX_RESERVED 32

// Flags of a unit: what firmware wants in its control register.
#define IVRS_UNIT_HT_TUNNEL   0x01u
#define IVRS_UNIT_PASS_PW     0x02u
#define IVRS_UNIT_RES_PASS_PW 0x04u
#define IVRS_UNIT_ISOCHRONOUS 0x08u

struct ivrs_unit {
    uint64_t base;       // host-physical address of its registers
    uint16_t device;     // requester ID of its own PCI function
    uint16_t capability; // offset of its capability there
    uint8_t type;        // of the block that describes it: 0x10, 0x11 or 0x40
    uint8_t flags;
    uint32_t offset, end; // of that block in the table
};

// Requester IDs that a unit serves.
struct ivrs_range {
    uint16_t first, last;
    uint8_t unit;
    bool all;     // because it serves all that nobody else does
    bool aliased; // their requests carry the ID `alias`
    uint16_t alias;
};

enum ivrs_special_kind {
    IVRS_IOAPIC = 1,
    IVRS_HPET = 2,
};

// What sends interrupts and is no PCI function.
struct ivrs_special {
    uint8_t kind;
    uint8_t id; // ACPI ID of the IOAPIC, number of the HPET
    uint8_t unit;
    uint16_t device; // the requester ID that it has
};

// Memory that has to stay reachable for devices: firmware works with it behind the system's back.
struct ivrs_reserved {
    uint16_t first, last;
    uint64_t base, size;
    bool exclusion; // outside of translation, else mapped one to one
};

struct ivrs {
    unsigned unit_count, range_count, special_count, reserved_count;
    struct ivrs_unit unit[IVRS_MAX_UNITS];
    struct ivrs_range range[IVRS_MAX_RANGES];
    struct ivrs_special special[IVRS_MAX_SPECIALS];
    struct ivrs_reserved reserved[IVRS_MAX_RESERVED];
};

// Parses the table; its checksum has been verified. Where blocks of several types describe one unit
// the newest counts. Units of other PCI segments than 0 are left out with a warning. On an error
// `error` says what is wrong, at which offset, and what to do: ERR_INVALID, ERR_TRUNCATED,
// ERR_RANGE (more of something than there is room for), ERR_NOT_FOUND (no unit), or phys_read()'s
// error.
enum status ivrs_parse(const struct acpi_table *table, struct ivrs *out, char *error, size_t size);

// What says most exactly who serves a requester ID; NULL: no unit does.
const struct ivrs_range *ivrs_find(const struct ivrs *ivrs, uint16_t device);

// NULL: the table does not name it.
const struct ivrs_special *ivrs_find_special(const struct ivrs *ivrs, enum ivrs_special_kind kind,
                                             uint32_t id);

// The first memory that is reserved for a requester ID; NULL: none.
const struct ivrs_reserved *ivrs_find_reserved(const struct ivrs *ivrs, uint16_t device);

#endif
