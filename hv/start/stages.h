// SPDX-License-Identifier: Apache-2.0
// What the start costs, stage by stage, from the loader's entry to the first guest instruction.
#ifndef HV_START_STAGES_H
#define HV_START_STAGES_H

#include <stdint.h>

// In the order in which they come. Loading is the partitions' first CPUs' at the same time.
enum stage {
    STAGE_ENTRY,      // boot tables, console, the loader's information
    STAGE_DISCOVERY,  // ACPI, PCI
    STAGE_MEMORY,     // memory map, heap, page tables, the CPUs' areas
    STAGE_CLOCKS,     // APIC, calibration, date
    STAGE_IOMMUS,     // found and understood
    STAGE_CONFIG,     // read and checked
    STAGE_HASHES,     // of modules
    STAGE_DEVICES,    // given away; IOMMUs turned on
    STAGE_PARTITIONS, // memory, tables, vCPUs
    STAGE_CPUS,       // the others started
    STAGE_LOADING,    // memory cleared, images copied
    STAGE_AUDIT,
    STAGE_COUNT
};

// What has run since the end of the stage before was this stage. Boot CPU.
void stage_ends(enum stage stage);

// A line with what all of them cost, in thousands of ticks of the TSC; of loading, clearing and
// copying apart. Boot CPU, after the last.
void stages_print(void);

#endif
