// SPDX-License-Identifier: Apache-2.0
// Time from the time-stamp counter. Its frequency is measured once at boot against the PM timer, or
// the PIT if there is no PM timer. Usable on any CPU in any state after tsc_calibrate().
#ifndef ARCH_CPU_TSC_H
#define ARCH_CPU_TSC_H

#include <stdbool.h>
#include <stdint.h>

// Sets the start of time to `entered`, the TSC at the hypervisor's entry. Boot CPU, before any
// other function here.
void time_begin(uint64_t entered);

// Measures the TSC's frequency. `pm_timer_port` 0: use the PIT. Boot CPU.
void tsc_calibrate(uint16_t pm_timer_port, bool pm_timer_32bit);

uint64_t tsc_khz(void);

// TSC ticks since the hypervisor's entry, and ticks in microseconds. Before tsc_calibrate() the
// microseconds are a guess.
uint64_t time_ticks(void);
uint64_t ticks_us(uint64_t ticks);

// Microseconds since the hypervisor's entry.
uint64_t time_us(void);

// A TSC difference in units of 1/hz seconds.
uint64_t tsc_to_hz(uint64_t ticks, uint32_t hz);

// Busy waits.
void delay_us(uint64_t us);

#endif
