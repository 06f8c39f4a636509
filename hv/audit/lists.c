// SPDX-License-Identifier: Apache-2.0
// The isolation audit's check of its own input. The RAM of all partitions, the devices, the
// hypervisor's memory and the forbidden ranges must be valid and must not overlap.
#include "hv/audit/entry.h"
#include "hv/audit/walk.h"

static bool range_sane(const struct audit_input *in, uint64_t base, uint64_t size, uint64_t grain)
{
    uint64_t limit = BIT(in->phys_bits);
    return ((base | size) & (grain - 1)) == 0 && size != 0 && base < limit && size <= limit - base;
}

static void check_ranges(struct audit_walk *w)
{
    const struct audit_input *in = w->input;
    for (unsigned i = 0; i < in->hypervisor_count; i++) {
        const struct audit_range *r = &in->hypervisor[i];
        if (!range_sane(in, r->base, r->size, 1)) {
            audit_found(w, AUDIT_BAD_INPUT, 0, r->base, r->size, "range of the hypervisor");
        }
    }
    for (unsigned i = 0; i < in->forbidden_count; i++) {
        const struct audit_forbidden *f = &in->forbidden[i];
        if (!range_sane(in, f->base, f->size, 1)) {
            audit_found(w, AUDIT_BAD_INPUT, 0, f->base, f->size, "range of forbidden registers");
        }
    }
    for (unsigned i = 0; i < in->device_count; i++) {
        const struct audit_device *d = &in->devices[i];
        if (!range_sane(in, d->hpa, d->size, PAGE_SIZE)) {
            audit_found(w, AUDIT_BAD_INPUT, 0, d->hpa, d->size, "range of a device");
        } else if (d->write_allowed && d->owner == AUDIT_ANYONE) {
            audit_found(w, AUDIT_BAD_INPUT, 0, d->hpa, d->size, "device that everyone may write");
        }
    }
}

static void check_ram(struct audit_walk *w)
{
    const struct audit_subject *s = audit_subject_of(w);
    uint64_t end = 0;
    if (s->ram->count > GUEST_RAM_REGIONS) {
        audit_found(w, AUDIT_BAD_INPUT, 0, 0, 0, "number of RAM regions");
        return;
    }
    for (unsigned i = 0; i < s->ram->count; i++) {
        const struct guest_ram_region *r = &s->ram->region[i];
        bool sane = range_sane(w->input, r->hpa, r->size, PAGE_SIZE) && (r->gpa & PAGE_MASK) == 0 &&
                    r->gpa < BIT(52) && r->gpa >= end;
        if (!sane) {
            audit_found(w, AUDIT_BAD_INPUT, r->gpa, r->hpa, r->size, "RAM region");
            return;
        }
        end = r->gpa + r->size;
    }
}

// One subject's RAM in host memory must not overlap the hypervisor, the devices, or itself.
static void check_ram_alone(struct audit_walk *w)
{
    const struct audit_input *in = w->input;
    const struct guest_ram *ram = audit_subject_of(w)->ram;
    for (unsigned i = 0; i < ram->count; i++) {
        const struct guest_ram_region *r = &ram->region[i];
        if (audit_hypervisors(in, r->hpa, r->size)) {
            audit_found(w, AUDIT_HYPERVISOR, r->gpa, r->hpa, r->size, "given to it as RAM");
        }
        const struct audit_forbidden *f = audit_forbidden_at(in, r->hpa, r->size);
        if (f) {
            audit_found(w, AUDIT_FORBIDDEN, r->gpa, r->hpa, r->size, f->why);
        }
        for (unsigned d = 0; d < in->device_count; d++) {
            if (audit_overlap(r->hpa, r->size, in->devices[d].hpa, in->devices[d].size)) {
                audit_found(w, AUDIT_BAD_INPUT, r->gpa, r->hpa, r->size, in->devices[d].why);
            }
        }
        for (unsigned j = 0; j < i; j++) {
            if (audit_overlap(r->hpa, r->size, ram->region[j].hpa, ram->region[j].size)) {
                audit_found(w, AUDIT_BAD_INPUT, r->gpa, r->hpa, r->size, "RAM given twice");
            }
        }
    }
}

static void check_apart(struct audit_walk *w)
{
    const struct audit_input *in = w->input;
    const struct audit_subject *a = audit_subject_of(w);
    for (unsigned o = 0; o < w->subject; o++) {
        const struct audit_subject *b = &in->subjects[o];
        for (unsigned i = 0; b->owner != a->owner && i < a->ram->count; i++) {
            const struct guest_ram_region *r = &a->ram->region[i];
            if (audit_ram_touched(b->ram, r->hpa, r->size)) {
                audit_found(w, AUDIT_OTHER_PARTITION, r->gpa, r->hpa, r->size, b->name);
            }
        }
    }
}

static void check_devices_apart(struct audit_walk *w)
{
    const struct audit_input *in = w->input;
    for (unsigned i = 0; i < in->device_count; i++) {
        const struct audit_device *a = &in->devices[i];
        if (audit_hypervisors(in, a->hpa, a->size)) {
            audit_found(w, AUDIT_HYPERVISOR, 0, a->hpa, a->size, a->why);
        }
        // a page that all may read and none may write, like the local APIC's, does no harm
        const struct audit_forbidden *f = audit_forbidden_at(in, a->hpa, a->size);
        if (f && (a->write_allowed || a->owner != AUDIT_ANYONE)) {
            audit_found(w, AUDIT_FORBIDDEN, 0, a->hpa, a->size, f->why);
        }
        for (unsigned j = 0; j < i; j++) {
            const struct audit_device *b = &in->devices[j];
            if (a->owner != b->owner && audit_overlap(a->hpa, a->size, b->hpa, b->size)) {
                audit_found(w, AUDIT_OTHER_PARTITION, 0, a->hpa, a->size, a->why);
            }
        }
    }
}

bool audit_check_lists(struct audit_walk *w)
{
    const struct audit_input *in = w->input;
    w->subject = AUDIT_NO_SUBJECT;
    if (in->phys_bits < 32 || in->phys_bits > 52) {
        audit_found(w, AUDIT_BAD_INPUT, 0, 0, in->phys_bits, "physical address bits");
        return false;
    }
    check_ranges(w);
    for (w->subject = 0; w->subject < in->subject_count; w->subject++) {
        check_ram(w);
        if (!audit_levels_valid(audit_subject_of(w)->format, audit_subject_of(w)->levels)) {
            audit_found(w, AUDIT_BAD_INPUT, 0, 0, 0, "number of levels");
        }
    }
    if (w->report->violations > 0) {
        return false; // invalid ranges: arithmetic with them would be wrong
    }
    w->subject = AUDIT_NO_SUBJECT;
    check_devices_apart(w);
    for (w->subject = 0; w->subject < in->subject_count; w->subject++) {
        check_ram_alone(w);
        check_apart(w);
    }
    return w->report->violations == 0;
}
