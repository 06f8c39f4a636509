// SPDX-License-Identifier: Apache-2.0
// Divides the machine (hv/start/inventory_plan.h).
#include "hv/start/inventory_plan.h"

#include "hv/memory/guest_layout.h"
#include "partitions/blob.h"

// Kernels and initial RAM disks need memory outside the partitions, each once. An eighth of the
// memory is for them, within these bounds and at most half.
#define MODULES_MIN MIB(64)
#define MODULES_MAX GIB(1)

// Two partitions with less are too small for a distribution's Linux; then one gets everything.
#define HALF_MIN MIB(128)

#define STEP MIB(2) // large pages

// ---- CPUs ----------------------------------------------------------------------------------

static bool same_core(struct topology_place a, struct topology_place b)
{
    return a.package == b.package && a.core == b.core;
}

// The first CPU of the list that is on the same core as this one.
static unsigned first_of_core(const struct topology_place *cpus, unsigned cpu)
{
    unsigned first = 0;
    while (!same_core(cpus[first], cpus[cpu])) {
        first++;
    }
    return first;
}

static unsigned count_cores(const struct topology_place *cpus, unsigned count)
{
    unsigned cores = 0;
    for (unsigned i = 0; i < count; i++) {
        cores += first_of_core(cpus, i) == i ? 1 : 0;
    }
    return cores;
}

// Cores are numbered by the order of their first threads.
static void share_cpus(const struct topology_place *cpus, unsigned count,
                       struct inventory_plan *out)
{
    unsigned cores = count_cores(cpus, count);
    unsigned half = out->partition_count == 1 ? cores : (cores + 1) / 2;
    for (unsigned i = 0; i < count; i++) {
        unsigned core = count_cores(cpus, first_of_core(cpus, i));
        unsigned p = core < half ? 0 : 1;
        out->cpus[p][out->cpu_count[p]++] = (uint16_t)i;
    }
}

// ---- memory --------------------------------------------------------------------------------

// Fragmented memory may hold less than its sum, so this tries to allocate it.
static bool fits(struct page_alloc *free, unsigned count, uint64_t memory)
{
    struct guest_ram ram[INVENTORY_PARTITIONS];
    enum status s = STATUS_OK;
    unsigned done = 0;
    while (s == STATUS_OK && done < count) {
        s = guest_ram_allocate(&ram[done], free, memory);
        done += s == STATUS_OK ? 1 : 0;
    }
    while (done > 0) {
        (void)guest_ram_free(&ram[--done], free); // can't fail: it was taken just before
    }
    return s == STATUS_OK;
}

static uint64_t for_partitions(const struct page_alloc *free)
{
    uint64_t total = page_alloc_total(free);
    uint64_t modules = min_u64(max_u64(total / 8, MODULES_MIN), MODULES_MAX);
    return total - min_u64(modules, total / 2);
}

enum status inventory_plan(const struct topology_place *cpus, unsigned cpu_count,
                           struct page_alloc *free, struct inventory_plan *out)
{
    uint64_t memory = for_partitions(free);
    *out = (struct inventory_plan){.partition_count = 1};
    if (count_cores(cpus, cpu_count) > 1 && memory / 2 >= HALF_MIN) {
        out->partition_count = 2;
    }
    memory = align_down(min_u64(memory / out->partition_count, BLOB_MAX_MEMORY), STEP);
    while (memory >= BLOB_MIN_MEMORY && !fits(free, out->partition_count, memory)) {
        memory = align_down(memory - memory / 8, STEP);
    }
    out->memory = memory;
    share_cpus(cpus, cpu_count, out);
    return memory >= BLOB_MIN_MEMORY ? STATUS_OK : ERR_NO_MEMORY;
}
