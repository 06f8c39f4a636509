// SPDX-License-Identifier: Apache-2.0
// The IOMMU audit's reader for VT-d: root and context tables in legacy mode, and the interrupt
// remapping table. Layouts are given by bit number, from the VT-d specification, 9.1 (root entry),
// 9.3 (context entry) and 9.10 (interrupt remapping entry). Nothing here comes from the driver.
#include "arch/memory/heap.h"
#include "hv/audit/iommu_walk.h"

#define BUSES       256u
#define FUNCTIONS   256u // of a bus
#define ENTRY_BYTES 16u
// Address width 1 means 3 levels, and so on; the unit says which it supports.
#define LEVELS_OF_AW_0   2u
#define DELIVER_FIXED    0u
#define DELIVER_NMI      4u
#define VERIFY_REQUESTER 1u // SVT: compare the source ID as SQ says
#define COMPARE_ALL      0u // SQ: all 16 bits

struct entry {
    uint64_t low, high;
};

static bool bit(uint64_t raw, unsigned n)
{
    return (raw >> n) & 1;
}

static uint64_t bits(uint64_t raw, unsigned high, unsigned low)
{
    return (raw >> low) & ((2ull << (high - low)) - 1);
}

static struct entry read_entry(uint64_t table, unsigned index, struct audit_place *place)
{
    place->entry = table + (uint64_t)index * ENTRY_BYTES;
    const uint64_t *raw = heap_ptr(hpa(place->entry));
    return (struct entry){raw[0], raw[1]};
}

// ---- devices ------------------------------------------------------------------------------------

// What is wrong with a present entry of a requester that belongs to a partition; NULL if nothing.
static const char *context_fault(struct entry e)
{
    if (bits(e.low, 3, 2) != 0) {
        return bits(e.low, 3, 2) == 2 ? "every address passes (pass-through)"
                                      : "a translation type other than the second level";
    }
    if (bit(e.low, 1)) {
        return "its faults are not reported";
    }
    if (bits(e.low, 11, 4) != 0 || bit(e.high, 7) || bits(e.high, 63, 24) != 0) {
        return "reserved bits in a context entry";
    }
    return NULL;
}

static void check_context(struct audit_iommu_walk *w, struct entry e, struct audit_place place)
{
    if (!bit(e.low, 0)) {
        return; // blocked: every request of this device faults (7.1.3)
    }
    unsigned owner = audit_owner(w, place.requester);
    if (owner == AUDIT_NOBODY || owner == AUDIT_IOAPIC) {
        audit_iommu_bad(w, AUDIT_UNBLOCKED, place, "a context entry is present");
        return;
    }
    const char *fault = context_fault(e);
    if (fault) {
        audit_iommu_bad(w, AUDIT_RESERVED, place, fault);
        return;
    }
    struct audit_reach reach = {
        .root = hpa(bits(e.low, 63, 12) << 12),
        .levels = (unsigned)bits(e.high, 2, 0) + LEVELS_OF_AW_0,
        .domain_id = (unsigned)bits(e.high, 23, 8),
    };
    audit_iommu_reach(w, owner, reach, place);
}

static void check_bus(struct audit_iommu_walk *w, unsigned bus, uint64_t table)
{
    struct audit_place place = {(uint16_t)(bus << 8), AUDIT_NO_INDEX, table};
    if (!audit_iommu_table(w, table, PAGE_SIZE, place)) {
        return;
    }
    for (unsigned f = 0; f < FUNCTIONS && !audit_iommu_enough(w); f++) {
        place.requester = (uint16_t)(bus << 8 | f);
        struct entry e = read_entry(table, f, &place);
        check_context(w, e, place);
    }
}

static void check_devices(struct audit_iommu_walk *w)
{
    uint64_t root = w->unit->devices.v;
    struct audit_place place = {0, AUDIT_NO_INDEX, root};
    if (!is_aligned(root, PAGE_SIZE)) {
        // bits 11:10 of the register select another translation mode (10.4.6)
        audit_iommu_bad(w, AUDIT_TABLE, place, "a root table that isn't one of legacy mode");
        return;
    }
    if (!audit_iommu_table(w, root, PAGE_SIZE, place)) {
        return;
    }
    for (unsigned bus = 0; bus < BUSES && !audit_iommu_enough(w); bus++) {
        place.requester = (uint16_t)(bus << 8);
        struct entry e = read_entry(root, bus, &place);
        if (!bit(e.low, 0)) {
            continue; // blocks the whole bus
        }
        if (bits(e.low, 11, 1) != 0 || e.high != 0) {
            audit_iommu_bad(w, AUDIT_RESERVED, place, "reserved bits in a root entry");
            continue;
        }
        check_bus(w, bus, bits(e.low, 63, 12) << 12);
    }
}

// ---- interrupts ---------------------------------------------------------------------------------

static const char *interrupt_entry_fault(struct entry e, bool x2apic)
{
    if (bits(e.high, 19, 18) != VERIFY_REQUESTER || bits(e.high, 17, 16) != COMPARE_ALL) {
        return "the source ID isn't compared";
    }
    if (bit(e.low, 15)) {
        return "a posted interrupt";
    }
    if (bit(e.low, 1)) {
        return "its faults are not reported";
    }
    if (bits(e.low, 14, 12) != 0 || bits(e.low, 31, 24) != 0 || bits(e.high, 63, 20) != 0) {
        return "reserved bits in an interrupt entry";
    }
    if (!x2apic && (bits(e.low, 39, 32) != 0 || bits(e.low, 63, 48) != 0)) {
        return "reserved bits in an interrupt entry's destination";
    }
    return NULL;
}

static void check_interrupt(struct audit_iommu_walk *w, struct entry e, struct audit_place place)
{
    if (!bit(e.low, 0)) {
        return;
    }
    place.requester = (uint16_t)bits(e.high, 15, 0);
    const char *fault = interrupt_entry_fault(e, w->unit->x2apic);
    if (fault) {
        audit_iommu_bad(w, AUDIT_INTERRUPT, place, fault);
        return;
    }
    // bit 3, the redirection hint, has no effect with a single physical destination
    uint64_t destination = w->unit->x2apic ? bits(e.low, 63, 32) : bits(e.low, 47, 40);
    struct audit_interrupt i = {
        .fixed = bits(e.low, 7, 5) == DELIVER_FIXED,
        .nmi = bits(e.low, 7, 5) == DELIVER_NMI,
        .logical = bit(e.low, 2),
        .level = bit(e.low, 4),
        .destination = (uint32_t)destination,
        .vector = (unsigned)bits(e.low, 23, 16),
    };
    audit_iommu_interrupt(w, audit_owner(w, place.requester), i, place);
}

static void check_interrupts(struct audit_iommu_walk *w)
{
    uint64_t table = w->unit->interrupts.v;
    uint64_t size = (uint64_t)w->unit->interrupt_count * ENTRY_BYTES;
    struct audit_place place = {0, AUDIT_NO_INDEX, table};
    if (!is_aligned(table, PAGE_SIZE)) {
        audit_iommu_bad(w, AUDIT_TABLE, place, "an interrupt remapping table that isn't aligned");
        return;
    }
    if (!audit_iommu_table(w, table, size, place)) {
        return;
    }
    for (unsigned i = 0; i < w->unit->interrupt_count && !audit_iommu_enough(w); i++) {
        place.index = (int)i;
        struct entry e = read_entry(table, i, &place);
        check_interrupt(w, e, place);
    }
}

void audit_vtd_unit(struct audit_iommu_walk *w)
{
    check_devices(w);
    check_interrupts(w);
}
