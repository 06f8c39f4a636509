// SPDX-License-Identifier: Apache-2.0
// Interrupts that are counted, by CPU and vector, and the second CPU, which sleeps until it is
// given something to do.

#include "tests/guests/dma/dma.h"

enum {
    SIPI_PAGE = 0x70,
    WAKE_VECTOR = 0x3e, // not counted
    LAPIC_ISR = 0x100,
};

// Written by the CPU that is interrupted, read by the boot CPU.
static volatile uint32_t seen[2][256];
// Written by the boot CPU before it wakes the other, cleared by that one.
static void (*volatile job)(void);

static struct {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, zero;
} storm_idt[256] __attribute__((aligned(16)));

void storm_interrupt(uint32_t vector);

static unsigned this_cpu(void)
{
    return guest.cpus > 1 && lapic_id() == guest.apic_id[1] ? 1 : 0;
}

static void count_interrupt(struct trap_frame *frame)
{
    if (frame->vector != WAKE_VECTOR)
        seen[this_cpu()][frame->vector]++;
    lapic_eoi();
}

// A vector below 32 may be an NMI, or what an emulator makes of a message that no APIC accepts.
void storm_interrupt(uint32_t vector)
{
    if (vector != WAKE_VECTOR)
        seen[this_cpu()][vector]++;
    if (lapic_read(LAPIC_ISR + vector / 32 * 16) & 1u << vector % 32)
        lapic_eoi();
}

uint32_t interrupts_seen(unsigned cpu, unsigned vector)
{
    return seen[cpu][vector];
}

uint32_t interrupts_total(void)
{
    uint32_t total = 0;
    for (unsigned i = 0; i < 256; i++)
        total += seen[0][i] + seen[1][i];
    return total;
}

void let_through(void)
{
    __asm__ volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
}

bool wait_for(unsigned cpu, unsigned vector, uint32_t count, uint64_t ms)
{
    uint64_t end = rdtsc() + ms * tsc_khz();
    do {
        let_through();
        if (seen[cpu][vector] >= count)
            return true;
        pause();
    } while (rdtsc() < end);
    return false;
}

// ---- the second CPU

static void ap_loop(void)
{
    if (x2apic_available() && !option_is("apic", "xapic"))
        x2apic_enable();
    lapic_enable();
    for (;;) {
        if (job) {
            job();
            job = NULL;
        }
        wait_for_interrupt();
    }
}

void ap_run(void (*what)(void))
{
    job = what;
    lapic_ipi(guest.apic_id[1], ICR_FIXED | ICR_ASSERT | WAKE_VECTOR);
}

void ap_wait(void)
{
    while (job)
        let_through();
}

void interrupts_begin(void)
{
    for (unsigned vector = 32; vector < 256; vector++)
        set_handler(vector, count_interrupt);
    if (x2apic_available() && !option_is("apic", "xapic"))
        x2apic_enable();
    lapic_enable();
    tsc_khz();
    guest.apic_id[0] = lapic_id();
    uint32_t ids[MAX_GUEST_CPUS];
    unsigned n = acpi_cpus(ids, MAX_GUEST_CPUS);
    guest.cpus = 1;
    for (unsigned i = 0; i < n && guest.cpus == 1; i++) {
        if (ids[i] == guest.apic_id[0])
            continue;
        guest.apic_id[1] = ids[i];
        guest.cpus = 2;
        if (!cpu_start(ids[i], SIPI_PAGE, ap_loop)) {
            print("FAIL cpu %u does not start\n", ids[i]);
            guest.cpus = 1;
        }
    }
}

// ---- storms

static void load_storm_idt(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(storm_idt) - 1, (uint64_t)storm_idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void on_both(void (*what)(void))
{
    what();
    if (guest.cpus > 1) {
        ap_run(what);
        ap_wait();
    }
}

void storm_begin(void)
{
    for (unsigned i = 0; i < 256; i++) {
        storm_idt[i].offset_low = (uint16_t)storm_stubs[i];
        storm_idt[i].offset_mid = (uint16_t)(storm_stubs[i] >> 16);
        storm_idt[i].offset_high = (uint32_t)(storm_stubs[i] >> 32);
        storm_idt[i].selector = 0x18;
        storm_idt[i].type = 0x8e;
    }
    on_both(load_storm_idt);
}

void storm_end(void)
{
    let_through();
    on_both(trap_install);
}
