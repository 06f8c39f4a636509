// SPDX-License-Identifier: Apache-2.0
// The page of the local APICs in a partition's memory. Each vCPU has its own page, at the address
// in its IA32_APIC_BASE. If reads are not trapped, the page is the physical APIC's, read-only, for
// all vCPUs at once, because they share the second-level table. So when one vCPU moves its page,
// reads are trapped for all vCPUs until the partition starts again.
#ifndef HV_LIFE_APIC_PAGE_H
#define HV_LIFE_APIC_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/status.h"

struct partition;
struct vapic;
struct vcpu;

// Makes room for the page in the second-level table, if it may be read directly
// (p->apic_page_mapped). Boot CPU. ERR_NO_MEMORY.
enum status apic_page_create(struct partition *p);

// Maps the page. Call at each start of the partition, when none of its vCPUs runs.
void apic_page_show(struct partition *p);

// Call when a vCPU's page may have moved, on the vCPU's own CPU.
void apic_page_moved(struct vcpu *v);

// Whether the guest may move its APIC page there. A callback for vapic_init().
bool apic_page_is_free(const struct vapic *a, uint64_t page);

#endif
