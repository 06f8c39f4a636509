// SPDX-License-Identifier: Apache-2.0
// The interrupt command register: shorthands, physical destinations, delivery modes, and what it
// reads back. Each line is how often each CPU took the interrupt.

#include "tests/guests/equiv/device.h"

enum { DELIVERY_STATUS = 1 << 12 };

static void say_counts(const char *name, unsigned vector)
{
    struct line line = {.used = 0};
    settle();
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        line_hex(&line, taken(cpu, vector));
    outcome(name_of(apic_mode(), name), "%s", line.text);
    taken_forget();
}

static uint32_t everybody(void)
{
    return x2apic_on() ? UINT32_MAX : 0xff;
}

static void shorthands(void)
{
    static const struct {
        const char *name;
        uint32_t icr;
        unsigned vector;
    } sent[] = {
        {"icr.self", ICR_SELF | ICR_ASSERT | VECTOR_MID, VECTOR_MID},
        {"icr.self-no-assert", ICR_SELF | VECTOR_MID, VECTOR_MID},
        {"icr.self-logical-bit", ICR_SELF | ICR_LOGICAL | ICR_ASSERT | VECTOR_MID, VECTOR_MID},
        {"icr.all", ICR_ALL | ICR_ASSERT | VECTOR_MID, VECTOR_MID},
        {"icr.others", ICR_OTHERS | ICR_ASSERT | VECTOR_MID, VECTOR_MID},
        {"icr.others-nmi", ICR_OTHERS | ICR_NMI | ICR_ASSERT, VECTOR_NMI},
        {"icr.others-nmi-vector", ICR_OTHERS | ICR_NMI | ICR_ASSERT | VECTOR_MID, VECTOR_NMI},
    };
    for (unsigned i = 0; i < COUNT(sent); i++) {
        // The destination field says somebody else, and must not count.
        lapic_ipi(cpu_ids[2], sent[i].icr);
        say_counts(sent[i].name, sent[i].vector);
    }
}

static void physical(void)
{
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        struct line line = {.used = 0};
        lapic_ipi(cpu_ids[cpu], ICR_FIXED | ICR_ASSERT | VECTOR_HIGH);
        settle();
        for (unsigned i = 0; i < cpus; i++)
            line_hex(&line, taken(i, VECTOR_HIGH));
        taken_forget();
        lapic_ipi(cpu_ids[cpu], ICR_LOWEST | ICR_ASSERT | VECTOR_HIGH);
        settle();
        line_word(&line, "lowest priority");
        for (unsigned i = 0; i < cpus; i++)
            line_hex(&line, taken(i, VECTOR_HIGH));
        taken_forget();
        lapic_ipi(cpu_ids[cpu], ICR_NMI | ICR_ASSERT);
        settle();
        line_word(&line, "NMI");
        for (unsigned i = 0; i < cpus; i++)
            line_hex(&line, taken(i, VECTOR_NMI));
        taken_forget();
        outcome(name_number(name_of(apic_mode(), "icr.cpu-"), cpu, "physical"), "fixed %s",
                line.text);
    }
}

static void odd_destinations(void)
{
    lapic_ipi(everybody(), ICR_ASSERT | VECTOR_LOW);
    say_counts("icr.broadcast", VECTOR_LOW);
    lapic_ipi(everybody(), ICR_LOGICAL | ICR_ASSERT | VECTOR_LOW);
    say_counts("icr.broadcast-logical", VECTOR_LOW);
    lapic_ipi(NOBODY, ICR_ASSERT | VECTOR_LOW);
    say_counts("icr.nobody", VECTOR_LOW);
    lapic_ipi(NOBODY, ICR_NMI | ICR_ASSERT);
    say_counts("icr.nobody-nmi", VECTOR_NMI);
    lapic_ipi(cpus, ICR_ASSERT | VECTOR_LOW);
    say_counts("icr.next-id", VECTOR_LOW);
    lapic_ipi(cpu_ids[1], ICR_ASSERT | 0x1f); // the least that no exception has
    say_counts("icr.vector-31", 0x1f);
    lapic_ipi(cpu_ids[1], ICR_ASSERT | ICR_LEVEL | VECTOR_LOW);
    say_counts("icr.level-assert", VECTOR_LOW);
    lapic_ipi(cpu_ids[1], ICR_NMI | ICR_LEVEL | ICR_ASSERT);
    say_counts("icr.nmi-level-assert", VECTOR_NMI);
    // INIT level de-assert: nothing listens.
    lapic_ipi(0, ICR_ALL | ICR_INIT | ICR_LEVEL);
    lapic_ipi(cpu_ids[1], ICR_ASSERT | VECTOR_LOW);
    say_counts("icr.init-deassert", VECTOR_LOW);
    // A start-up IPI to CPUs that run: ignored.
    uint32_t before = cpu_arrivals(1) + cpu_arrivals(2) + cpu_arrivals(3);
    lapic_ipi(0, ICR_OTHERS | ICR_STARTUP | ICR_ASSERT | 0x70);
    settle();
    outcome(name_of(apic_mode(), "icr.sipi-running"), "started again %u",
            cpu_arrivals(1) + cpu_arrivals(2) + cpu_arrivals(3) - before);
}

