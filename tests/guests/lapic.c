// SPDX-License-Identifier: Apache-2.0
// The local APIC of a test guest in either mode. Every access asks which mode this CPU is in, so
// that tests may switch between them.

#include "tests/guests/guest.h"

enum {
    MSR_APIC_BASE = 0x1b,
    MSR_X2APIC = 0x800,
    APIC_BASE_X2 = 1 << 10,
    APIC_BASE_ENABLE = 1 << 11,
};
static volatile uint32_t *const xapic = (volatile uint32_t *)0xfee00000;

bool x2apic_available(void)
{
    return cpuid(1, 0).ecx & (1u << 21);
}

bool x2apic_on(void)
{
    return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2;
}

void x2apic_enable(void)
{
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2);
}

uint32_t lapic_read(uint32_t reg)
{
    return x2apic_on() ? (uint32_t)rdmsr(MSR_X2APIC + reg / 16) : xapic[reg / 4];
}

void lapic_write(uint32_t reg, uint32_t value)
{
    if (x2apic_on())
        wrmsr(MSR_X2APIC + reg / 16, value);
    else
        xapic[reg / 4] = value;
}

void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

uint32_t lapic_id(void)
{
    return x2apic_on() ? lapic_read(LAPIC_ID) : lapic_read(LAPIC_ID) >> 24;
}

void lapic_enable(void)
{
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_SVR, 0x1ff);
}

void lapic_ipi(uint32_t destination, uint32_t icr_low)
{
    if (x2apic_on()) {
        wrmsr(MSR_X2APIC + LAPIC_ICR / 16, ((uint64_t)destination << 32) | icr_low);
        return;
    }
    lapic_write(LAPIC_ICR_HIGH, destination << 24);
    lapic_write(LAPIC_ICR, icr_low);
    while (lapic_read(LAPIC_ICR) & (1u << 12))
        pause();
}
