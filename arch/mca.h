// SPDX-License-Identifier: Apache-2.0
// The registers of the machine-check architecture (SDM vol. 3, 16.3; AMD APM vol. 2, 9.3).
#ifndef ARCH_MCA_H
#define ARCH_MCA_H

#include "hv/machine_check.h"

// Clears what the firmware left in this CPU's banks and lets all errors be reported. The exception
// tables must be loaded.
void mca_cpu_init(void);

// Whether this CPU has had a machine check that is not collected yet.
bool mca_in_progress(void);

// Takes what this CPU's banks hold, and clears them: until then another machine check would shut
// the CPU down.
void mca_collect(struct machine_check *out);

#endif
