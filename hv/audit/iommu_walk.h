// SPDX-License-Identifier: Apache-2.0
// What the IOMMU audits of both vendors share (hv/audit/iommu.c); for hv/audit/vtd.c and
// hv/audit/amdvi.c only.
#ifndef HV_AUDIT_IOMMU_WALK_H
#define HV_AUDIT_IOMMU_WALK_H

#include "hv/audit/iommu.h"

// Owners of a requester, in addition to the partitions.
#define AUDIT_NOBODY (~0u)
#define AUDIT_IOAPIC (~0u - 1)

#define AUDIT_NO_INDEX (-1)

struct audit_iommu_walk {
    const struct audit_iommu_input *input;
    struct audit_report *report;
    const struct audit_unit *unit;
    struct {
        hpa_t root;
        unsigned levels; // 0: none seen yet
    } tree[MAX_PARTITIONS];
};

// The entry under examination, for the report.
struct audit_place {
    uint16_t requester;
    int index;      // of an interrupt's entry, or AUDIT_NO_INDEX
    uint64_t entry; // host-physical
};

// What a requester reaches through an IOMMU, as its entry says.
struct audit_reach {
    hpa_t root;
    unsigned levels;
    unsigned domain_id;
};

// An interrupt as its entry describes it.
struct audit_interrupt {
    bool fixed; // delivery mode
    bool nmi;   // delivery mode
    bool logical;
    bool level;
    uint32_t destination;
    unsigned vector;
};

// The partition's index, AUDIT_NOBODY or AUDIT_IOAPIC.
unsigned audit_owner(const struct audit_iommu_walk *w, uint16_t requester);

void audit_iommu_bad(struct audit_iommu_walk *w, enum audit_kind kind, struct audit_place place,
                     const char *detail);
// True when there are so many violations that the walk can end.
bool audit_iommu_enough(const struct audit_iommu_walk *w);

// Whether each page of a table lies in the hypervisor's heap. Reports a violation if not.
bool audit_iommu_table(struct audit_iommu_walk *w, uint64_t address, uint64_t size,
                       struct audit_place place);

// Checks the domain that a partition's requester is attached to. Walks each partition's tree once.
void audit_iommu_reach(struct audit_iommu_walk *w, unsigned owner, struct audit_reach reach,
                       struct audit_place place);
// Checks an interrupt that a requester of this owner may send.
void audit_iommu_interrupt(struct audit_iommu_walk *w, unsigned owner, struct audit_interrupt i,
                           struct audit_place place);

void audit_vtd_unit(struct audit_iommu_walk *w);
void audit_amdvi_unit(struct audit_iommu_walk *w);

#endif
