// SPDX-License-Identifier: Apache-2.0
// The frequency of the local APIC's timer, measured against the TSC. Relies on a calibrated TSC.
#include "arch/cpu/cpu.h"
#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"

#define APIC_FIRST_COUNT 20000 // less than a millisecond at any bus clock

static uint64_t apic_khz;

// TSC ticks until the local APIC's timer has counted down from `count`. Its interrupt only becomes
// pending, because interrupts are off. The current-count register is not read: QEMU 10 with
// instruction counting crashes when it is read in x2APIC mode.
static uint64_t apic_countdown(uint32_t count)
{
    uint64_t begin = rdtsc();
    apic_timer_start(count);
    while (!apic_timer_pending()) {
        cpu_relax();
    }
    uint64_t ticks = rdtsc() - begin;
    apic_timer_start(0);
    apic_drain();
    return ticks;
}

void apic_timer_calibrate(void)
{
    uint64_t khz = tsc_khz();
    for (uint32_t count = APIC_FIRST_COUNT;; count *= 2) {
        uint64_t ticks = apic_countdown(count);
        // At least a millisecond is long enough to be exact.
        if (ticks >= khz || count >= UINT32_MAX / 2) {
            apic_khz = count * khz / (ticks + 1);
            return;
        }
    }
}

uint64_t apic_timer_khz(void)
{
    return apic_khz;
}
