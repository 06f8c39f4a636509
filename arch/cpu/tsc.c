// SPDX-License-Identifier: Apache-2.0
// TSC calibration and time. Only the hypervisor uses the PIT; guests have a virtual one.
#include "arch/cpu/tsc.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/io.h"

#define PM_TIMER_HZ 3579545u
#define PIT_HZ      1193182u

#define PORT_PIT_CHANNEL2  0x42
#define PORT_PIT_COMMAND   0x43
#define PORT_SPEAKER       0x61
#define PIT_CHANNEL2_MODE0 0xb0 // low byte, then high byte, terminal count
#define SPEAKER_GATE2      0x01
#define SPEAKER_DATA       0x02
#define SPEAKER_OUT2       0x20

#define CALIBRATION_MS 10
#define CLOCK_READINGS 8

static uint64_t khz = 1000000; // a guess until calibrated; only delays use it
static uint64_t start;         // written once, before it is read

// The PM timer and the TSC, read at the same moment.
struct clock_pair {
    uint32_t pm;
    uint64_t tsc;
};

// Takes several readings and returns the quickest. System management mode can come between the
// reads of the two clocks, and so can a pause of an emulator that the host did not schedule.
static struct clock_pair read_clocks(uint16_t port)
{
    struct clock_pair best = {0, 0};
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < CLOCK_READINGS; i++) {
        uint64_t before = rdtsc();
        uint32_t pm = inl(port);
        uint64_t took = rdtsc() - before;
        if (took < least) {
            least = took;
            best = (struct clock_pair){pm, before + took / 2};
        }
    }
    return best;
}

static uint64_t khz_by_pm_timer(uint16_t port, bool is_32bit)
{
    uint32_t mask = is_32bit ? 0xffffffff : 0xffffff;
    struct clock_pair begin = read_clocks(port);
    while (((inl(port) - begin.pm) & mask) < PM_TIMER_HZ / 1000 * CALIBRATION_MS) {
        cpu_relax();
    }
    struct clock_pair end = read_clocks(port);
    uint64_t pm_ticks = (end.pm - begin.pm) & mask;
    return (end.tsc - begin.tsc) * PM_TIMER_HZ / (pm_ticks * 1000);
}

static uint64_t khz_by_pit(void)
{
    uint32_t count = PIT_HZ / 1000 * CALIBRATION_MS;
    uint8_t speaker = inb(PORT_SPEAKER) & (uint8_t) ~(SPEAKER_DATA | SPEAKER_GATE2);
    outb(PORT_SPEAKER, speaker);
    outb(PORT_PIT_COMMAND, PIT_CHANNEL2_MODE0);
    outb(PORT_PIT_CHANNEL2, count & 0xff);
    outb(PORT_PIT_CHANNEL2, (uint8_t)(count >> 8));
    outb(PORT_SPEAKER, speaker | SPEAKER_GATE2);
    uint64_t begin = rdtsc();
    // Without a PIT this reads all ones at once, and the frequency is a lower bound.
    while ((inb(PORT_SPEAKER) & SPEAKER_OUT2) == 0) {
        cpu_relax();
    }
    uint64_t ticks = rdtsc() - begin;
    outb(PORT_SPEAKER, speaker);
    return ticks / CALIBRATION_MS;
}

void tsc_calibrate(uint16_t pm_timer_port, bool pm_timer_32bit)
{
    uint64_t measured =
        pm_timer_port != 0 ? khz_by_pm_timer(pm_timer_port, pm_timer_32bit) : khz_by_pit();
    khz = max_u64(measured, 1);
}

uint64_t tsc_khz(void)
{
    return khz;
}

uint64_t tsc_to_hz(uint64_t ticks, uint32_t hz)
{
    uint64_t frequency = khz * 1000;
    return ticks / frequency * hz + ticks % frequency * hz / frequency;
}

void time_begin(uint64_t entered)
{
    start = entered;
}

uint64_t time_ticks(void)
{
    return rdtsc() - start;
}

uint64_t ticks_us(uint64_t ticks)
{
    return tsc_to_hz(ticks, 1000000);
}

uint64_t time_us(void)
{
    return ticks_us(time_ticks());
}

void delay_us(uint64_t us)
{
    uint64_t begin = rdtsc();
    while (tsc_to_hz(rdtsc() - begin, 1000000) < us) {
        cpu_relax();
    }
}
