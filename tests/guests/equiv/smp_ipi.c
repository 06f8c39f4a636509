// SPDX-License-Identifier: Apache-2.0
// Interrupts between CPUs under load: none is lost and none comes twice, whoever sends.

#include "tests/guests/equiv/device.h"

enum { ROUNDS = 20, PING = 0x61, PONG = 0x71, FROM = 0x80 };

// Each sends its own vector to the boot CPU and waits for it to be taken.
static void send_to_boot_cpu(void)
{
    unsigned vector = FROM + 0x11 * cpu_self();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        lapic_ipi(cpu_ids[0], ICR_ASSERT | vector);
        uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
        while (taken(0, vector) <= i && rdtsc() < end)
            pause();
    }
}

static void from_three(void)
{
    struct line line = {.used = 0};
    taken_forget();
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_begin(cpu, send_to_boot_cpu);
    interrupts_on();
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_finish(cpu);
    interrupts_off();
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        line_hex(&line, taken(0, FROM + 0x11 * cpu));
    outcome(name_of(smp_mode(), "ipi.from-three"), "%s", line.text);
}

// Every CPU to all others at once, each waited for by its own count.
static volatile uint32_t everyone_done;

static void send_to_all(void)
{
    unsigned me = cpu_self(), vector = FROM + 0x11 * me;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        lapic_ipi(0, ICR_OTHERS | ICR_ASSERT | vector);
        for (unsigned cpu = 0; cpu < cpus; cpu++) {
            uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
            interrupts_on();
            while (cpu != me && taken(cpu, vector) <= i && rdtsc() < end)
                pause();
            interrupts_off();
        }
    }
    __atomic_fetch_add(&everyone_done, 1, __ATOMIC_SEQ_CST);
    interrupts_on();
    until(&everyone_done, cpus);
    interrupts_off();
}

static void all_to_all(void)
{
    struct line line = {.used = 0};
    taken_forget();
    everyone_done = 0;
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_begin(cpu, send_to_all);
    send_to_all();
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_finish(cpu);
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        uint32_t sum = 0;
        for (unsigned from = 0; from < cpus; from++)
            sum += taken(cpu, FROM + 0x11 * from);
        line_hex(&line, sum);
    }
    outcome(name_of(smp_mode(), "ipi.all-to-all"), "%s", line.text);
}

// The handler of one answers with an interrupt to the other.
static void answer(unsigned vector)
{
    if (vector == PING && taken(1, PING) <= ROUNDS)
        lapic_ipi(cpu_ids[0], ICR_ASSERT | PONG);
    else if (vector == PONG && taken(0, PONG) < ROUNDS)
        lapic_ipi(cpu_ids[1], ICR_ASSERT | PING);
}

static void ping_pong(void)
{
    struct line line = {.used = 0};
    taken_forget();
    inside_handler = answer;
    lapic_ipi(cpu_ids[1], ICR_ASSERT | PING);
    take_until(PONG, ROUNDS);
    settle();
    inside_handler = NULL;
    line_field(&line, "ping", taken(1, PING));
    line_field(&line, "pong", taken(0, PONG));
    outcome(name_of(smp_mode(), "ipi.ping-pong"), "%s", line.text);
}

// Sent while the receiver has interrupts off: taken once, in the order of their priority.
static volatile uint32_t closed, open_again;

static void interrupts_off_until_told(void)
{
    closed = 1;
    until(&open_again, 1);
    take_pending();
}

static void while_closed(void)
{
    struct line line = {.used = 0};
    taken_forget();
    closed = open_again = 0;
    cpu_begin(2, interrupts_off_until_told);
    until(&closed, 1);
    for (unsigned i = 0; i < 3; i++) {
        lapic_ipi(cpu_ids[2], ICR_ASSERT | VECTOR_LOW);
        lapic_ipi(cpu_ids[2], ICR_ASSERT | VECTOR_MID);
        lapic_ipi(cpu_ids[2], ICR_ASSERT | VECTOR_HIGH);
    }
    delay_us(500);
    line_field(&line, "while off", taken(2, VECTOR_LOW) + taken(2, VECTOR_MID));
    open_again = 1;
    cpu_finish(2);
    line_taken(&line, 2);
    outcome(name_of(smp_mode(), "ipi.interrupts-off"), "%s", line.text);
}

static void lowest_priority(void)
{
    uint32_t total = 0, twice = 0;
    taken_forget();
    const uint32_t all = 0xf; // in both modes
    for (unsigned vector = 0x60; vector < 0x80; vector++) {
        lapic_ipi(all, ICR_LOGICAL | ICR_LOWEST | ICR_ASSERT | vector);
        settle();
        uint32_t sum = 0;
        for (unsigned cpu = 0; cpu < cpus; cpu++)
            sum += taken(cpu, vector);
        total += sum;
        twice += sum > 1;
    }
    outcome(name_of(smp_mode(), "ipi.lowest-32"), "%u in all, %u of them more than once", total,
            twice);
    taken_forget();
}

void smp_ipi(void)
{
    from_three();
    all_to_all();
    ping_pong();
    while_closed();
    lowest_priority();
}
