// SPDX-License-Identifier: Apache-2.0
// The messes: APIC, MTRRs, devices, and control registers, all as no kernel wants to find them.
#include "tests/guests/leftover/leftover.h"

enum {
    MSR_FEATURE_CONTROL = 0x3a,
    MSR_MTRR_PHYS = 0x200, // base and mask of each variable range
    MSR_MTRR_FIX64K = 0x250,
    MSR_MTRR_DEF_TYPE = 0x2ff,
    MSR_TSC_DEADLINE = 0x6e0,

    IN_SERVICE = 0xf3,
    BELOW_32 = 0x1d, // an exception's number, and a legal vector
    TIMER_LEFT = 0x1e,

    CPUID_1_MONITOR = 1 << 3,
    CPUID_1_VMX = 1 << 5,
    CPUID_1_DEADLINE = 1 << 24,
};

static volatile unsigned in_service;

// Without EOI.
static void stays_in_service(struct trap_frame *frame)
{
    (void)frame;
    in_service++;
}

void leftover_apic(bool x2apic)
{
    static const uint8_t pending[] = {BELOW_32, 0x31, 0xf0, 0xff};
    if (x2apic)
        x2apic_enable();
    lapic_enable();
    set_handler(IN_SERVICE, stays_in_service);
    unsigned before = in_service;
    lapic_ipi(lapic_id(), ICR_ASSERT | IN_SERVICE);
    interrupts_on();
    while (in_service == before)
        pause();
    interrupts_off();
    for (unsigned i = 0; i < sizeof(pending); i++)
        lapic_ipi(lapic_id(), ICR_ASSERT | pending[i]);
    lapic_write(LAPIC_LVT_ERROR, 0x13);
    lapic_write(LAPIC_LVT_THERMAL, 0xf2);
    lapic_write(LAPIC_LVT_PMC, 0x400);
    lapic_write(LAPIC_LVT_LINT0, 0x700);
    lapic_write(LAPIC_LVT_LINT1, 0x400);
    if (cpuid(1, 0).ecx & CPUID_1_DEADLINE) {
        lapic_write(LAPIC_LVT_TIMER, 0x40000 | TIMER_LEFT);
        wrmsr(MSR_TSC_DEADLINE, rdtsc() + 200000000);
    } else {
        lapic_write(LAPIC_TIMER_DIVIDE, 0xb);
        lapic_write(LAPIC_LVT_TIMER, 0x20000 | TIMER_LEFT);
        lapic_write(LAPIC_TIMER_INITIAL, 1000000);
    }
    lapic_write(LAPIC_TPR, 0xff);
    if (!x2apic)
        lapic_write(LAPIC_LDR, 0xff000000);
}

void leftover_mtrrs(void)
{
    uint64_t bits = cpuid(0x80000008, 0).eax & 0xff;
    uint64_t ones = ((1ull << bits) - 1) & ~0xfffull;
    static const struct {
        uint64_t base, size;
        unsigned type;
    } ranges[] = {
        {0, 1ull << 32, 6},
        {0xc0000000, 1ull << 30, 0},
        {0x10000000, 2 << 20, 0},
    };
    unsigned count = rdmsr(0xfe) & 0xff;
    wrmsr(MSR_MTRR_DEF_TYPE, 0);
    for (unsigned i = 0; i < count; i++) {
        bool used = i < sizeof(ranges) / sizeof(ranges[0]);
        wrmsr(MSR_MTRR_PHYS + 2 * i, used ? ranges[i].base | ranges[i].type : 0);
        wrmsr(MSR_MTRR_PHYS + 2 * i + 1, used ? (ones & ~(ranges[i].size - 1)) | 1 << 11 : 0);
    }
    wrmsr(MSR_MTRR_DEF_TYPE, 0xc00); // on, fixed ones too, the rest uncached
}

// Every pin of the first IOAPIC, and the 8259s behind it, at odd vectors; the PIT and the HPET run.
void leftover_devices(void)
{
    volatile uint32_t *ioapic = (volatile uint32_t *)0xfec00000;
    for (uint32_t pin = 0; pin < 24; pin++) {
        ioapic[0] = 0x11 + 2 * pin;
        ioapic[4] = lapic_id() << 24;
        ioapic[0] = 0x10 + 2 * pin;
        ioapic[4] = 0x10 + pin;
    }
    static const uint8_t pics[][2] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, 0x08}, {0xa1, 0x10},
                                      {0x21, 0x04}, {0xa1, 0x02}, {0x21, 0x01}, {0xa1, 0x01},
                                      {0x21, 0x00}, {0xa1, 0x00}};
    for (unsigned i = 0; i < sizeof(pics) / sizeof(pics[0]); i++)
        outb(pics[i][0], pics[i][1]);
    outb(0x43, 0x34); // channel 0, periodic
    outb(0x40, 0xa9);
    outb(0x40, 0x04); // each millisecond
    uint64_t table = acpi_table("HPET");
    if (table) {
        uint64_t address;
        memcpy(&address, (const void *)(table + 44), sizeof(address));
        volatile uint64_t *hpet = (volatile uint64_t *)address;
        hpet[0x100 / 8] |= 1 << 2 | 1 << 3 | 1 << 6; // the first timer: interrupt, periodic
        hpet[0x108 / 8] = 100000;
        hpet[0x10 / 8] |= 3; // on, in the place of PIT and RTC
    }
    if (cpuid(1, 0).ecx & CPUID_1_VMX && !(rdmsr(MSR_FEATURE_CONTROL) & 1))
        wrmsr(MSR_FEATURE_CONTROL, 5); // VMX outside SMX, locked
}

uint32_t leftover_cr4(void)
{
    uint32_t cr4 = 0x63c; // TSD, DE, PSE, PAE, OSFXSR, OSXMMEXCPT
    if (cpuid(0, 0).eax >= 7) {
        struct cpuid seven = cpuid(7, 0);
        cr4 |= seven.ebx & 1 << 7 ? 1 << 20 : 0;  // SMEP
        cr4 |= seven.ebx & 1 << 20 ? 1 << 21 : 0; // SMAP
        cr4 |= seven.ecx & 1 << 2 ? 1 << 11 : 0;  // UMIP
        cr4 |= seven.ecx & 1 << 16 ? 1 << 12 : 0; // LA57
    }
    return cr4;
}

uint32_t leftover_efer(void)
{
    bool svm = cpuid(0x80000000, 0).eax >= 0x80000001 && cpuid(0x80000001, 0).ecx & 1 << 2;
    return 1 | (svm ? 1 << 12 : 0); // SYSCALL, SVM
}

void leftover_sleep(void)
{
    static uint64_t watched;
    if (cpuid(1, 0).ecx & CPUID_1_MONITOR) {
        for (;;)
            __asm__ volatile("monitor; mwait" : : "a"(&watched), "c"(0), "d"(0));
    }
    for (;;)
        __asm__ volatile("cli; hlt");
}