// Many of one kind, each waited for: none is lost and none comes twice.
static void many(void)
{
    struct line line = {.used = 0};
    for (unsigned i = 0; i < 20; i++) {
        lapic_ipi(0, ICR_OTHERS | ICR_ASSERT | VECTOR_MID);
        settle();
    }
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        line_hex(&line, taken(cpu, VECTOR_MID));
    outcome(name_of(apic_mode(), "icr.broadcast-20"), "%s", line.text);
    taken_forget();
    line.used = 0;
    for (unsigned i = 0; i < 10; i++) {
        lapic_ipi(0, ICR_OTHERS | ICR_NMI | ICR_ASSERT);
        settle();
    }
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        line_hex(&line, taken(cpu, VECTOR_NMI));
    outcome(name_of(apic_mode(), "icr.nmi-broadcast-10"), "%s", line.text);
    taken_forget();
}

static void read_back(void)
{
    static const struct {
        const char *name;
        uint32_t destination, low;
    } values[] = {
        {"fixed", NOBODY, ICR_ASSERT | VECTOR_MID},
        {"logical", 0, ICR_LOGICAL | ICR_LOWEST | ICR_ASSERT | 0x77},
        {"level", NOBODY, ICR_LEVEL | ICR_ASSERT | 0x88},
        {"self", 3, ICR_SELF | ICR_ASSERT | VECTOR_LOW},
        {"illegal", NOBODY, ICR_ASSERT | 0xf},
        {"nmi", NOBODY, ICR_NMI | ICR_ASSERT | 0x12},
        {"deassert", NOBODY, ICR_INIT | ICR_LEVEL},
    };
    for (unsigned i = 0; i < COUNT(values); i++) {
        struct line line = {.used = 0};
        lapic_ipi(values[i].destination, values[i].low);
        if (x2apic_on()) {
            line_hex(&line, rdmsr(0x830));
        } else {
            line_hex(&line, lapic_read(LAPIC_ICR_HIGH));
            line_hex(&line, lapic_read(LAPIC_ICR));
        }
        settle();
        outcome(name_of(name_of(apic_mode(), "icr-reads"), values[i].name), "%s", line.text);
    }
    taken_forget();
    if (x2apic_on())
        return;
    lapic_write(LAPIC_ICR_HIGH, UINT32_MAX);
    lapic_write(LAPIC_ICR, DELIVERY_STATUS | ICR_SELF | ICR_ASSERT | VECTOR_LOW);
    uint32_t low = lapic_read(LAPIC_ICR);
    settle();
    outcome("apic.xapic.icr-status", "delivery status %u, taken %u", low >> 12 & 1,
            taken(0, VECTOR_LOW));
    // The destination is kept for the next command.
    lapic_write(LAPIC_ICR_HIGH, cpu_ids[1] << 24);
    lapic_write(LAPIC_ICR, ICR_ASSERT | VECTOR_LOW);
    settle();
    lapic_write(LAPIC_ICR, ICR_ASSERT | VECTOR_MID);
    settle();
    outcome("apic.xapic.icr-high-kept", "first %u second %u", taken(1, VECTOR_LOW),
            taken(1, VECTOR_MID));
    taken_forget();
    lapic_write(LAPIC_ICR_HIGH, cpu_ids[1] << 24);
    settle();
    outcome("apic.xapic.icr-high-alone", "%u", taken(1, VECTOR_MID) + taken(1, VECTOR_LOW));
}

void apic_icr(void)
{
    taken_forget();
    shorthands();
    physical();
    odd_destinations();
    many();
    read_back();
    taken_forget();
}
