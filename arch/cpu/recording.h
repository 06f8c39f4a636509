// SPDX-License-Identifier: Apache-2.0
// Counters and traces that firmware, or a debugger before us, has left on. Some write to memory,
// which is somebody else's by now, and some would count a guest's work or interrupt it.
#ifndef ARCH_CPU_RECORDING_H
#define ARCH_CPU_RECORDING_H

// Turns them off on this CPU. The exception tables must be loaded.
void recording_stop(void);

#endif
