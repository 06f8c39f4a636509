// SPDX-License-Identifier: Apache-2.0
// What the hardware reads from one entry of a second-level or IOMMU table. For the audit only.
// Written from the manuals and apart from the table writer, so that an error has to be made twice
// to go unnoticed.
#ifndef HV_AUDIT_ENTRY_H
#define HV_AUDIT_ENTRY_H

#include "arch/lib/types.h"
#include "hv/audit/audit.h"

enum audit_entry_kind { AUDIT_ENTRY_ABSENT, AUDIT_ENTRY_TABLE, AUDIT_ENTRY_PAGE };

struct audit_entry {
    enum audit_entry_kind kind;
    uint64_t address; // of the table or page
    bool read;        // what this entry permits if all levels above permit it
    bool write;
    bool exec;
    const char *fault; // what is wrong with it; NULL if nothing
};

// Whether tables of this format can have this number of levels.
bool audit_levels_valid(enum table_format format, unsigned levels);

// Decodes an entry of a table of `level`. Levels are numbered as in the manuals: 1 has 4 KiB pages.
// Address bits from `phys_bits` up are reserved.
struct audit_entry audit_decode(enum table_format format, unsigned level, uint64_t raw,
                                unsigned phys_bits);

#endif
