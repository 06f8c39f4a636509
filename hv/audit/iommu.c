// SPDX-License-Identifier: Apache-2.0
// The vendor-neutral part of the IOMMU audit: the lists, what a requester may reach, which
// interrupts it may send, and the report. The tables' formats are in hv/audit/vtd.c and
// hv/audit/amdvi.c.
#include "hv/audit/iommu.h"

#include "arch/lib/format.h"
#include "arch/memory/heap.h"
#include "hv/audit/entry.h"
#include "hv/audit/iommu_walk.h"

#define ENOUGH           1000 // violations that end the walks
#define NAME_WIDTH       24
#define DETAIL_WIDTH     80
#define FIRST_VECTOR     16 // the local APIC accepts none below (Intel SDM vol. 3, 10.5.2)
#define XAPIC_BROADCAST  0xffu
#define X2APIC_BROADCAST 0xffffffffu
#define XAPIC_IDS        256 // an entry in xAPIC format has 8 bits for the ID
#define MAX_VTD_ENTRIES  65536u
#define DEVICE_TABLE_MAX MIB(2) // AMD-Vi: 65536 entries of 32 bytes
// Numbers of levels that a unit can have.
#define TREE_LEVELS (BIT(3) | BIT(4) | BIT(5) | BIT(6))

unsigned audit_owner(const struct audit_iommu_walk *w, uint16_t requester)
{
    const struct audit_iommu_input *in = w->input;
    for (unsigned i = 0; i < in->requester_count; i++) {
        if (in->requesters[i].id == requester) {
            return in->requesters[i].owner;
        }
    }
    for (unsigned i = 0; i < in->ioapic_count; i++) {
        if (in->ioapics[i] == requester) {
            return AUDIT_IOAPIC;
        }
    }
    return AUDIT_NOBODY;
}

// ---- the report ---------------------------------------------------------------------------------

static const char *owner_name(const struct audit_iommu_walk *w, unsigned owner)
{
    if (owner < w->input->partition_count) {
        return w->input->partitions[owner].name;
    }
    return owner == AUDIT_IOAPIC ? "IOAPIC" : "nobody";
}

// The index of the partition's tables in the list for the CPUs; they say what RAM it has.
static unsigned subject_of(const struct audit_iommu_input *in, unsigned owner)
{
    for (unsigned i = 0; i < in->memory->subject_count; i++) {
        if (in->memory->subjects[i].owner == owner) {
            return i;
        }
    }
    return AUDIT_NO_SUBJECT;
}

static struct audit_violation *new_violation(struct audit_iommu_walk *w, enum audit_kind kind)
{
    static struct audit_violation beyond; // takes the violations that have no room in the report
    struct audit_report *r = w->report;
    struct audit_violation *v = r->violations < AUDIT_REPORTS ? &r->first[r->violations] : &beyond;
    r->violations++;
    *v = (struct audit_violation){.kind = kind, .subject = AUDIT_NO_SUBJECT};
    return v;
}

static void bad_list(struct audit_iommu_walk *w, uint64_t what, const char *detail)
{
    struct audit_violation *v = new_violation(w, AUDIT_BAD_INPUT);
    v->gpa = what;
    format(v->text, sizeof(v->text), "IOMMU audit, bad list: %s (0x%lx)", detail, what);
}

static void bad_unit(struct audit_iommu_walk *w, enum audit_kind kind, const char *detail)
{
    struct audit_violation *v = new_violation(w, kind);
    v->hpa = w->unit->devices.v;
    format(v->text, sizeof(v->text), "%.*s: %s", NAME_WIDTH, w->unit->name, detail);
}

void audit_iommu_bad(struct audit_iommu_walk *w, enum audit_kind kind, struct audit_place place,
                     const char *detail)
{
    unsigned owner = audit_owner(w, place.requester);
    struct audit_violation *v = new_violation(w, kind);
    v->subject = subject_of(w->input, owner);
    v->gpa = place.requester;
    v->hpa = place.entry;
    char interrupt[32] = "";
    if (place.index != AUDIT_NO_INDEX) {
        format(interrupt, sizeof(interrupt), ", interrupt %d", place.index);
    }
    format(v->text, sizeof(v->text), "%.*s: device %02x:%02x.%u of %.*s%s: %.*s (entry at 0x%lx)",
           NAME_WIDTH, w->unit->name, place.requester >> 8, (place.requester >> 3) & 31u,
           place.requester & 7u, NAME_WIDTH, owner_name(w, owner), interrupt, DETAIL_WIDTH, detail,
           place.entry);
}

