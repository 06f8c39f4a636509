// SPDX-License-Identifier: Apache-2.0
// What each stage of the start costs, from the loader's entry to the first guest instruction.
#ifndef HV_START_STAGES_H
#define HV_START_STAGES_H

#include <stdint.h>

// In their order. The partitions' first CPUs load at the same time.
enum stage {
    STAGE_ENTRY,      // boot tables, console, the loader's information
    STAGE_DISCOVERY,  // ACPI, PCI
    STAGE_MEMORY,     // memory map, heap, page tables, the CPUs' areas
    STAGE_CLOCKS,     // APIC, calibration, date
    STAGE_IOMMUS,     // IOMMUs found and described
    STAGE_CONFIG,     // configuration read and checked
    STAGE_HASHES,     // of the modules
    STAGE_DEVICES,    // devices assigned; IOMMUs turned on
    STAGE_PARTITIONS, // memory, tables, vCPUs
    STAGE_CPUS,       // the other CPUs started
    STAGE_LOADING,    // memory cleared, images copied
    STAGE_AUDIT,
    STAGE_COUNT
};

// Everything since the end of the previous stage was this stage. Boot CPU.
void stage_ends(enum stage stage);

// Prints a line with the cost of all stages, in thousands of TSC ticks; for loading, also the cost
// of clearing and copying. Boot CPU, after the last stage.
void stages_print(void);

#endif
