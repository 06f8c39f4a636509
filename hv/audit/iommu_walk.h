// SPDX-License-Identifier: Apache-2.0
// What the IOMMU audits of both vendors share (hv/audit/iommu.c); for hv/audit/vtd.c and
// hv/audit/amdvi.c only.
#ifndef HV_AUDIT_IOMMU_WALK_H
#define HV_AUDIT_IOMMU_WALK_H

#include "hv/audit/iommu.h"

// As owner of a requester, beside the partitions.
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

// An entry that is looked at, for the report.
struct audit_place {
    uint16_t requester;
    int index;      // of an interrupt, or AUDIT_NO_INDEX
    uint64_t entry; // host-physical
};

// What a requester reaches through an IOMMU, as its entry says.
struct audit_reach {
    hpa_t root;
    unsigned levels;
    unsigned domain_id;
};

// An interrupt as an entry makes it.
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
// True when so much was found that the rest doesn't matter.
bool audit_iommu_enough(const struct audit_iommu_walk *w);

// Whether a table lies in the hypervisor's heap, each of its pages. Says so if not.
bool audit_iommu_table(struct audit_iommu_walk *w, uint64_t address, uint64_t size,
                       struct audit_place place);

// The domain that a requester of a partition is attached to. Walks each partition's tree once.
void audit_iommu_reach(struct audit_iommu_walk *w, unsigned owner, struct audit_reach reach,
                       struct audit_place place);
// An interrupt that a requester of this owner may send.
void audit_iommu_interrupt(struct audit_iommu_walk *w, unsigned owner, struct audit_interrupt i,
                           struct audit_place place);

void audit_vtd_unit(struct audit_iommu_walk *w);
void audit_amdvi_unit(struct audit_iommu_walk *w);

#endif
