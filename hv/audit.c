// SPDX-License-Identifier: Apache-2.0
// The isolation audit. First the lists that say what is whose are checked against each other; then
// every tree is walked in the order of guest-physical addresses, and each page in it must be the
// partition's own RAM at exactly its address, or a device page that it may have. As the RAM of all
// partitions, the devices and the hypervisor's memory are apart, so is what is reachable.
#include "hv/audit.h"

#include "arch/heap.h"
#include "drivers/format.h"
#include "hv/audit_entry.h"

#define ENTRIES        512
#define GIVE_UP        1000 // violations in one tree after which its walk ends
#define SPARE_TABLES   1024 // more tables than the memory needs, before it must be a loop
#define NAME_WIDTH     24
#define DETAIL_WIDTH   48
#define LIST_VIOLATION (~0u) // as subject: none in particular

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
};

struct rights {
    bool read, write, exec;
};

struct walk {
    const struct audit_input *input;
    struct audit_report *report;
    unsigned subject;
    const char *detail;    // of the last violation
    unsigned table_budget; // tables that may still be read
    unsigned violations;   // of this tree
    bool stop;
    unsigned region;  // the first RAM region that ends above where the walk is
    uint64_t covered; // RAM below is seen, or reported
    uint64_t run_gpa; // where the last page ended: contiguous pages count as one extent
    uint64_t run_hpa;
    struct rights run_rights;
};

static const struct audit_subject *subject_of(const struct walk *w)
{
    return &w->input->subjects[w->subject];
}

static void write_text(const struct walk *w, struct audit_violation *v)
{
    const char *name =
        v->subject < w->input->subject_count ? w->input->subjects[v->subject].name : "audit";
    format(v->text, sizeof(v->text), "%.*s %s (%.*s): gpa 0x%lx, hpa 0x%lx, 0x%lx bytes",
           NAME_WIDTH, name, kind_text[v->kind], DETAIL_WIDTH, w->detail, v->gpa, v->hpa, v->size);
}

// What goes on from the last violation in the same way is one with it.
static bool continues(const struct walk *w, const struct audit_violation *v, enum audit_kind kind,
                      uint64_t gpa, uint64_t hpa, const char *detail)
{
    return w->violations > 0 && v->subject == w->subject && v->kind == kind &&
           detail == w->detail && v->gpa + v->size == gpa && v->hpa + v->size == hpa;
}

// `detail` is compared by address only when violations are merged.
static void violation(struct walk *w, enum audit_kind kind, uint64_t gpa, uint64_t hpa,
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

// Neither range wraps.
static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a_size != 0 && b_size != 0 && a < b + b_size && b < a + a_size;
}

static bool inside(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a >= b && a - b < b_size && a_size <= b_size - (a - b);
}

static bool hypervisors(const struct audit_input *in, uint64_t hpa, uint64_t size)
{
    for (unsigned i = 0; i < in->hypervisor_count; i++) {
        if (overlap(hpa, size, in->hypervisor[i].base, in->hypervisor[i].size)) {
            return true;
        }
    }
    return false;
}

static const struct guest_ram_region *ram_touched(const struct guest_ram *ram, uint64_t hpa,
                                                  uint64_t size)
{
    for (unsigned i = 0; i < ram->count; i++) {
        if (overlap(hpa, size, ram->region[i].hpa, ram->region[i].size)) {
            return &ram->region[i];
        }
    }
    return NULL;
}

// ---- the lists ----------------------------------------------------------------------------------

static bool range_sane(const struct audit_input *in, uint64_t base, uint64_t size, uint64_t grain)
{
    uint64_t limit = BIT(in->phys_bits);
    return ((base | size) & (grain - 1)) == 0 && size != 0 && base < limit && size <= limit - base;
}

