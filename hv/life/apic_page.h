// SPDX-License-Identifier: Apache-2.0
// The page of the local APICs in a partition's memory: each vCPU's own, wherever its IA32_APIC_BASE
// says. Where it is not trapped for reads it is the physical APIC's, read-only, for all vCPUs at
// once, because they share the second-level table. So once one of them has moved its page, reads
// are trapped for all until the partition starts again.
#ifndef HV_LIFE_APIC_PAGE_H
#define HV_LIFE_APIC_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/status.h"

struct partition;
struct vapic;
struct vcpu;

// Makes room for it in the second-level table, if the page may be read at all
// (p->apic_page_mapped). Boot CPU. ERR_NO_MEMORY.
enum status apic_page_create(struct partition *p);

// At each start of the partition, when no vCPU of it runs.
void apic_page_show(struct partition *p);

// A vCPU's page may have moved. The vCPU's own CPU.
void apic_page_moved(struct vcpu *v);

// For vapic_init() of a vCPU's APIC: whether the guest may move its page there.
bool apic_page_is_free(const struct vapic *a, uint64_t page);

#endif
