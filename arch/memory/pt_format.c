// SPDX-License-Identifier: Apache-2.0
// The six page-table formats as data, each from its manual. Bits that only hardware writes
// (accessed, dirty) are set from the start in the formats that always have them, so that no page
// walk has to set them.
#include "arch/memory/pt_format.h"

#define ADDRESS 0x000ffffffffff000ull // bits 51:12, in every format

// x86-64 (AMD64 APM vol. 2, 5.3 "Long-Mode Page Translation"; Intel SDM vol. 3, 4.5 "4-Level
// Paging"). Global is set in the hypervisor's own mappings only.
#define X86_PRESENT  BIT(0)
#define X86_WRITE    BIT(1)
#define X86_USER     BIT(2)
#define X86_PWT      BIT(3)
#define X86_PCD      BIT(4)
#define X86_ACCESSED BIT(5)
#define X86_DIRTY    BIT(6)
#define X86_LARGE    BIT(7)
#define X86_GLOBAL   BIT(8)
#define X86_SHARED   BIT(9) // available to software
#define X86_NO_EXEC  BIT(63)

// The memory type is an index into the PAT MSR (APM vol. 2, 7.8; SDM vol. 3, "Page Attribute
// Table"): PWT is bit 0 of the index, PCD bit 1, PAT bit 2. PAT is bit 7 of a 4 KiB entry, but bit
// 12 of a larger page's entry. After reset, index 0 is WB and index 3 is UC. Write-combining uses
// index 7, which mmu_cpu_init() sets to WC. After reset it is UC, so a CPU without that setting is
// slow there but never wrong.
#define X86_PAT_4K    BIT(7)
#define X86_PAT_LARGE BIT(12)
#define X86_UC        (X86_PCD | X86_PWT)

#define X86_LEVEL_4K(own)                                                                          \
    {                                                                                              \
        .leaf = true, .leaf_bits = X86_PRESENT | X86_ACCESSED | X86_DIRTY | (own),                 \
        .type_mask = X86_PAT_4K | X86_UC, .type_uc = X86_UC, .type_wc = X86_PAT_4K | X86_UC,       \
    }
#define X86_LEVEL_LARGE(table, own)                                                                \
    {                                                                                              \
        .leaf = true, .table_bits = (table),                                                       \
        .leaf_bits = X86_PRESENT | X86_ACCESSED | X86_DIRTY | X86_LARGE | (own),                   \
        .kind_mask = X86_LARGE, .leaf_kind = X86_LARGE, .type_mask = X86_PAT_LARGE | X86_UC,       \
        .type_uc = X86_UC, .type_wc = X86_PAT_LARGE | X86_UC,                                      \
    }

// A directory entry permits everything (its own no-execute bit is clear); the leaves decide.
#define HOST_TABLE (X86_PRESENT | X86_WRITE | X86_ACCESSED)

const struct pt_format pt_format_host = {
    .name = "x86-64",
    .levels = 4,
    .flags = PT_READ | PT_WRITE | PT_EXEC | PT_UC | PT_WC,
    .sign_extended = true,
    .write_xor_exec = true,
    .address_mask = ADDRESS,
    .present_mask = X86_PRESENT,
    .read_bit = X86_PRESENT,
    .write_bit = X86_WRITE,
    .no_exec_bit = X86_NO_EXEC,
    .shared_bit = X86_SHARED,
    .level = {X86_LEVEL_4K(X86_GLOBAL),
              X86_LEVEL_LARGE(HOST_TABLE, X86_GLOBAL),
              X86_LEVEL_LARGE(HOST_TABLE, X86_GLOBAL),
              {.table_bits = HOST_TABLE}},
};

// AMD nested paging (APM vol. 2, 15.25). The tables have the host's format and are walked with the
// host's EFER.NXE and PAT. Every guest access counts as a user access there, even the guest's own
// page walks, so all levels need U/S = 1. A guest page walk counts as a write, so memory that holds
// guest page tables must be writable.
#define NPT_TABLE (X86_PRESENT | X86_WRITE | X86_USER | X86_ACCESSED)

const struct pt_format pt_format_npt = {
    .name = "NPT",
    .levels = 4,
    .flags = PT_READ | PT_WRITE | PT_EXEC | PT_UC | PT_WC,
    .address_mask = ADDRESS,
    .present_mask = X86_PRESENT,
    .read_bit = X86_PRESENT,
    .write_bit = X86_WRITE,
    .no_exec_bit = X86_NO_EXEC,
    .level = {X86_LEVEL_4K(X86_USER),
              X86_LEVEL_LARGE(NPT_TABLE, X86_USER),
              X86_LEVEL_LARGE(NPT_TABLE, X86_USER),
              {.table_bits = NPT_TABLE}},
};

