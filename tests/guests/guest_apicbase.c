// SPDX-License-Identifier: Apache-2.0
// apicbase.elf: moves the local APIC's page (SDM vol. 3, 11.4.5). With a second CPU, whose page
// stays. It ends with the page moved: at its next start it must be back.

#include "tests/guests/guest.h"

enum {
    MSR_APIC_BASE = 0x1b,
    ENABLE = 1 << 11,
    BSP = 1 << 8,
    GP = 13,
    VECTOR = 0x51,
    SIPI_PAGE = 0x70,
};

#define HOME  0xfee00000u
#define AWAY  0xa5000000u // where nothing is
#define OTHER 0xfec00000u // where the IOAPIC is: the processor takes its APIC first

static volatile uint64_t interrupts;
static volatile bool asked; // the other CPU looks, and clears it
static volatile uint32_t seen[2];

static uint32_t at(uint64_t page, uint32_t reg)
{
    return *(volatile uint32_t *)(page + reg);
}

static void put(uint64_t page, uint32_t reg, uint32_t value)
{
    *(volatile uint32_t *)(page + reg) = value;
}

static uint64_t page;

static void handler(struct trap_frame *frame)
{
    (void)frame;
    interrupts++;
    put(page, LAPIC_EOI, 0);
}

static void move(uint64_t to)
{
    int vector = try_wrmsr(MSR_APIC_BASE, to | ENABLE | BSP);
    check(vector < 0 && rdmsr(MSR_APIC_BASE) == (to | ENABLE | BSP), "base 0x%lx", to);
    page = to;
}

static void refused(uint64_t value, const char *what)
{
    uint64_t before = rdmsr(MSR_APIC_BASE);
    check(try_wrmsr(MSR_APIC_BASE, value) == GP && rdmsr(MSR_APIC_BASE) == before, "#GP: %s", what);
}

static void works(uint32_t version)
{
    check(at(page, LAPIC_VERSION) == version, "version at 0x%lx", page);
    put(page, LAPIC_TPR, 0x20);
    check(at(page, LAPIC_TPR) == 0x20, "TPR");
    put(page, LAPIC_TPR, 0);
    for (unsigned i = 0; i < 2; i++) { // the second comes only after an EOI
        uint64_t before = interrupts;
        put(page, LAPIC_ICR, ICR_SELF | ICR_ASSERT | VECTOR);
        interrupts_on();
        for (uint64_t end = rdtsc() + 1000 * tsc_khz(); interrupts == before && rdtsc() < end;)
            pause();
        interrupts_off();
        check(interrupts == before + 1, "interrupt %u", i);
    }
}

static void other_cpu(void)
{
    for (;;) {
        while (!asked)
            pause();
        seen[0] = at(HOME, LAPIC_ID);
        seen[1] = at(AWAY, LAPIC_VERSION);
        asked = false;
    }
}

static void ask_other(void)
{
    asked = true;
    for (uint64_t end = rdtsc() + 5000 * tsc_khz(); asked && rdtsc() < end;)
        pause();
    check(!asked && seen[0] >> 24 == 1, "the other CPU's page is where it was");
    check(seen[1] == UINT32_MAX, "and not where this one's is");
}

void run_guest(void)
{
    bool two = option_number("cpus", 2) > 1;
    check(rdmsr(MSR_APIC_BASE) == (HOME | ENABLE | BSP), "the base at the start");
    check(!x2apic_on(), "xAPIC mode");
    set_handler(VECTOR, handler);
    lapic_enable();
    page = HOME;
    uint32_t version = at(HOME, LAPIC_VERSION);
    works(version);
    if (two)
        check(cpu_start(1, SIPI_PAGE, other_cpu), "the other CPU");
    move(AWAY);
    works(version);
    check(at(HOME, LAPIC_VERSION) == UINT32_MAX, "nothing is left behind");
    if (two)
        ask_other();
    move(OTHER);
    works(version);
    refused(ENABLE | BSP | (1ull << (cpuid(0x80000008, 0).eax & 0xff)), "an address too wide");
    refused(HOME | ENABLE | 1, "a reserved bit");
    refused(0x200000 | ENABLE, "over memory");
    move(HOME);
    works(version);
    put(OTHER, 0, 1);
    check(at(OTHER, 0x10) >> 16 == 23, "the IOAPIC is back");
    move(AWAY);
    check_summary();
    finish();
}