static void check_ranges(struct walk *w)
{
    const struct audit_input *in = w->input;
    for (unsigned i = 0; i < in->hypervisor_count; i++) {
        const struct audit_range *r = &in->hypervisor[i];
        if (!range_sane(in, r->base, r->size, 1)) {
            violation(w, AUDIT_BAD_INPUT, 0, r->base, r->size, "range of the hypervisor");
        }
    }
    for (unsigned i = 0; i < in->device_count; i++) {
        const struct audit_device *d = &in->devices[i];
        if (!range_sane(in, d->hpa, d->size, PAGE_SIZE)) {
            violation(w, AUDIT_BAD_INPUT, 0, d->hpa, d->size, "range of a device");
        } else if (d->write_allowed && d->owner == AUDIT_ANYONE) {
            violation(w, AUDIT_BAD_INPUT, 0, d->hpa, d->size, "device that everyone may write");
        }
    }
}

static void check_ram(struct walk *w)
{
    const struct audit_subject *s = subject_of(w);
    uint64_t end = 0;
    if (s->ram->count > GUEST_RAM_REGIONS) {
        violation(w, AUDIT_BAD_INPUT, 0, 0, 0, "number of RAM regions");
        return;
    }
    for (unsigned i = 0; i < s->ram->count; i++) {
        const struct guest_ram_region *r = &s->ram->region[i];
        bool sane = range_sane(w->input, r->hpa, r->size, PAGE_SIZE) && (r->gpa & PAGE_MASK) == 0 &&
                    r->gpa < BIT(52) && r->gpa >= end;
        if (!sane) {
            violation(w, AUDIT_BAD_INPUT, r->gpa, r->hpa, r->size, "RAM region");
            return;
        }
        end = r->gpa + r->size;
    }
}

// Host memory of one subject's RAM: apart from the hypervisor, the devices, and itself.
static void check_ram_alone(struct walk *w)
{
    const struct audit_input *in = w->input;
    const struct guest_ram *ram = subject_of(w)->ram;
    for (unsigned i = 0; i < ram->count; i++) {
        const struct guest_ram_region *r = &ram->region[i];
        if (hypervisors(in, r->hpa, r->size)) {
            violation(w, AUDIT_HYPERVISOR, r->gpa, r->hpa, r->size, "given to it as RAM");
        }
        for (unsigned d = 0; d < in->device_count; d++) {
            if (overlap(r->hpa, r->size, in->devices[d].hpa, in->devices[d].size)) {
                violation(w, AUDIT_BAD_INPUT, r->gpa, r->hpa, r->size, in->devices[d].why);
            }
        }
        for (unsigned j = 0; j < i; j++) {
            if (overlap(r->hpa, r->size, ram->region[j].hpa, ram->region[j].size)) {
                violation(w, AUDIT_BAD_INPUT, r->gpa, r->hpa, r->size, "RAM given twice");
            }
        }
    }
}

static void check_apart(struct walk *w)
{
    const struct audit_input *in = w->input;
    const struct audit_subject *a = subject_of(w);
    for (unsigned o = 0; o < w->subject; o++) {
        const struct audit_subject *b = &in->subjects[o];
        for (unsigned i = 0; b->owner != a->owner && i < a->ram->count; i++) {
            const struct guest_ram_region *r = &a->ram->region[i];
            if (ram_touched(b->ram, r->hpa, r->size)) {
                violation(w, AUDIT_OTHER_PARTITION, r->gpa, r->hpa, r->size, b->name);
            }
        }
    }
}

static void check_devices_apart(struct walk *w)
{
    const struct audit_input *in = w->input;
    for (unsigned i = 0; i < in->device_count; i++) {
        const struct audit_device *a = &in->devices[i];
        if (hypervisors(in, a->hpa, a->size)) {
            violation(w, AUDIT_HYPERVISOR, 0, a->hpa, a->size, a->why);
        }
        for (unsigned j = 0; j < i; j++) {
            const struct audit_device *b = &in->devices[j];
            if (a->owner != b->owner && overlap(a->hpa, a->size, b->hpa, b->size)) {
                violation(w, AUDIT_OTHER_PARTITION, 0, a->hpa, a->size, a->why);
            }
        }
    }
}

