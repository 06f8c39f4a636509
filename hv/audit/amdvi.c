// SPDX-License-Identifier: Apache-2.0
// The IOMMU audit's reader for AMD-Vi: checks the device table and each device's interrupt table.
// The layouts are given by bit number, from the AMD IOMMU specification, 2.2.2 (device table) and
// 2.2.5 (interrupt tables). Nothing here comes from the driver. A device table entry of all zeros
// lets everything pass.
#include "arch/memory/heap.h"
#include "hv/audit/iommu_walk.h"

#define DEVICE_BYTES    32u
#define INTERRUPT_BYTES 4u
#define WIDE_BYTES      16u
#define TABLE_ALIGN     128u
#define MAX_TABLE_LEN   11u // 2048 interrupts: a message's data has 11 bits for the index
#define CONTROL_ABORT   0u
#define CONTROL_FORWARD 1u
#define CONTROL_REMAP   2u
#define TYPE_FIXED      0u

struct entry {
    uint64_t q[4];
};

static bool bit(uint64_t raw, unsigned n)
{
    return (raw >> n) & 1;
}

static uint64_t bits(uint64_t raw, unsigned high, unsigned low)
{
    return (raw >> low) & ((2ull << (high - low)) - 1);
}

// Fields that must be zero in every device's entry, by bit number of its 256 bits.
static const struct {
    unsigned high, low;
    const char *why;
} must_be_zero[] = {
    {6, 2, "reserved bits 6:2"},
    {8, 7, "the IOMMU itself writes to the tables (HAD)"},
    {60, 52, "guest translation or page requests (PPR, GPRP, GIoV, GV, GLX, GCR3)"},
    {63, 63, "reserved bit 63"},
    {95, 80, "guest translation (GCR3)"},
    {96, 96, "the device may translate for itself (I)"},
    {98, 97, "its faults are not reported (SE, SA)"},
    {100, 99, "port accesses pass (IoCtl)"},
    {102, 101, "caching or snooping is off (Cache, SD)"},
    {103, 103, "the exclusion range passes (EX)"},
    {105, 104, "system management messages pass (SysMgt)"},
    {127, 106, "guest translation (GCR3) or reserved bit 106"},
    {133, 133, "its refused interrupts are not reported (IG)"},
    {183, 180, "reserved bits 183:180"},
    {184, 184, "INIT passes unmapped"},
    {185, 185, "ExtInt passes unmapped"},
    {187, 187, "a host page table mode"},
    {190, 190, "LINT0 passes unmapped"},
    {191, 191, "LINT1 passes unmapped"},
    {255, 192, "attributes or reserved bits of the last quarter"},
};

static uint64_t field(const struct entry *e, unsigned high, unsigned low)
{
    return bits(e->q[low / 64], high % 64, low % 64);
}

static const char *zero_fault(const struct entry *e)
{
    for (unsigned i = 0; i < ARRAY_SIZE(must_be_zero); i++) {
        if (field(e, must_be_zero[i].high, must_be_zero[i].low) != 0) {
            return must_be_zero[i].why;
        }
    }
    return NULL;
}

static struct entry read_device(const struct audit_unit *u, uint16_t id)
{
    const uint64_t *raw = heap_ptr(hpa(u->devices.v + (uint64_t)id * DEVICE_BYTES));
    return (struct entry){{raw[0], raw[1], raw[2], raw[3]}};
}

// ---- memory -------------------------------------------------------------------------------------

