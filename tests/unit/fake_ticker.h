// SPDX-License-Identifier: Apache-2.0
// Time and the ticker's wake-up for tests of the console. Time stands still unless a test moves it.
// Safe to use from several threads.
#ifndef TESTS_UNIT_FAKE_TICKER_H
#define TESTS_UNIT_FAKE_TICKER_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/console.h"

// Time starts over at `now`, and no wake-up has come.
void fake_ticker_reset(uint64_t now);

// Moves time by `us`, may be negative, and returns what it is now.
uint64_t fake_time_pass(int64_t us);

// Bit n: the console has woken source n since the last call.
uint32_t fake_woken_sources(void);

// The number of the CPU that calls, whichever thread does; 0 at first.
void fake_cpu_set(unsigned number);

// Wake-ups since the last call.
unsigned fake_ticker_wakes(void);

// The wakers of the console, which count.
extern const struct console_wakers fake_wakers;

#endif
