// SPDX-License-Identifier: Apache-2.0
// The APIC timer's TSC-deadline mode (SDM vol. 3, "TSC-Deadline Mode"), where CPUID shows it.

#include "tests/guests/equiv/device.h"

enum {
    MASKED = 1 << 16,
    DEADLINE = 1 << 18,
    MSR_DEADLINE = 0x6e0,
    BY_16 = 0x3,
};

static void arm(uint64_t tsc)
{
    // SDM: MFENCE between the write of the LVT and that of the MSR in xAPIC mode.
    __asm__ volatile("mfence" : : : "memory");
    wrmsr(MSR_DEADLINE, tsc);
}

static void shots(void)
{
    struct line line = {.used = 0};
    lapic_write(LAPIC_LVT_TIMER, DEADLINE | TIMER_VECTOR);
    taken_forget();
    arm(rdtsc() + 20 * tsc_khz());
    line_word(&line, rdmsr(MSR_DEADLINE) ? "armed" : "not armed");
    line_field(&line, "taken", take_until(TIMER_VECTOR, 1));
    line_word(&line, rdmsr(MSR_DEADLINE) ? "MSR then set" : "MSR then 0");
    outcome(name_of(apic_mode(), "deadline.future"), "%s", line.text);

    line.used = 0;
    taken_forget();
    arm(1);
    line_field(&line, "taken", take_until(TIMER_VECTOR, 1));
    line_word(&line, rdmsr(MSR_DEADLINE) ? "MSR then set" : "MSR then 0");
    outcome(name_of(apic_mode(), "deadline.past"), "%s", line.text);

    line.used = 0;
    taken_forget();
    arm(rdtsc() + 50 * tsc_khz());
    arm(0);
    delay_us(60000);
    take_pending();
    line_field(&line, "taken", taken(0, TIMER_VECTOR));
    line_word(&line, rdmsr(MSR_DEADLINE) ? "MSR set" : "MSR 0");
    outcome(name_of(apic_mode(), "deadline.disarmed"), "%s", line.text);

    line.used = 0;
    taken_forget();
    lapic_write(LAPIC_LVT_TIMER, MASKED | DEADLINE | TIMER_VECTOR);
    arm(rdtsc() + tsc_khz() / 10);
    delay_us(500);
    take_pending();
    line_field(&line, "taken", taken(0, TIMER_VECTOR));
    line_word(&line, rdmsr(MSR_DEADLINE) ? "MSR set" : "MSR 0");
    lapic_write(LAPIC_LVT_TIMER, DEADLINE | TIMER_VECTOR);
    take_pending();
    line_field(&line, "when unmasked", taken(0, TIMER_VECTOR));
    outcome(name_of(apic_mode(), "deadline.masked"), "%s", line.text);
}

static void count_registers(void)
{
    struct line line = {.used = 0};
    lapic_write(LAPIC_LVT_TIMER, DEADLINE | TIMER_VECTOR);
    taken_forget();
    lapic_write(LAPIC_TIMER_INITIAL, 5000);
    line_field(&line, "initial", lapic_read(LAPIC_TIMER_INITIAL));
    line_field(&line, "current", lapic_read(LAPIC_TIMER_CURRENT));
    delay_us(2000);
    take_pending();
    line_field(&line, "taken", taken(0, TIMER_VECTOR));
    outcome(name_of(apic_mode(), "deadline.counts-ignored"), "%s", line.text);
}

static void other_modes(void)
{
    struct line line = {.used = 0};
    lapic_write(LAPIC_LVT_TIMER, TIMER_VECTOR);
    taken_forget();
    arm(rdtsc() + tsc_khz() / 10);
    line_word(&line, rdmsr(MSR_DEADLINE) ? "MSR in one-shot mode set" : "MSR in one-shot mode 0");
    delay_us(1000);
    take_pending();
    line_field(&line, "taken", taken(0, TIMER_VECTOR));
    outcome(name_of(apic_mode(), "deadline.ignored"), "%s", line.text);

    line.used = 0;
    lapic_write(LAPIC_LVT_TIMER, DEADLINE | TIMER_VECTOR);
    arm(rdtsc() + 50 * tsc_khz());
    lapic_write(LAPIC_LVT_TIMER, TIMER_VECTOR);
    lapic_write(LAPIC_LVT_TIMER, DEADLINE | TIMER_VECTOR);
    line_word(&line, rdmsr(MSR_DEADLINE) ? "MSR set" : "MSR 0");
    delay_us(60000);
    take_pending();
    line_field(&line, "taken", taken(0, TIMER_VECTOR));
    outcome(name_of(apic_mode(), "deadline.mode-change"), "%s", line.text);

    line.used = 0;
    lapic_write(LAPIC_TIMER_DIVIDE, BY_16);
    lapic_write(LAPIC_LVT_TIMER, TIMER_VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, 0xf0000000);
    lapic_write(LAPIC_LVT_TIMER, DEADLINE | TIMER_VECTOR);
    line_field(&line, "current", lapic_read(LAPIC_TIMER_CURRENT));
    outcome(name_of(apic_mode(), "deadline.from-one-shot"), "%s", line.text);
}

void apic_deadline(void)
{
    bool there = cpuid(1, 0).ecx >> 24 & 1;
    uint64_t value;
    outcome(name_of(apic_mode(), "deadline.there"), "CPUID %u, MSR %s", there,
            attempt(try_rdmsr(MSR_DEADLINE, &value)));
    if (there) {
        shots();
        count_registers();
        other_modes();
    }
    lapic_write(LAPIC_LVT_TIMER, MASKED);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    take_pending();
    taken_forget();
}