bool audit_iommu_enough(const struct audit_iommu_walk *w)
{
    return w->report->violations >= ENOUGH;
}

// ---- the lists ----------------------------------------------------------------------------------

static void check_partition(struct audit_iommu_walk *w, unsigned p)
{
    const struct audit_iommu_input *in = w->input;
    const struct audit_partition *a = &in->partitions[p];
    // in VT-d's caching mode, domain 0 tags entries that are not present (VT-d specification, 6.1)
    if (a->domain_id == 0) {
        bad_list(w, p, "partition without domain ID");
    }
    for (unsigned o = 0; o < p; o++) {
        const struct audit_partition *b = &in->partitions[o];
        if (a->domain_id == b->domain_id) {
            bad_list(w, a->domain_id, "two partitions of one domain ID");
        }
        for (unsigned i = 0; i < a->cpu_count; i++) {
            for (unsigned j = 0; j < b->cpu_count; j++) {
                if (a->apic_ids[i] == b->apic_ids[j]) {
                    bad_list(w, a->apic_ids[i], "two partitions of one CPU");
                }
            }
        }
    }
}

static void check_requester(struct audit_iommu_walk *w, unsigned i)
{
    const struct audit_iommu_input *in = w->input;
    const struct audit_requester *r = &in->requesters[i];
    if (r->owner >= in->partition_count || subject_of(in, r->owner) == AUDIT_NO_SUBJECT) {
        bad_list(w, r->id, "requester of a partition that isn't there");
    }
    for (unsigned j = 0; j < i; j++) {
        if (in->requesters[j].id == r->id && in->requesters[j].owner != r->owner) {
            bad_list(w, r->id, "requester of two partitions");
        }
    }
    for (unsigned j = 0; j < in->ioapic_count; j++) {
        if (in->ioapics[j] == r->id) {
            bad_list(w, r->id, "requester of a partition that is an IOAPIC's too");
        }
    }
}

static void check_unit(struct audit_iommu_walk *w)
{
    const struct audit_unit *u = w->unit;
    if (!u->on) {
        bad_unit(w, AUDIT_UNBLOCKED, "translation or interrupt remapping is not on");
    }
    if (u->kind == AUDIT_UNIT_AMDVI) {
        if (u->devices_size == 0 || u->devices_size > DEVICE_TABLE_MAX ||
            !is_aligned(u->devices_size, PAGE_SIZE)) {
            bad_unit(w, AUDIT_BAD_INPUT, "size of the device table");
        }
    } else if (u->interrupt_count < 2 || u->interrupt_count > MAX_VTD_ENTRIES ||
               !is_aligned(u->interrupt_count, u->interrupt_count)) {
        bad_unit(w, AUDIT_BAD_INPUT, "size of the interrupt remapping table");
    }
    if (u->levels == 0 || (u->levels & ~TREE_LEVELS) != 0) {
        bad_unit(w, AUDIT_BAD_INPUT, "supported levels");
    }
}

static bool check_lists(struct audit_iommu_walk *w)
{
    const struct audit_iommu_input *in = w->input;
    if (in->partition_count > MAX_PARTITIONS) {
        bad_list(w, in->partition_count, "number of partitions");
        return false;
    }
    for (unsigned i = 0; i < in->partition_count; i++) {
        check_partition(w, i);
    }
    for (unsigned i = 0; i < in->requester_count; i++) {
        check_requester(w, i);
    }
    for (unsigned i = 0; i < in->unit_count; i++) {
        w->unit = &in->units[i];
        check_unit(w);
    }
    return w->report->violations == 0;
}

// ---- memory -------------------------------------------------------------------------------------

static bool hypervisors_page(const struct audit_input *in, uint64_t page)
{
    for (unsigned i = 0; i < in->hypervisor_count; i++) {
        const struct audit_range *r = &in->hypervisor[i];
        if (page >= r->base && page - r->base < r->size &&
            PAGE_SIZE <= r->size - (page - r->base)) {
            return heap_contains(hpa(page));
        }
    }
    return false;
}

bool audit_iommu_table(struct audit_iommu_walk *w, uint64_t address, uint64_t size,
                       struct audit_place place)
{
    // table addresses are below 2^52, so nothing wraps
    for (uint64_t page = align_down(address, PAGE_SIZE); page < address + size; page += PAGE_SIZE) {
        if (!hypervisors_page(w->input->memory, page)) {
            audit_iommu_bad(w, AUDIT_TABLE, place, "a table outside the hypervisor's heap");
            return false;
        }
    }
    w->report->tables += (unsigned)(align_up(size, PAGE_SIZE) / PAGE_SIZE);
    return true;
}

