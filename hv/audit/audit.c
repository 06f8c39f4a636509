// SPDX-License-Identifier: Apache-2.0
// The isolation audit. It first checks the lists of memory and devices against each other. Then it
// walks every tree in the order of guest-physical addresses: each page in a tree must be the
// partition's own RAM at exactly its address, or a device page that the partition may have. The RAM
// of all partitions, the devices and the hypervisor's memory don't overlap, so what partitions can
// reach doesn't overlap either.
#include "hv/audit/audit.h"

#include "arch/lib/format.h"
#include "arch/memory/heap.h"
#include "hv/audit/entry.h"
#include "hv/audit/walk.h"

#define ENTRIES      512
#define GIVE_UP      1000 // violations in one tree that end its walk
#define SPARE_TABLES 1024 // tables beyond what the memory needs; more than that is a loop
#define NAME_WIDTH   24
#define DETAIL_WIDTH 48

static const char *const kind_text[] = {
    [AUDIT_BAD_INPUT] = "bad list",
    [AUDIT_OTHER_PARTITION] = "reaches memory of another partition",
    [AUDIT_HYPERVISOR] = "reaches the hypervisor's memory",
    [AUDIT_STRAY] = "reaches what it should not",
    [AUDIT_DEVICE_WRITE] = "may write a device's read-only page",
    [AUDIT_MISSING] = "does not reach its own RAM",
    [AUDIT_ACCESS] = "lacks rights to its own RAM",
    [AUDIT_TABLE] = "uses a bad table",
    [AUDIT_RESERVED] = "uses a bad entry",
    [AUDIT_FORBIDDEN] = "has registers that no partition may have",
    [AUDIT_UNBLOCKED] = "is not blocked",
    [AUDIT_INTERRUPT] = "may send a wrong interrupt",
};

const struct audit_subject *audit_subject_of(const struct audit_walk *w)
{
    return w->dma ? w->dma : &w->input->subjects[w->subject];
}

static void write_text(const struct audit_walk *w, struct audit_violation *v)
{
    const char *name = v->subject < w->input->subject_count ? audit_subject_of(w)->name : "audit";
    format(v->text, sizeof(v->text), "%.*s %s (%.*s): gpa 0x%lx, hpa 0x%lx, 0x%lx bytes",
           NAME_WIDTH, name, kind_text[v->kind], DETAIL_WIDTH, w->detail, v->gpa, v->hpa, v->size);
}

// Whether a violation continues the last one without a gap; both are then reported as one.
static bool continues(const struct audit_walk *w, const struct audit_violation *v,
                      enum audit_kind kind, uint64_t gpa, uint64_t hpa, const char *detail)
{
    return w->violations > 0 && v->subject == w->subject && v->kind == kind &&
           detail == w->detail && v->gpa + v->size == gpa && v->hpa + v->size == hpa;
}

void audit_found(struct audit_walk *w, enum audit_kind kind, uint64_t gpa, uint64_t hpa,
                 uint64_t size, const char *detail)
{
    struct audit_report *r = w->report;
    if (r->violations > 0 && r->violations <= AUDIT_REPORTS) {
        struct audit_violation *last = &r->first[r->violations - 1];
        if (continues(w, last, kind, gpa, hpa, detail)) {
            last->size += size;
            write_text(w, last);
            return;
        }
    }
    w->detail = detail;
    if (r->violations < AUDIT_REPORTS) {
        struct audit_violation *v = &r->first[r->violations];
        *v = (struct audit_violation){kind, w->subject, gpa, hpa, size, ""};
        write_text(w, v);
    }
    r->violations++;
    w->violations++;
    if (w->violations >= GIVE_UP) {
        w->stop = true;
    }
}

static bool inside(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a >= b && a - b < b_size && a_size <= b_size - (a - b);
}

bool audit_hypervisors(const struct audit_input *in, uint64_t hpa, uint64_t size)
{
    for (unsigned i = 0; i < in->hypervisor_count; i++) {
        if (audit_overlap(hpa, size, in->hypervisor[i].base, in->hypervisor[i].size)) {
            return true;
        }
    }
    return false;
}

const struct audit_forbidden *audit_forbidden_at(const struct audit_input *in, uint64_t hpa,
                                                 uint64_t size)
{
    for (unsigned i = 0; i < in->forbidden_count; i++) {
        if (audit_overlap(hpa, size, in->forbidden[i].base, in->forbidden[i].size)) {
            return &in->forbidden[i];
        }
    }
    return NULL;
}

const struct guest_ram_region *audit_ram_touched(const struct guest_ram *ram, uint64_t hpa,
                                                 uint64_t size)
{
    for (unsigned i = 0; i < ram->count; i++) {
        if (audit_overlap(hpa, size, ram->region[i].hpa, ram->region[i].size)) {
            return &ram->region[i];
        }
    }
    return NULL;
}

