// SPDX-License-Identifier: Apache-2.0
// The physical real-time clock, read once at boot. After that, time comes from the TSC.
#ifndef DRIVERS_CLOCK_RTC_H
#define DRIVERS_CLOCK_RTC_H

#include <stdint.h>

// Seconds since 1970, taking the clock's time as UTC. `century_register` is from ACPI, 0 if there
// is none. Boot CPU.
uint64_t rtc_read(uint8_t century_register);

#endif
