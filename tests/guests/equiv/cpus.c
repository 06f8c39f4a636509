// SPDX-License-Identifier: Apache-2.0
// The other CPUs: each waits for work that the boot CPU gives it.

#include "tests/guests/equiv/device.h"

unsigned cpus;
uint32_t cpu_ids[MAX_GUEST_CPUS];

typedef void (*job_t)(void);
// Set by the boot CPU, taken back to NULL by the CPU that has done it.
static volatile job_t jobs[MAX_GUEST_CPUS];
static volatile uint32_t arrivals[MAX_GUEST_CPUS];

unsigned cpu_self(void)
{
    return lapic_id() % MAX_GUEST_CPUS;
}

uint32_t cpu_arrivals(unsigned cpu)
{
    return arrivals[cpu];
}

void apic_prepare(void)
{
    lapic_enable();
    if (!x2apic_on()) {
        lapic_write(LAPIC_DFR, UINT32_MAX);
        lapic_write(LAPIC_LDR, 1u << (24 + cpu_self()));
    }
}

void cpu_loop(void)
{
    unsigned me = cpu_self();
    apic_prepare();
    arrivals[me]++;
    for (;;) {
        job_t job = jobs[me];
        if (job) {
            job();
            jobs[me] = NULL;
        } else {
            wait_for_interrupt();
        }
    }
}

void cpu_begin(unsigned cpu, void (*job)(void))
{
    jobs[cpu] = job;
    if (job)
        lapic_ipi(cpu_ids[cpu], ICR_ASSERT | VECTOR_WAKE);
}

bool cpu_finish(unsigned cpu)
{
    uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
    while (jobs[cpu] && rdtsc() < end)
        pause();
    return !jobs[cpu];
}

bool cpu_do(unsigned cpu, void (*job)(void))
{
    cpu_begin(cpu, job);
    return cpu_finish(cpu);
}

bool until(const volatile uint32_t *word, uint32_t value)
{
    uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
    while (*word != value && rdtsc() < end)
        pause();
    return *word == value;
}

void settle(void)
{
    take_pending();
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_begin(cpu, take_pending);
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_finish(cpu);
    take_pending();
}

void cpus_start(void)
{
    unsigned started = 0;
    cpus = acpi_cpus(cpu_ids, MAX_GUEST_CPUS);
    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        if (cpu_start(cpu_ids[cpu], 0x70, cpu_loop) && until(&arrivals[cpu], 1))
            started++;
    }
    outcome("smp.start", "cpus in the MADT %u, started %u", cpus, started);
}
