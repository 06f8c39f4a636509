// SPDX-License-Identifier: Apache-2.0
// The registers of the machine-check architecture (SDM vol. 3, 16.3; AMD APM vol. 2, 9.3).
#ifndef ARCH_CPU_MCA_H
#define ARCH_CPU_MCA_H

#include <stdbool.h>
#include <stdint.h>

#define MC_MAX_BANKS 32

struct mc_bank {
    uint64_t status; // MCi_STATUS
    uint64_t address;
};

// The contents of a CPU's banks after a machine check.
struct machine_check {
    uint64_t global; // MCG_STATUS
    unsigned bank_count;
    struct mc_bank bank[MC_MAX_BANKS];
    bool physical; // the addresses are system-physical (AMD's scalable MCA also has other kinds)
};

// Clears what the firmware left in this CPU's banks and enables the reporting of all errors. The
// exception tables must be loaded.
void mca_cpu_init(void);

// Whether this CPU has a machine check that has not been collected yet.
bool mca_in_progress(void);

// Copies what this CPU's banks hold and clears them. Until then another machine check would shut
// the CPU down.
void mca_collect(struct machine_check *out);

#endif
