// SPDX-License-Identifier: Apache-2.0
// What CPUs do for the console between its device and the partitions: whose input has come, whose
// output has room again, what the person at the keyboard asked for.
#ifndef HV_CONSOLE_SERVICE_H
#define HV_CONSOLE_SERVICE_H

#include <stdbool.h>

#include "drivers/console/console.h"

// What the console wakes other CPUs by (console_init()).
extern const struct console_wakers console_service_wakers;

// After an NMI on any CPU: serves the console, and what the IOMMUs have refused, if this is the
// console's CPU. True if it is: there an NMI that finds nothing is no guest's, because its cause
// may have been served with an earlier one.
bool console_service_nmi(void);

// In so many microseconds this CPU should call console_service_tick(); 0: not at all for now. A CPU
// of nobody's.
unsigned console_service_ticks(void);

// Continues what the console holds back for a time, if this is its CPU. A CPU of nobody's, whenever
// it has slept.
void console_service_tick(void);

// Kicks the partitions whose output has room again after a drain. Any CPU, no lock held.
void console_service_tell_unstalled(void);

#endif