static void check_memory(struct audit_iommu_walk *w, unsigned owner, const struct entry *e,
                         struct audit_place place)
{
    bool read = bit(e->q[0], 61);
    bool write = bit(e->q[0], 62);
    unsigned mode = (unsigned)bits(e->q[0], 11, 9);
    if (mode == 7) {
        audit_iommu_bad(w, AUDIT_RESERVED, place, "reserved paging mode 7");
        return;
    }
    if (!read && !write) {
        return; // blocked: the entry's rights limit those of the whole tree
    }
    if (owner == AUDIT_NOBODY || owner == AUDIT_IOAPIC) {
        audit_iommu_bad(w, AUDIT_UNBLOCKED, place, "it may read or write memory (IR, IW)");
        return;
    }
    if (mode == 0) {
        audit_iommu_bad(w, AUDIT_RESERVED, place, "every address passes (paging mode 0)");
        return;
    }
    if (!read || !write) {
        audit_iommu_bad(w, AUDIT_ACCESS, place, "only one of reading and writing (IR, IW)");
    }
    struct audit_reach reach = {
        .root = hpa(bits(e->q[0], 51, 12) << 12),
        .levels = mode,
        .domain_id = (unsigned)bits(e->q[1], 15, 0),
    };
    audit_iommu_reach(w, owner, reach, place);
}

// ---- interrupts ---------------------------------------------------------------------------------

struct table {
    uint64_t base;
    uint64_t size; // bytes
    unsigned count;
};

// The interrupt table of a device's entry; an empty table if the entry doesn't remap interrupts.
static struct table table_of(const struct audit_unit *u, const struct entry *e)
{
    if (!bit(e->q[0], 0) || !bit(e->q[2], 0) || bits(e->q[2], 61, 60) != CONTROL_REMAP) {
        return (struct table){0, 0, 0};
    }
    unsigned count = 1u << bits(e->q[2], 4, 1);
    return (struct table){
        .base = bits(e->q[2], 51, 6) << 6,
        .size = (uint64_t)count * (u->wide ? WIDE_BYTES : INTERRUPT_BYTES),
        .count = count,
    };
}

static const char *interrupt_entry_fault(const uint32_t *raw, bool wide)
{
    if (bit(raw[0], 7)) {
        return "a guest's virtual interrupt";
    }
    if (bit(raw[0], 1)) {
        return "its faults are not reported";
    }
    bool reserved = wide ? raw[1] != 0 || bits(raw[2], 31, 8) != 0 || bits(raw[3], 23, 0) != 0
                         : bits(raw[0], 31, 24) != 0;
    return reserved ? "reserved bits in an interrupt entry" : NULL;
}

static void check_interrupt(struct audit_iommu_walk *w, unsigned owner, const uint32_t *raw,
                            struct audit_place place)
{
    bool wide = w->unit->wide;
    if (!bit(raw[0], 0)) {
        return; // refused
    }
    const char *fault = interrupt_entry_fault(raw, wide);
    if (fault) {
        audit_iommu_bad(w, AUDIT_INTERRUPT, place, fault);
        return;
    }
    // an entry of 128 bits has the destination's upper byte in bits 127:120
    uint64_t destination =
        wide ? bits(raw[0], 31, 8) | bits(raw[3], 31, 24) << 24 : bits(raw[0], 15, 8);
    struct audit_interrupt i = {
        .fixed = bits(raw[0], 4, 2) == TYPE_FIXED,
        .logical = bit(raw[0], 6),
        .level = bit(raw[0], 5), // RqEoi
        .destination = (uint32_t)destination,
        .vector = (unsigned)(wide ? bits(raw[2], 7, 0) : bits(raw[0], 23, 16)),
    };
    audit_iommu_interrupt(w, owner, i, place);
}

static bool overlap(struct table a, struct table b)
{
    return a.base < b.base + b.size && b.base < a.base + a.size;
}

static bool shares(const struct audit_iommu_walk *w, unsigned owner, struct table t, uint16_t other)
{
    const struct audit_unit *u = w->unit;
    if (audit_owner(w, other) == owner || (other + 1ull) * DEVICE_BYTES > u->devices_size) {
        return false;
    }
    struct entry e = read_device(u, other);
    return overlap(t, table_of(u, &e));
}

// The entries of a table are filled for its owner. So no device of another owner may use the table,
// even if it is empty.
static bool shared_table(const struct audit_iommu_walk *w, unsigned owner, struct table t)
{
    const struct audit_iommu_input *in = w->input;
    for (unsigned i = 0; i < in->requester_count; i++) {
        if (shares(w, owner, t, in->requesters[i].id)) {
            return true;
        }
    }
    for (unsigned i = 0; i < in->ioapic_count; i++) {
        if (shares(w, owner, t, in->ioapics[i])) {
            return true;
        }
    }
    return false;
}

