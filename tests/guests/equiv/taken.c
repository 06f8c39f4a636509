// SPDX-License-Identifier: Apache-2.0
// A record of the interrupts that each CPU took.

#include "tests/guests/equiv/device.h"

enum { ORDER = 32 };

// Each CPU writes its own; the boot CPU reads and forgets while nothing is on its way.
static struct {
    volatile uint32_t count[256];
    volatile uint8_t order[ORDER];
    volatile uint32_t total;
} record[MAX_GUEST_CPUS];

void (*volatile inside_handler)(unsigned vector);

static void handler(struct trap_frame *frame)
{
    unsigned vector = (unsigned)frame->vector, me = cpu_self();
    if (record[me].total < ORDER)
        record[me].order[record[me].total] = (uint8_t)vector;
    record[me].total++;
    record[me].count[vector]++;
    if (inside_handler)
        inside_handler(vector);
    if (vector != VECTOR_NMI && vector != VECTOR_SPURIOUS)
        lapic_eoi();
}

static void wake(struct trap_frame *frame)
{
    (void)frame;
    lapic_eoi();
}

void record_all(void)
{
    set_handler(VECTOR_NMI, handler);
    // Not exceptions of today's processors; as interrupts, not legal or not usual.
    set_handler(9, handler);
    set_handler(15, handler);
    set_handler(31, handler);
    for (unsigned vector = 32; vector < 256; vector++)
        set_handler(vector, handler);
    set_handler(VECTOR_WAKE, wake);
}

void taken_forget(void)
{
    for (unsigned cpu = 0; cpu < MAX_GUEST_CPUS; cpu++) {
        for (unsigned vector = 0; vector < 256; vector++)
            record[cpu].count[vector] = 0;
        record[cpu].total = 0;
    }
}

uint32_t taken(unsigned cpu, unsigned vector)
{
    return record[cpu].count[vector];
}

uint32_t take_until(unsigned vector, uint32_t least)
{
    unsigned me = cpu_self();
    uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
    while (record[me].count[vector] < least && rdtsc() < end)
        take_pending();
    return record[me].count[vector];
}

bool until_taken(unsigned cpu, unsigned vector, uint32_t least)
{
    uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
    while (record[cpu].count[vector] < least && rdtsc() < end)
        pause();
    return record[cpu].count[vector] >= least;
}

void line_taken(struct line *line, unsigned cpu)
{
    uint32_t total = record[cpu].total;
    if (!total)
        line_word(line, "none");
    for (unsigned i = 0; i < total && i < ORDER; i++)
        line_hex(line, record[cpu].order[i]);
    if (total > ORDER)
        line_word(line, "and more");
}

void take_pending(void)
{
    // Emulators look for interrupts at the end of a block of code.
    for (unsigned i = 0; i < 20; i++)
        __asm__ volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
}