// True if all that the walks rely on holds.
static bool check_lists(struct walk *w)
{
    const struct audit_input *in = w->input;
    w->subject = LIST_VIOLATION;
    if (in->phys_bits < 32 || in->phys_bits > 52) {
        violation(w, AUDIT_BAD_INPUT, 0, 0, in->phys_bits, "physical address bits");
        return false;
    }
    check_ranges(w);
    for (w->subject = 0; w->subject < in->subject_count; w->subject++) {
        check_ram(w);
        if (!audit_levels_valid(subject_of(w)->format, subject_of(w)->levels)) {
            violation(w, AUDIT_BAD_INPUT, 0, 0, 0, "number of levels");
        }
    }
    if (w->report->violations > 0) {
        return false; // no arithmetic with ranges that make no sense
    }
    w->subject = LIST_VIOLATION;
    check_devices_apart(w);
    for (w->subject = 0; w->subject < in->subject_count; w->subject++) {
        check_ram_alone(w);
        check_apart(w);
    }
    return w->report->violations == 0;
}

// ---- the trees ----------------------------------------------------------------------------------

// Reports RAM up to `gpa` that no page has shown.
static void advance(struct walk *w, uint64_t gpa)
{
    const struct guest_ram *ram = subject_of(w)->ram;
    while (w->region < ram->count) {
        const struct guest_ram_region *r = &ram->region[w->region];
        uint64_t from = max_u64(w->covered, r->gpa);
        uint64_t to = min_u64(gpa, r->gpa + r->size);
        if (from < to) {
            violation(w, AUDIT_MISSING, from, r->hpa + (from - r->gpa), to - from, "absent");
        }
        if (gpa < r->gpa + r->size) {
            break;
        }
        w->region++;
    }
    w->covered = max_u64(w->covered, gpa);
}

// A page that is neither the subject's RAM at this address nor a device page of its own: says what
// it is, the worst first.
static void name_stray(struct walk *w, uint64_t gpa, uint64_t hpa, uint64_t size)
{
    const struct audit_input *in = w->input;
    const struct audit_subject *s = subject_of(w);
    if (hypervisors(in, hpa, size)) {
        violation(w, AUDIT_HYPERVISOR, gpa, hpa, size, "mapped");
        return;
    }
    for (unsigned i = 0; i < in->subject_count; i++) {
        const struct audit_subject *other = &in->subjects[i];
        if (other->owner != s->owner && ram_touched(other->ram, hpa, size)) {
            violation(w, AUDIT_OTHER_PARTITION, gpa, hpa, size, other->name);
            return;
        }
    }
    for (unsigned i = 0; i < in->device_count; i++) {
        const struct audit_device *d = &in->devices[i];
        if (d->owner != s->owner && d->owner != AUDIT_ANYONE &&
            overlap(hpa, size, d->hpa, d->size)) {
            violation(w, AUDIT_OTHER_PARTITION, gpa, hpa, size, d->why);
            return;
        }
    }
    bool own = ram_touched(s->ram, hpa, size) != NULL;
    violation(w, AUDIT_STRAY, gpa, hpa, size,
              own ? "its own RAM at another address" : "nobody's memory");
}

static const struct audit_device *device_at(const struct walk *w, uint64_t hpa)
{
    for (unsigned i = 0; i < w->input->device_count; i++) {
        const struct audit_device *d = &w->input->devices[i];
        bool allowed = d->owner == AUDIT_ANYONE || d->owner == subject_of(w)->owner;
        if (allowed && hpa >= d->hpa && hpa - d->hpa < d->size) {
            return d;
        }
    }
    return NULL;
}

// Part of a page outside the subject's RAM. Returns how much of it is dealt with.
static uint64_t check_outside(struct walk *w, uint64_t gpa, uint64_t hpa, uint64_t size,
                              struct rights rights)
{
    const struct audit_device *d = device_at(w, hpa);
    if (!d) {
        name_stray(w, gpa, hpa, size);
        return size;
    }
    uint64_t part = min_u64(size, d->hpa + d->size - hpa);
    if (rights.write && !d->write_allowed) {
        violation(w, AUDIT_DEVICE_WRITE, gpa, hpa, part, d->why);
    }
    return part;
}