static void check_table(struct audit_iommu_walk *w, unsigned owner, const struct entry *e,
                        struct audit_place place)
{
    struct table t = table_of(w->unit, e);
    if (bits(e->q[2], 4, 1) > MAX_TABLE_LEN || !is_aligned(t.base, TABLE_ALIGN)) {
        audit_iommu_bad(w, AUDIT_RESERVED, place, "length or alignment of its interrupt table");
        return;
    }
    if (!audit_iommu_table(w, t.base, t.size, place)) {
        return;
    }
    if (shared_table(w, owner, t)) {
        audit_iommu_bad(w, AUDIT_OTHER_PARTITION, place, "its interrupt table is another's too");
    }
    for (unsigned i = 0; i < t.count && !audit_iommu_enough(w); i++) {
        place.index = (int)i;
        place.entry = t.base + i * (t.size / t.count);
        check_interrupt(w, owner, heap_ptr(hpa(place.entry)), place);
    }
}

static void check_interrupts(struct audit_iommu_walk *w, unsigned owner, const struct entry *e,
                             struct audit_place place)
{
    // An IOAPIC's NMI isn't remapped: it passes as its redirection entry says, and only the
    // hypervisor writes that entry.
    if (bit(e->q[2], 58) && (owner != AUDIT_IOAPIC || w->input->nmi_apic_id == AUDIT_NO_APIC_ID)) {
        audit_iommu_bad(w, AUDIT_INTERRUPT, place, "NMI passes unmapped");
    }
    switch (bits(e->q[2], 61, 60)) {
    case CONTROL_ABORT:
        return;
    case CONTROL_REMAP:
        break;
    case CONTROL_FORWARD:
        audit_iommu_bad(w, AUDIT_INTERRUPT, place, "interrupts pass unmapped (IntCtl)");
        return;
    default:
        audit_iommu_bad(w, AUDIT_RESERVED, place, "reserved IntCtl 3");
        return;
    }
    if (owner == AUDIT_NOBODY) {
        audit_iommu_bad(w, AUDIT_UNBLOCKED, place, "it has an interrupt table");
        return;
    }
    check_table(w, owner, e, place);
}

// ---- the device table ---------------------------------------------------------------------------

static void check_device(struct audit_iommu_walk *w, uint16_t id)
{
    struct entry e = read_device(w->unit, id);
    struct audit_place place = {id, AUDIT_NO_INDEX, w->unit->devices.v + id * DEVICE_BYTES};
    if (!bit(e.q[0], 0)) {
        audit_iommu_bad(w, AUDIT_UNBLOCKED, place, "every address passes (V is clear)");
        return;
    }
    if (!bit(e.q[0], 1)) {
        audit_iommu_bad(w, AUDIT_UNBLOCKED, place, "nothing says what it reaches (TV is clear)");
        return;
    }
    if (!bit(e.q[2], 0)) {
        audit_iommu_bad(w, AUDIT_UNBLOCKED, place, "interrupts pass unmapped (IV is clear)");
        return;
    }
    const char *fault = zero_fault(&e);
    if (fault) {
        audit_iommu_bad(w, AUDIT_RESERVED, place, fault);
        return;
    }
    unsigned owner = audit_owner(w, id);
    check_memory(w, owner, &e, place);
    check_interrupts(w, owner, &e, place);
}

void audit_amdvi_unit(struct audit_iommu_walk *w)
{
    const struct audit_unit *u = w->unit;
    struct audit_place place = {0, AUDIT_NO_INDEX, u->devices.v};
    if (!is_aligned(u->devices.v, PAGE_SIZE)) {
        audit_iommu_bad(w, AUDIT_TABLE, place, "a device table that isn't aligned");
        return;
    }
    if (!audit_iommu_table(w, u->devices.v, u->devices_size, place)) {
        return;
    }
    for (unsigned id = 0; id < u->devices_size / DEVICE_BYTES && !audit_iommu_enough(w); id++) {
        check_device(w, (uint16_t)id);
    }
}
