// SPDX-License-Identifier: Apache-2.0
// How the proposed configuration divides the machine: one partition, or two with half the cores and
// half the memory each. Decides only.
#ifndef HV_START_INVENTORY_PLAN_H
#define HV_START_INVENTORY_PLAN_H

#include "arch/cpu/topology.h"
#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/memory/page_alloc.h"

#define INVENTORY_PARTITIONS 2

struct inventory_plan {
    unsigned partition_count; // 1 or 2
    unsigned cpu_count[INVENTORY_PARTITIONS];
    uint16_t cpus[INVENTORY_PARTITIONS][MAX_CPUS]; // indices of CPUs, ascending
    uint64_t memory;                               // bytes of each partition, a multiple of 2 MiB
};

// `cpus` are the places of the machine's `cpu_count` CPUs, 1 to MAX_CPUS. `free` is the memory that
// partitions could have now; it is unchanged afterwards. Threads of one core stay together. Some
// memory is left for the boot modules. ERR_NO_MEMORY: not even one partition fits.
enum status inventory_plan(const struct topology_place *cpus, unsigned cpu_count,
                           struct page_alloc *free, struct inventory_plan *out);

#endif
