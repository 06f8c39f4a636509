// SPDX-License-Identifier: Apache-2.0
// Time of a test guest: the TSC's frequency, delays, and sleeping in HLT until the local APIC
// timer wakes it.

#include "tests/guests/guest.h"

enum {
    PIT_HZ = 1193182,
    PIT_CHANNEL2 = 0x42,
    PIT_COMMAND = 0x43,
    PORT_61 = 0x61,
};

static uint64_t khz;
static uint64_t timer_ticks_per_ms;

static uint64_t measure_by_pit(void)
{
    const uint16_t count = PIT_HZ / 100; // 10 ms
    uint8_t gate = (uint8_t)(inb(PORT_61) & ~3u);
    outb(PORT_61, gate);
    outb(PIT_COMMAND, 0xb0); // channel 2, low then high byte, mode 0
    outb(PIT_CHANNEL2, count & 0xff);
    outb(PIT_CHANNEL2, count >> 8);
    uint64_t start = rdtsc();
    outb(PORT_61, gate | 1);
    while (!(inb(PORT_61) & 0x20)) {
        if (rdtsc() - start > 100000000000ull)
            return 0;
    }
    return (rdtsc() - start) / 10;
}

// The least of some: an emulated CPU may stand still in the middle of one.
uint64_t tsc_khz_by_pit(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 4; i++) {
        uint64_t measured = measure_by_pit();
        if (measured && measured < least)
            least = measured;
    }
    return least == UINT64_MAX ? 0 : least;
}

uint64_t tsc_khz(void)
{
    if (khz)
        return khz;
    if (cpuid(1, 0).ecx & (1u << 31) && cpuid(0x40000000, 0).eax >= 0x40000010 &&
        cpuid(0x40000000, 0).eax < 0x40010000)
        khz = cpuid(0x40000010, 0).eax;
    if (!khz)
        khz = tsc_khz_by_pit();
    if (!khz)
        khz = 1000000;
    return khz;
}

void delay_us(uint64_t us)
{
    uint64_t end = rdtsc() + us * tsc_khz() / 1000;
    while (rdtsc() < end)
        pause();
}

static void timer_handler(struct trap_frame *frame)
{
    (void)frame;
    lapic_eoi();
}

void sleep_ms(uint64_t ms)
{
    uint64_t end = rdtsc() + ms * tsc_khz();
    if (!timer_ticks_per_ms) {
        lapic_write(LAPIC_TIMER_DIVIDE, 0x3); // by 16
        lapic_write(LAPIC_LVT_TIMER, 0x10000);
        // Both TSC readings outside: if this CPU stands still in between, the frequency comes out
        // too low, and a sleep is made of several shorter ones.
        uint64_t start = rdtsc();
        lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
        delay_us(2000);
        uint64_t ticks = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
        timer_ticks_per_ms = ticks * tsc_khz() / (rdtsc() - start) + 1;
        set_handler(TIMER_VECTOR, timer_handler);
    }
    lapic_write(LAPIC_LVT_TIMER, TIMER_VECTOR);
    for (uint64_t now = rdtsc(); now < end; now = rdtsc()) {
        uint64_t left = (end - now) * timer_ticks_per_ms / tsc_khz() + 1;
        lapic_write(LAPIC_TIMER_INITIAL, left > UINT32_MAX ? UINT32_MAX : (uint32_t)left);
        wait_for_interrupt();
    }
    lapic_write(LAPIC_TIMER_INITIAL, 0);
}
