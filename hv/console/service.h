// SPDX-License-Identifier: Apache-2.0
// What CPUs do for the console between its device and the partitions: input that has come, output
// that has room again, and requests from the keyboard.
#ifndef HV_CONSOLE_SERVICE_H
#define HV_CONSOLE_SERVICE_H

#include <stdbool.h>

#include "drivers/console/console.h"

// Functions by which the console wakes other CPUs (console_init()).
extern const struct console_wakers console_service_wakers;

// Call after an NMI on any CPU. On the console's CPU it serves the console and reports what the
// IOMMUs have refused, and returns true. On that CPU an NMI that finds nothing to do is not passed
// to a guest, because its cause may have been served with an earlier one.
bool console_service_nmi(void);

// Microseconds until this CPU should call console_service_tick(); 0 if not at all for now. Call on
// unowned CPUs.
unsigned console_service_ticks(void);

// Continues output that the console has held back, if this is the console's CPU. Call on an unowned
// CPU whenever it wakes.
void console_service_tick(void);

// Kicks the partitions whose output has room again after a drain. Any CPU, no lock held.
void console_service_tell_unstalled(void);

#endif
