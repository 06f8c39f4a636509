// SPDX-License-Identifier: Apache-2.0
// Starting further CPUs of a test guest, one at a time.

#include "tests/guests/guest.h"

static uint8_t stacks[MAX_GUEST_CPUS][8192] __attribute__((aligned(16)));
// Written by the starter before the start-up IPI, read by the CPU that starts; `arrived` the other
// way round.
static void (*volatile ap_entry)(void);
static volatile bool arrived;

void ap_main(void)
{
    void (*entry)(void) = ap_entry;
    trap_install();
    arrived = true;
    entry();
}

bool cpu_prepare(uint32_t apic_id, uint8_t vector, void (*entry)(void))
{
    if (apic_id >= MAX_GUEST_CPUS)
        return false;
    // Through a register, because the page may be number 0.
    volatile uint8_t *page = (volatile uint8_t *)((uintptr_t)vector << 12);
    __asm__("" : "+r"(page));
    for (size_t i = 0; i < (size_t)(ap_trampoline_end - ap_trampoline); i++)
        page[i] = ap_trampoline[i];
    ap_stack = (uint32_t)(uintptr_t)(stacks[apic_id] + sizeof(stacks[0]));
    ap_entry = entry;
    arrived = false;
    return true;
}

bool cpu_arrived(void)
{
    uint64_t end = rdtsc() + 3000 * tsc_khz(); // some tests expect none
    while (!arrived && rdtsc() < end)
        pause();
    return arrived;
}

bool cpu_sipi(uint32_t apic_id, uint8_t vector, void (*entry)(void))
{
    if (!cpu_prepare(apic_id, vector, entry))
        return false;
    lapic_ipi(apic_id, ICR_STARTUP | ICR_ASSERT | vector);
    return cpu_arrived();
}

bool cpu_start(uint32_t apic_id, uint8_t vector, void (*entry)(void))
{
    lapic_ipi(apic_id, ICR_INIT | ICR_ASSERT);
    delay_us(10000);
    return cpu_sipi(apic_id, vector, entry);
}