// ---- the trees ----------------------------------------------------------------------------------

// Reports RAM below `gpa` that no page has covered.
static void advance(struct audit_walk *w, uint64_t gpa)
{
    const struct guest_ram *ram = audit_subject_of(w)->ram;
    while (w->region < ram->count) {
        const struct guest_ram_region *r = &ram->region[w->region];
        uint64_t from = max_u64(w->covered, r->gpa);
        uint64_t to = min_u64(gpa, r->gpa + r->size);
        if (from < to) {
            audit_found(w, AUDIT_MISSING, from, r->hpa + (from - r->gpa), to - from, "absent");
        }
        if (gpa < r->gpa + r->size) {
            break;
        }
        w->region++;
    }
    w->covered = max_u64(w->covered, gpa);
}

// Reports a page that is neither the subject's RAM at this address nor one of its device pages. If
// several descriptions fit, the worst is taken.
static void name_stray(struct audit_walk *w, uint64_t gpa, uint64_t hpa, uint64_t size)
{
    const struct audit_input *in = w->input;
    const struct audit_subject *s = audit_subject_of(w);
    if (audit_hypervisors(in, hpa, size)) {
        audit_found(w, AUDIT_HYPERVISOR, gpa, hpa, size, "mapped");
        return;
    }
    for (unsigned i = 0; i < in->subject_count; i++) {
        const struct audit_subject *other = &in->subjects[i];
        if (other->owner != s->owner && audit_ram_touched(other->ram, hpa, size)) {
            audit_found(w, AUDIT_OTHER_PARTITION, gpa, hpa, size, other->name);
            return;
        }
    }
    for (unsigned i = 0; i < in->device_count; i++) {
        const struct audit_device *d = &in->devices[i];
        if (d->owner != s->owner && d->owner != AUDIT_ANYONE &&
            audit_overlap(hpa, size, d->hpa, d->size)) {
            audit_found(w, AUDIT_OTHER_PARTITION, gpa, hpa, size, d->why);
            return;
        }
    }
    const struct audit_forbidden *f = audit_forbidden_at(in, hpa, size);
    if (f) {
        audit_found(w, AUDIT_FORBIDDEN, gpa, hpa, size, f->why);
        return;
    }
    for (unsigned i = 0; i < in->device_count; i++) {
        // only a DMA tree can meet its owner's own device here
        if (audit_overlap(hpa, size, in->devices[i].hpa, in->devices[i].size)) {
            audit_found(w, AUDIT_STRAY, gpa, hpa, size, in->devices[i].why);
            return;
        }
    }
    bool own = audit_ram_touched(s->ram, hpa, size) != NULL;
    audit_found(w, AUDIT_STRAY, gpa, hpa, size,
                own ? "its own RAM at another address" : "nobody's memory");
}

static const struct audit_device *device_at(const struct audit_walk *w, uint64_t hpa)
{
    for (unsigned i = 0; !w->dma && i < w->input->device_count; i++) {
        const struct audit_device *d = &w->input->devices[i];
        bool allowed = d->owner == AUDIT_ANYONE || d->owner == audit_subject_of(w)->owner;
        if (allowed && hpa >= d->hpa && hpa - d->hpa < d->size) {
            return d;
        }
    }
    return NULL;
}

// Checks a part of a page that is outside the subject's RAM. Returns how many bytes it has checked.
static uint64_t check_outside(struct audit_walk *w, uint64_t gpa, uint64_t hpa, uint64_t size,
                              struct audit_rights rights)
{
    const struct audit_device *d = device_at(w, hpa);
    if (!d) {
        name_stray(w, gpa, hpa, size);
        return size;
    }
    uint64_t part = min_u64(size, d->hpa + d->size - hpa);
    if (rights.write && !d->write_allowed) {
        audit_found(w, AUDIT_DEVICE_WRITE, gpa, hpa, part, d->why);
    }
    return part;
}

static void check_page(struct audit_walk *w, uint64_t gpa, uint64_t hpa, uint64_t size,
                       struct audit_rights rights)
{
    const struct audit_subject *s = audit_subject_of(w);
    bool cpu = s->format == TABLE_NPT || s->format == TABLE_EPT;
    while (size > 0 && !w->stop) {
        advance(w, gpa);
        const struct guest_ram_region *r =
            w->region < s->ram->count ? &s->ram->region[w->region] : NULL;
        uint64_t part;
        if (!r || gpa < r->gpa) {
            part = r ? min_u64(size, r->gpa - gpa) : size;
            part = check_outside(w, gpa, hpa, part, rights);
        } else {
            part = min_u64(size, r->gpa + r->size - gpa);
            if (hpa != r->hpa + (gpa - r->gpa)) {
                name_stray(w, gpa, hpa, part);
            } else if (!rights.read || !rights.write || (cpu && !rights.exec)) {
                audit_found(w, AUDIT_ACCESS, gpa, hpa, part, "read, write or execute");
            }
        }
        gpa += part;
        hpa += part;
        size -= part;
        w->covered = max_u64(w->covered, gpa);
    }
}

