// SPDX-License-Identifier: Apache-2.0
// The page-table formats that the hypervisor writes: its own, the second-level tables of both
// vendors, and those of both IOMMUs. All are radix trees of 512-entry tables, so a format is data,
// and arch/memory/paging.c writes them all. hv/audit/audit.c, which checks the tables, shares
// nothing with this file.
#ifndef ARCH_MEMORY_PT_FORMAT_H
#define ARCH_MEMORY_PT_FORMAT_H

#include "arch/lib/types.h"

#define PT_MAX_LEVELS 4
#define PT_ENTRIES    512

// What a mapping permits, and its memory type. Without PT_UC and PT_WC the type is write-back.
enum pt_flags {
    PT_READ = 1, // every mapping has it: no format maps a page without read permission
    PT_WRITE = 2,
    PT_EXEC = 4,
    PT_UC = 8,  // uncacheable: device registers
    PT_WC = 16, // write-combining: frame buffers
};

// The form of one level's entries. Level 0 holds the entries of 4 KiB pages.
struct pt_level {
    bool leaf;           // an entry of this level may map a page
    uint64_t table_bits; // set in an entry that refers to a table
    uint64_t leaf_bits;  // set in every leaf
    uint64_t kind_mask;  // an entry is a leaf if its bits here ...
    uint64_t leaf_kind;  // ... are these
    uint64_t type_mask;  // the memory type's bits, and its three encodings
    uint64_t type_wb;
    uint64_t type_wc;
    uint64_t type_uc;
};

struct pt_format {
    const char *name;
    unsigned levels;       // levels of tables, from the root to the 4 KiB entries
    unsigned flags;        // the enum pt_flags that a leaf can express; others are refused
    bool sign_extended;    // virtual addresses are canonical: the upper bits repeat the top bit
    bool write_xor_exec;   // refuse a page that is both writable and executable
    uint64_t address_mask; // host-physical address in an entry
    uint64_t present_mask; // an entry is in use if any of these bits is set
    uint64_t read_bit;     // set if reading is permitted
    uint64_t write_bit;    // set if writing is permitted
    uint64_t exec_bit;     // set if execution is permitted; 0: the format has none
    uint64_t no_exec_bit;  // set if execution is forbidden; 0: the format has none
    uint64_t shared_bit;   // software: the table belongs to another tree; 0: tables can't be shared
    struct pt_level level[PT_MAX_LEVELS];
};

extern const struct pt_format pt_format_host;   // the hypervisor's own: x86-64, 4 levels
extern const struct pt_format pt_format_npt;    // AMD nested paging
extern const struct pt_format pt_format_ept;    // Intel extended page tables
extern const struct pt_format pt_format_vtd;    // VT-d second level, 48 bits
extern const struct pt_format pt_format_vtd_39; // the same, 39 bits: 3 levels
extern const struct pt_format pt_format_amdvi;  // AMD I/O page tables, 48 bits (DTE mode 4)

// Bytes that one entry of `level` spans: 4 KiB, 2 MiB, 1 GiB, 512 GiB.
static inline uint64_t pt_level_size(unsigned level)
{
    return PAGE_SIZE << (9 * level);
}

#endif
