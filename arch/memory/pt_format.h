// SPDX-License-Identifier: Apache-2.0
// The formats of page tables that the hypervisor writes: its own, the second-level tables of both
// vendors, and those of both IOMMUs. All are radix trees of 512-entry tables, so a format is data,
// and arch/memory/paging.c is the one writer for all. hv/audit/audit.c shares nothing with this
// file.
#ifndef ARCH_MEMORY_PT_FORMAT_H
#define ARCH_MEMORY_PT_FORMAT_H

#include "arch/lib/types.h"

#define PT_MAX_LEVELS 4
#define PT_ENTRIES    512

// What a mapping permits, and its memory type: none of PT_UC and PT_WC means write-back.
enum pt_flags {
    PT_READ = 1, // every mapping has it: no format of ours maps without reading
    PT_WRITE = 2,
    PT_EXEC = 4,
    PT_UC = 8,  // uncacheable: device registers
    PT_WC = 16, // write-combining: frame buffers
};

// What the entries of one level look like. Level 0 holds the entries of 4 KiB pages.
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
    unsigned levels;       // from PT_MAX_LEVELS tables down to the leaf at most
    unsigned flags;        // which of enum pt_flags a leaf can express; others are refused
    bool sign_extended;    // virtual addresses are canonical: the top bit repeats
    bool write_xor_exec;   // refuse a page that is both writable and executable
    uint64_t address_mask; // host-physical address in an entry
    uint64_t present_mask; // an entry is in use if any of these bits is set
    uint64_t read_bit;     // set where permitted
    uint64_t write_bit;    // set where permitted
    uint64_t exec_bit;     // set where permitted; 0 if the format has none
    uint64_t no_exec_bit;  // set where not permitted; 0 if the format has none
    uint64_t shared_bit;   // software: the table belongs to another tree; 0: can't be shared
    uint64_t pinned_bit;   // software: the table stays when empty; 0: can't be pinned
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
