// SPDX-License-Identifier: Apache-2.0
// Counters and traces that the firmware, or a debugger, left on. Some write to memory that now has
// another owner; some would count a guest's work or interrupt it.
#ifndef ARCH_CPU_RECORDING_H
#define ARCH_CPU_RECORDING_H

// Turns them off on this CPU. The exception tables must be loaded.
void recording_stop(void);

#endif