static void check_page(struct walk *w, uint64_t gpa, uint64_t hpa, uint64_t size,
                       struct rights rights)
{
    const struct audit_subject *s = subject_of(w);
    bool cpu = s->format == AUDIT_NPT || s->format == AUDIT_EPT;
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
                violation(w, AUDIT_ACCESS, gpa, hpa, part, "read, write or execute");
            }
        }
        gpa += part;
        hpa += part;
        size -= part;
        w->covered = max_u64(w->covered, gpa);
    }
}

static void count_page(struct walk *w, uint64_t gpa, uint64_t hpa, uint64_t size,
                       struct rights rights)
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

// A table's page must be the hypervisor's whole, or a guest could rewrite it.
static bool table_sane(struct walk *w, uint64_t gpa, uint64_t table)
{
    const struct audit_input *in = w->input;
    bool ours = false;
    for (unsigned i = 0; i < in->hypervisor_count; i++) {
        ours = ours || inside(table, PAGE_SIZE, in->hypervisor[i].base, in->hypervisor[i].size);
    }
    if ((table & PAGE_MASK) != 0 || !ours || !heap_contains(hpa(table))) {
        violation(w, AUDIT_TABLE, gpa, table, PAGE_SIZE, "not in the hypervisor's heap");
        return false;
    }
    if (w->table_budget == 0) {
        violation(w, AUDIT_TABLE, gpa, table, PAGE_SIZE, "too many tables: a loop?");
        w->stop = true;
        return false;
    }
    w->table_budget--;
    return true;
}

static void walk_table(struct walk *w, uint64_t table, unsigned level, uint64_t gpa,
                       struct rights above)
{
    if (!table_sane(w, gpa, table)) {
        return;
    }
    w->report->tables++;
    const uint64_t *entries = heap_ptr(hpa(table));
    uint64_t span = PAGE_SIZE << (9 * (level - 1));
    for (unsigned i = 0; i < ENTRIES && !w->stop; i++, gpa += span) {
        struct audit_entry e =
            audit_decode(subject_of(w)->format, level, entries[i], w->input->phys_bits);
        if (e.kind == AUDIT_ENTRY_ABSENT) {
            continue;
        }
        if (e.fault) {
            violation(w, AUDIT_RESERVED, gpa, e.address, span, e.fault);
            continue;
        }
        struct rights rights = {above.read && e.read, above.write && e.write, above.exec && e.exec};
        if (e.kind == AUDIT_ENTRY_TABLE) {
            walk_table(w, e.address, level - 1, gpa, rights);
        } else {
            count_page(w, gpa, e.address, span, rights);
            check_page(w, gpa, e.address, span, rights);
        }
    }
}

static void walk_subject(const struct audit_input *input, struct audit_report *report,
                         unsigned subject)
{
    const struct audit_subject *s = &input->subjects[subject];
    struct walk w = {.input = input, .report = report, .subject = subject, .run_gpa = UINT64_MAX};
    uint64_t budget = SPARE_TABLES;
    for (unsigned i = 0; i < s->ram->count; i++) {
        budget += s->ram->region[i].size / MIB(2) + 2ull * s->levels;
    }
    for (unsigned i = 0; i < input->device_count; i++) {
        budget += input->devices[i].size / MIB(2) + 2ull * s->levels;
    }
    w.table_budget = (unsigned)min_u64(budget, UINT32_MAX);
    walk_table(&w, s->root.v, s->levels, 0, (struct rights){true, true, true});
    if (!w.stop) {
        advance(&w, UINT64_MAX);
    }
}

bool audit_run(const struct audit_input *input, struct audit_report *report)
{
    *report = (struct audit_report){0};
    struct walk lists = {.input = input, .report = report};
    if (!check_lists(&lists)) {
        return false;
    }
    for (unsigned i = 0; i < input->subject_count; i++) {
        walk_subject(input, report, i);
    }
    return report->violations == 0;
}
