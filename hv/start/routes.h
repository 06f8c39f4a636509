// SPDX-License-Identifier: Apache-2.0
// Where the machine's interrupts go before the guests start.
#ifndef HV_START_ROUTES_H
#define HV_START_ROUTES_H

#include "arch/lib/status.h"

// Masks every interrupt source, finds the timers, and routes the console's interrupt and the
// IOMMUs' to one CPU as NMI. Boot CPU, after CPUs and devices have their owners. Prints errors.
enum status routes_start(void);

#endif