// Intel EPT (SDM vol. 3, 28.3.2 "EPT Translation Mechanism"). An entry is present if any of R, W, X
// is set. A leaf has its memory type in bits 5:3. Bit 6 (ignore the guest's PAT) stays clear, so
// that a guest may weaken the type of its own memory, as on the bare machine. Bits 6:3 of an entry
// that refers to a table are reserved. Accessed and dirty stay clear: they exist only if EPTP
// enables them.
#define EPT_READ    BIT(0)
#define EPT_WRITE   BIT(1)
#define EPT_EXEC    BIT(2)
#define EPT_TYPE(n) ((uint64_t)(n) << 3)
#define EPT_UC      EPT_TYPE(0)
#define EPT_WC      EPT_TYPE(1)
#define EPT_WB      EPT_TYPE(6)
#define EPT_LARGE   BIT(7)
#define EPT_TABLE   (EPT_READ | EPT_WRITE | EPT_EXEC)

#define EPT_LEVEL_LARGE                                                                            \
    {                                                                                              \
        .leaf = true, .table_bits = EPT_TABLE, .leaf_bits = EPT_LARGE, .kind_mask = EPT_LARGE,     \
        .leaf_kind = EPT_LARGE, .type_mask = EPT_TYPE(7), .type_wb = EPT_WB, .type_wc = EPT_WC,    \
        .type_uc = EPT_UC,                                                                         \
    }

const struct pt_format pt_format_ept = {
    .name = "EPT",
    .levels = 4,
    .flags = PT_READ | PT_WRITE | PT_EXEC | PT_UC | PT_WC,
    .address_mask = ADDRESS,
    .present_mask = EPT_READ | EPT_WRITE | EPT_EXEC,
    .read_bit = EPT_READ,
    .write_bit = EPT_WRITE,
    .exec_bit = EPT_EXEC,
    .level = {{.leaf = true,
               .type_mask = EPT_TYPE(7),
               .type_wb = EPT_WB,
               .type_wc = EPT_WC,
               .type_uc = EPT_UC},
              EPT_LEVEL_LARGE,
              EPT_LEVEL_LARGE,
              {.table_bits = EPT_TABLE}},
};

// VT-d second level (VT-d specification, 3.7 "Second-Stage Translation", 9.8 for the entries). An
// entry is present if R or W is set. Bit 2 (execute) and the memory type matter only for requests
// with a PASID, which the hypervisor does not enable. Snoop control (bit 11) stays clear, because
// it is reserved in units that don't support it.
#define VTD_READ  BIT(0)
#define VTD_WRITE BIT(1)
#define VTD_LARGE BIT(7)
#define VTD_TABLE (VTD_READ | VTD_WRITE)

#define VTD_LEVEL_LARGE                                                                            \
    {                                                                                              \
        .leaf = true, .table_bits = VTD_TABLE, .leaf_bits = VTD_LARGE, .kind_mask = VTD_LARGE,     \
        .leaf_kind = VTD_LARGE,                                                                    \
    }
#define VTD_FORMAT                                                                                 \
    .flags = PT_READ | PT_WRITE, .address_mask = ADDRESS, .present_mask = VTD_READ | VTD_WRITE,    \
    .read_bit = VTD_READ, .write_bit = VTD_WRITE

const struct pt_format pt_format_vtd = {
    .name = "VT-d",
    .levels = 4,
    VTD_FORMAT,
    .level = {{.leaf = true}, VTD_LEVEL_LARGE, VTD_LEVEL_LARGE, {.table_bits = VTD_TABLE}},
};

const struct pt_format pt_format_vtd_39 = {
    .name = "VT-d, 39 bits",
    .levels = 3,
    VTD_FORMAT,
    .level = {{.leaf = true}, VTD_LEVEL_LARGE, VTD_LEVEL_LARGE},
};

// AMD I/O page tables (AMD IOMMU specification, 2.2.3 "I/O Page Tables for Host Translations").
// There is no large-page bit. Bits 11:9 of every entry give the level of the table that it refers
// to (1: the table of 4 KiB entries); 0 means a leaf of the entry's own level. Permissions of all
// levels are ANDed. FC (bit 60) stays clear: the device decides whether it snoops.
#define AMDVI_PRESENT  BIT(0)
#define AMDVI_NEXT(n)  ((uint64_t)(n) << 9)
#define AMDVI_READ     BIT(61)
#define AMDVI_WRITE    BIT(62)
#define AMDVI_TABLE(n) (AMDVI_PRESENT | AMDVI_READ | AMDVI_WRITE | AMDVI_NEXT(n))

#define AMDVI_LEVEL(n, is_leaf)                                                                    \
    {                                                                                              \
        .leaf = (is_leaf), .table_bits = AMDVI_TABLE(n), .leaf_bits = AMDVI_PRESENT,               \
        .kind_mask = AMDVI_NEXT(7), .leaf_kind = AMDVI_NEXT(0),                                    \
    }

const struct pt_format pt_format_amdvi = {
    .name = "AMD-Vi",
    .levels = 4,
    .flags = PT_READ | PT_WRITE,
    .address_mask = ADDRESS,
    .present_mask = AMDVI_PRESENT,
    .read_bit = AMDVI_READ,
    .write_bit = AMDVI_WRITE,
    .level = {{.leaf = true, .leaf_bits = AMDVI_PRESENT},
              AMDVI_LEVEL(1, true),
              AMDVI_LEVEL(2, true),
              AMDVI_LEVEL(3, false)},
};
