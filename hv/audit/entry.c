// SPDX-License-Identifier: Apache-2.0
// Decoders of table entries for the audit, one for each format. Each knows its manual's layout by
// bit number. Nothing here may come from arch/memory/pt_format.c.
#include "hv/audit/entry.h"

#define MAX_LARGE_LEVEL 3 // 1 GiB

static bool bit(uint64_t raw, unsigned n)
{
    return (raw >> n) & 1;
}

static uint64_t bits(uint64_t raw, unsigned high, unsigned low)
{
    return (raw >> low) & ((2ull << (high - low)) - 1);
}

// Lowest address bit of what a page of `level` holds: 12, 21, 30, ...
static unsigned page_shift(unsigned level)
{
    return 12 + 9 * (level - 1);
}

bool audit_levels_valid(enum table_format format, unsigned levels)
{
    switch (format) {
    case TABLE_NPT:
    case TABLE_EPT:
        return levels == 4 || levels == 5;
    case TABLE_VTD:
        return levels >= 3 && levels <= 5;
    case TABLE_AMDVI: // the manual allows 6, but the top level would not fit 64-bit arithmetic
        return levels >= 1 && levels <= 5;
    }
    return false;
}

// AMD64 APM vol. 2, 5.3.3 to 5.3.5 for the layout, 15.25.5 for nested tables. Bit 0 is P, 1 R/W, 2
// U/S, 7 PS, 63 NX. All accesses count as user accesses. Bits 7 and 8 of the upper levels' entries
// must be zero. In a large page's entry bit 12 is PAT, and the bits between it and the page's
// address are zero.
static struct audit_entry decode_npt(unsigned level, uint64_t raw)
{
    struct audit_entry e = {.kind = AUDIT_ENTRY_ABSENT};
    if (!bit(raw, 0)) {
        return e;
    }
    bool large = level > 1 && bit(raw, 7);
    e.kind = level == 1 || large ? AUDIT_ENTRY_PAGE : AUDIT_ENTRY_TABLE;
    e.address = bits(raw, 51, 12) << 12;
    e.read = bit(raw, 2);
    e.write = e.read && bit(raw, 1);
    e.exec = e.read && !bit(raw, 63);
    if (level > MAX_LARGE_LEVEL && bits(raw, 8, 7) != 0) {
        e.fault = "bits 8:7 must be zero at this level";
    } else if (large) {
        e.address &= ~BIT(12);
        if (bits(raw, page_shift(level) - 1, 13) != 0) {
            e.fault = "address of a large page isn't aligned to it";
        }
    }
    return e;
}

// Intel SDM vol. 3, "EPT Translation Mechanism" and "EPT Misconfigurations". Bits 0 R, 1 W, 2 X. A
// page's entry has its memory type in 5:3 and "ignore PAT" in 6; bit 7 makes a large page. In an
// entry that refers to a table, bits 6:3 are reserved, at upper levels 7:3. Bit 10 counts only with
// mode-based execute control, which is never enabled: an entry with bit 10 is an error.
static struct audit_entry decode_ept(unsigned level, uint64_t raw)
{
    struct audit_entry e = {.kind = AUDIT_ENTRY_ABSENT};
    if (bits(raw, 2, 0) == 0 && !bit(raw, 10)) {
        return e;
    }
    bool large = level > 1 && level <= MAX_LARGE_LEVEL && bit(raw, 7);
    e.kind = level == 1 || large ? AUDIT_ENTRY_PAGE : AUDIT_ENTRY_TABLE;
    e.address = bits(raw, 51, 12) << 12;
    e.read = bit(raw, 0);
    e.write = bit(raw, 1);
    e.exec = bit(raw, 2);
    uint64_t type = bits(raw, 5, 3);
    if (bit(raw, 10)) {
        e.fault = "bit 10 set without mode-based execute control";
    } else if (!e.read) {
        e.fault = "writable or executable, but not readable";
    } else if (e.kind == AUDIT_ENTRY_TABLE) {
        e.fault = bits(raw, 7, 3) != 0 ? "reserved bits 7:3 in an entry for a table" : NULL;
    } else if (type == 2 || type == 3 || type == 7) {
        e.fault = "reserved memory type";
    } else if (large && bits(raw, page_shift(level) - 1, 12) != 0) {
        e.fault = "address of a large page isn't aligned to it";
    }
    return e;
}

// VT-d specification, 9.8 (second-stage paging entries): bits 0 R, 1 W, 7 page size. Bit 62
// (transient mapping) is reserved without device TLBs, which are never enabled.
static struct audit_entry decode_vtd(unsigned level, uint64_t raw)
{
    struct audit_entry e = {.kind = AUDIT_ENTRY_ABSENT};
    if (bits(raw, 1, 0) == 0) {
        return e;
    }
    bool large = level > 1 && level <= MAX_LARGE_LEVEL && bit(raw, 7);
    e.kind = level == 1 || large ? AUDIT_ENTRY_PAGE : AUDIT_ENTRY_TABLE;
    e.address = bits(raw, 51, 12) << 12;
    e.read = bit(raw, 0);
    e.write = bit(raw, 1);
    if (bit(raw, 62)) {
        e.fault = "reserved bit 62";
    } else if (level > MAX_LARGE_LEVEL && bit(raw, 7)) {
        e.fault = "reserved bit 7 at this level";
    } else if (large && bits(raw, page_shift(level) - 1, 12) != 0) {
        e.fault = "address of a large page isn't aligned to it";
    }
    return e;
}

// AMD IOMMU specification, 2.2.3. Bit 0 PR, 11:9 next level, 61 IR, 62 IW. Next level 0 makes a
// page of the level's own size, 7 a page whose size is coded in its address. Any other value is the
// level of the next table. Hardware may skip levels; the hypervisor never does, so the audit
// refuses a table that does.
static struct audit_entry decode_amdvi(unsigned level, uint64_t raw)
{
    struct audit_entry e = {.kind = AUDIT_ENTRY_ABSENT};
    if (!bit(raw, 0)) {
        return e;
    }
    uint64_t next = bits(raw, 11, 9);
    e.kind = next == 0 || next == 7 ? AUDIT_ENTRY_PAGE : AUDIT_ENTRY_TABLE;
    e.address = bits(raw, 51, 12) << 12;
    e.read = bit(raw, 61);
    e.write = bit(raw, 62);
    if (bits(raw, 58, 52) != 0) {
        e.fault = "reserved bits 58:52";
    } else if (next == 7) {
        e.fault = "a page size coded in the address";
    } else if (next != 0 && next != level - 1) {
        e.fault = "refers to a table of another level than the next";
    } else if (next == 0 && level > 1 && bits(raw, page_shift(level) - 1, 12) != 0) {
        e.fault = "address of a large page isn't aligned to it";
    }
    return e;
}

struct audit_entry audit_decode(enum table_format format, unsigned level, uint64_t raw,
                                unsigned phys_bits)
{
    struct audit_entry e = {.kind = AUDIT_ENTRY_ABSENT};
    switch (format) {
    case TABLE_NPT:
        e = decode_npt(level, raw);
        break;
    case TABLE_EPT:
        e = decode_ept(level, raw);
        break;
    case TABLE_VTD:
        e = decode_vtd(level, raw);
        break;
    case TABLE_AMDVI:
        e = decode_amdvi(level, raw);
        break;
    }
    if (e.kind != AUDIT_ENTRY_ABSENT && !e.fault && (e.address >> phys_bits) != 0) {
        e.fault = "address beyond the machine's physical address bits";
    }
    return e;
}