static void count_page(struct audit_walk *w, uint64_t gpa, uint64_t hpa, uint64_t size,
                       struct audit_rights rights)
{
    bool same = w->run_rights.read == rights.read && w->run_rights.write == rights.write &&
                w->run_rights.exec == rights.exec;
    if (!same || w->run_gpa != gpa || w->run_hpa != hpa) {
        w->report->extents++;
    }
    w->run_gpa = gpa + size;
    w->run_hpa = hpa + size;
    w->run_rights = rights;
    w->report->pages_checked_4k += size / PAGE_SIZE;
}

// The page of a table must lie wholly in the hypervisor's memory, or a guest could rewrite it.
static bool table_sane(struct audit_walk *w, uint64_t gpa, uint64_t table)
{
    const struct audit_input *in = w->input;
    bool ours = false;
    for (unsigned i = 0; i < in->hypervisor_count; i++) {
        ours = ours || inside(table, PAGE_SIZE, in->hypervisor[i].base, in->hypervisor[i].size);
    }
    if ((table & PAGE_MASK) != 0 || !ours || !heap_contains(hpa(table))) {
        audit_found(w, AUDIT_TABLE, gpa, table, PAGE_SIZE, "not in the hypervisor's heap");
        return false;
    }
    if (w->table_budget == 0) {
        audit_found(w, AUDIT_TABLE, gpa, table, PAGE_SIZE, "too many tables: a loop?");
        w->stop = true;
        return false;
    }
    w->table_budget--;
    return true;
}

static void walk_table(struct audit_walk *w, uint64_t table, unsigned level, uint64_t gpa,
                       struct audit_rights above)
{
    if (!table_sane(w, gpa, table)) {
        return;
    }
    w->report->tables++;
    const uint64_t *entries = heap_ptr(hpa(table));
    uint64_t span = PAGE_SIZE << (9 * (level - 1));
    for (unsigned i = 0; i < ENTRIES && !w->stop; i++, gpa += span) {
        struct audit_entry e =
            audit_decode(audit_subject_of(w)->format, level, entries[i], w->input->phys_bits);
        if (e.kind == AUDIT_ENTRY_ABSENT) {
            continue;
        }
        if (e.fault) {
            audit_found(w, AUDIT_RESERVED, gpa, e.address, span, e.fault);
            continue;
        }
        struct audit_rights rights = {above.read && e.read, above.write && e.write,
                                      above.exec && e.exec};
        if (e.kind == AUDIT_ENTRY_TABLE) {
            walk_table(w, e.address, level - 1, gpa, rights);
        } else {
            count_page(w, gpa, e.address, span, rights);
            check_page(w, gpa, e.address, span, rights);
        }
    }
}

static void walk_subject(const struct audit_input *input, struct audit_report *report,
                         unsigned subject, const struct audit_subject *dma)
{
    struct audit_walk w = {.input = input, .report = report, .subject = subject, .dma = dma};
    w.run_gpa = UINT64_MAX;
    const struct audit_subject *s = audit_subject_of(&w);
    uint64_t budget = SPARE_TABLES;
    for (unsigned i = 0; i < s->ram->count; i++) {
        budget += s->ram->region[i].size / MIB(2) + 2ull * s->levels;
    }
    for (unsigned i = 0; i < input->device_count; i++) {
        budget += input->devices[i].size / MIB(2) + 2ull * s->levels;
    }
    w.table_budget = (unsigned)min_u64(budget, UINT32_MAX);
    walk_table(&w, s->root.v, s->levels, 0, (struct audit_rights){true, true, true});
    if (!w.stop) {
        advance(&w, UINT64_MAX);
    }
}

bool audit_run(const struct audit_input *input, struct audit_report *report)
{
    *report = (struct audit_report){0};
    struct audit_walk lists = {.input = input, .report = report};
    if (!audit_check_lists(&lists)) {
        return false;
    }
    for (unsigned i = 0; i < input->subject_count; i++) {
        walk_subject(input, report, i, NULL);
    }
    return report->violations == 0;
}

void audit_tree(const struct audit_input *input, const struct audit_subject *tree, unsigned subject,
                struct audit_report *report)
{
    walk_subject(input, report, subject, tree);
}
