// SPDX-License-Identifier: Apache-2.0
// What the parts of the isolation audit share: state and report (hv/audit/audit.c), and the check
// of the lists (hv/audit/lists.c). For these two only.
#ifndef HV_AUDIT_WALK_H
#define HV_AUDIT_WALK_H

#include "hv/audit/audit.h"

struct audit_rights {
    bool read, write, exec;
};

struct audit_walk {
    const struct audit_input *input;
    struct audit_report *report;
    unsigned subject;
    const struct audit_subject *dma; // if not NULL, the tree of its devices is walked, not its own
    const char *detail;              // of the last violation
    unsigned table_budget;           // tables that may still be read
    unsigned violations;             // of this tree
    bool stop;
    unsigned region;  // the first RAM region that ends above the walk's position
    uint64_t covered; // RAM below this address was seen or reported
    uint64_t run_gpa; // where the last page ended: contiguous pages count as one extent
    uint64_t run_hpa;
    struct audit_rights run_rights;
};

const struct audit_subject *audit_subject_of(const struct audit_walk *w);

// Adds a violation. Two violations merge only if `detail` is the same pointer.
void audit_found(struct audit_walk *w, enum audit_kind kind, uint64_t gpa, uint64_t hpa,
                 uint64_t size, const char *detail);

// Whether two ranges overlap. Neither may wrap.
static inline bool audit_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a_size != 0 && b_size != 0 && a < b + b_size && b < a + a_size;
}

// What a range of host memory overlaps.
bool audit_hypervisors(const struct audit_input *in, uint64_t hpa, uint64_t size);
const struct audit_forbidden *audit_forbidden_at(const struct audit_input *in, uint64_t hpa,
                                                 uint64_t size);
const struct guest_ram_region *audit_ram_touched(const struct guest_ram *ram, uint64_t hpa,
                                                 uint64_t size);

// Checks the lists against each other. True if all that the walks rely on holds.
bool audit_check_lists(struct audit_walk *w);

#endif