void audit_iommu_reach(struct audit_iommu_walk *w, unsigned owner, struct audit_reach reach,
                       struct audit_place place)
{
    const struct audit_partition *p = &w->input->partitions[owner];
    enum table_format format_of = w->unit->kind == AUDIT_UNIT_VTD ? TABLE_VTD : TABLE_AMDVI;
    if (reach.domain_id != p->domain_id) {
        audit_iommu_bad(w, AUDIT_OTHER_PARTITION, place, "the domain ID isn't its owner's");
    }
    if (!(w->unit->levels >> reach.levels & 1) || !audit_levels_valid(format_of, reach.levels)) {
        audit_iommu_bad(w, AUDIT_RESERVED, place, "an address width that isn't supported");
        return;
    }
    if (w->tree[owner].levels != 0) {
        if (w->tree[owner].levels != reach.levels || w->tree[owner].root.v != reach.root.v) {
            audit_iommu_bad(w, AUDIT_TABLE, place, "a tree that isn't that of the owner's others");
        }
        return;
    }
    w->tree[owner].root = reach.root;
    w->tree[owner].levels = reach.levels;
    char name[NAME_WIDTH + 1];
    format(name, sizeof(name), "DMA of %.*s", NAME_WIDTH - 7, p->name);
    unsigned subject = subject_of(w->input, owner);
    struct audit_subject tree = w->input->memory->subjects[subject];
    tree.name = name;
    tree.format = format_of;
    tree.root = reach.root;
    tree.levels = reach.levels;
    audit_tree(w->input->memory, &tree, subject, w->report);
}

// ---- interrupts ---------------------------------------------------------------------------------

static bool has_cpu(const struct audit_partition *p, uint32_t apic_id)
{
    for (unsigned i = 0; i < p->cpu_count; i++) {
        if (p->apic_ids[i] == apic_id) {
            return true;
        }
    }
    return false;
}

static bool may_interrupt(const struct audit_iommu_walk *w, unsigned owner, uint32_t apic_id)
{
    const struct audit_iommu_input *in = w->input;
    for (unsigned i = 0; i < in->partition_count; i++) {
        if ((owner == AUDIT_IOAPIC || owner == i) && has_cpu(&in->partitions[i], apic_id)) {
            return true;
        }
    }
    return false;
}

static const char *interrupt_fault(const struct audit_iommu_walk *w, unsigned owner,
                                   struct audit_interrupt i)
{
    bool xapic = !w->unit->x2apic;
    if (owner == AUDIT_NOBODY) {
        return "of a requester that is nobody's";
    }
    if (i.logical) {
        return "logical destination";
    }
    if (i.destination == X2APIC_BROADCAST || (xapic && i.destination == XAPIC_BROADCAST)) {
        return "to all CPUs";
    }
    if (xapic && i.destination >= XAPIC_IDS) {
        return "a destination beyond what the entry can hold";
    }
    if (i.nmi) {
        return owner == AUDIT_IOAPIC && i.destination == w->input->nmi_apic_id ? NULL : "an NMI";
    }
    if (!i.fixed) {
        return "a delivery mode other than fixed";
    }
    if (i.level && owner != AUDIT_IOAPIC) {
        // the CPU's EOI would go to all IOAPICs and end other interrupts with the same vector
        return "level-triggered, not from an IOAPIC";
    }
    if (i.vector < FIRST_VECTOR) {
        return "a vector below 16";
    }
    return may_interrupt(w, owner, i.destination) ? NULL : "to a CPU that isn't its owner's";
}

void audit_iommu_interrupt(struct audit_iommu_walk *w, unsigned owner, struct audit_interrupt i,
                           struct audit_place place)
{
    const char *fault = interrupt_fault(w, owner, i);
    if (fault) {
        audit_iommu_bad(w, AUDIT_INTERRUPT, place, fault);
    }
}

bool audit_iommu_run(const struct audit_iommu_input *input, struct audit_report *report)
{
    struct audit_iommu_walk w = {.input = input, .report = report};
    if (report->violations > 0 || !check_lists(&w)) {
        return false;
    }
    for (unsigned i = 0; i < input->unit_count; i++) {
        w.unit = &input->units[i];
        if (w.unit->kind == AUDIT_UNIT_VTD) {
            audit_vtd_unit(&w);
        } else {
            audit_amdvi_unit(&w);
        }
    }
    return report->violations == 0;
}
