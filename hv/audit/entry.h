// SPDX-License-Identifier: Apache-2.0
// What hardware makes of one entry of a second-level or IOMMU table: for the audit only, and
// written from the manuals apart from the table writer, so that both would have to be wrong.
#ifndef HV_AUDIT_ENTRY_H
#define HV_AUDIT_ENTRY_H

#include "arch/lib/types.h"
#include "hv/audit/audit.h"

enum audit_entry_kind { AUDIT_ENTRY_ABSENT, AUDIT_ENTRY_TABLE, AUDIT_ENTRY_PAGE };

struct audit_entry {
    enum audit_entry_kind kind;
    uint64_t address; // of the table or page
    bool read;        // what this entry permits, if all levels above do
    bool write;
    bool exec;
    const char *fault; // what is wrong with it; NULL if nothing
};

// Whether tables of this format can have so many levels.
bool audit_levels_valid(enum table_format format, unsigned levels);

// Decodes an entry of a table of `level`, numbered as in the manuals: 1 for that of 4 KiB pages.
// Address bits from `phys_bits` up are reserved.
struct audit_entry audit_decode(enum table_format format, unsigned level, uint64_t raw,
                                unsigned phys_bits);

#endif
