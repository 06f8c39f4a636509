// SPDX-License-Identifier: Apache-2.0
// The times at which the stages ended, read from the TSC. Relies on arch/cpu/tsc.c for the time of
// the entry.
#include "hv/start/stages.h"

#include "arch/cpu/tsc.h"
#include "arch/lib/format.h"
#include "arch/lib/types.h"
#include "drivers/console/console.h"
#include "hv/partition/partition.h"

static const char *const names[STAGE_COUNT] = {
    [STAGE_ENTRY] = "entry",           [STAGE_DISCOVERY] = "ACPI and PCI",
    [STAGE_MEMORY] = "memory",         [STAGE_CLOCKS] = "clocks",
    [STAGE_IOMMUS] = "IOMMUs",         [STAGE_CONFIG] = "configuration",
    [STAGE_HASHES] = "hashes",         [STAGE_DEVICES] = "devices",
    [STAGE_PARTITIONS] = "partitions", [STAGE_CPUS] = "CPUs",
    [STAGE_LOADING] = "loading",       [STAGE_AUDIT] = "audit",
};

static uint64_t ends[STAGE_COUNT]; // ticks since entry

void stage_ends(enum stage stage)
{
    ends[stage] = time_ticks();
}

static unsigned long thousands(uint64_t ticks)
{
    return (ticks + 500) / 1000;
}

// The partition that took longest for clearing and copying, all of which is inside the stage.
static const struct partition *longest(void)
{
    const struct partition *most = partitions[0];
    for (unsigned i = 1; i < partition_count; i++) {
        const struct partition *p = partitions[i];
        if (p->clear_ticks + p->loaded.copy_ticks > most->clear_ticks + most->loaded.copy_ticks) {
            most = p;
        }
    }
    return most;
}

void stages_print(void)
{
    const struct partition *p = longest();
    char list[320];
    size_t used = 0;
    for (unsigned i = 0; i < STAGE_COUNT && used < sizeof(list); i++) {
        used += format(list + used, sizeof(list) - used, "%s%s %lu", i > 0 ? ", " : "", names[i],
                       thousands(ends[i] - (i > 0 ? ends[i - 1] : 0)));
        if (i == STAGE_LOADING && used < sizeof(list)) {
            used += format(list + used, sizeof(list) - used, " (clearing %lu, copying %lu)",
                           thousands(p->clear_ticks), thousands(p->loaded.copy_ticks));
        }
    }
    uint64_t all = ends[STAGE_COUNT - 1];
    print("guests start %lu us after entry; thousands of TSC ticks: %lu, of these %s\n",
          ticks_us(all), thousands(all), list);
}
