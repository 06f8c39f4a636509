// SPDX-License-Identifier: Apache-2.0
// Logical destinations: the flat and the cluster model of xAPIC mode, and the IDs of x2APIC mode,
// which follow from the APIC ID. Each line is how often each CPU took the interrupt.

#include "tests/guests/equiv/device.h"

enum { DFR_CLUSTER = 0x0fffffff };

static void send(const char *name, uint32_t destination, uint32_t icr)
{
    struct line line = {.used = 0};
    unsigned total = 0;
    taken_forget();
    lapic_ipi(destination, ICR_LOGICAL | ICR_ASSERT | icr | VECTOR_MID);
    settle();
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        unsigned count = taken(cpu, icr & ICR_NMI ? VECTOR_NMI : VECTOR_MID);
        total += count;
        line_hex(&line, count);
    }
    // Which CPU gets one with lowest priority is the processors' own choice.
    if (icr & ICR_LOWEST)
        outcome(name_of(apic_mode(), name), "%u in all", total);
    else
        outcome(name_of(apic_mode(), name), "%s", line.text);
}

static volatile uint32_t wanted_dfr;
static volatile uint8_t wanted_ldr[MAX_GUEST_CPUS];

static void take_ids(void)
{
    lapic_write(LAPIC_DFR, wanted_dfr);
    lapic_write(LAPIC_LDR, (uint32_t)wanted_ldr[cpu_self()] << 24);
}

static void give_ids(uint32_t dfr, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const uint8_t ids[] = {a, b, c, d};
    wanted_dfr = dfr;
    for (unsigned cpu = 0; cpu < COUNT(ids); cpu++)
        wanted_ldr[cpu] = ids[cpu];
    take_ids();
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_do(cpu, take_ids);
}

static void flat(void)
{
    give_ids(UINT32_MAX, 0x01, 0x02, 0x04, 0x08);
    send("flat.one", 0x04, 0);
    send("flat.two", 0x0a, 0);
    send("flat.all", 0x0f, 0);
    send("flat.none", 0xf0, 0);
    send("flat.zero", 0x00, 0);
    send("flat.some-absent", 0x12, 0);
    send("flat.nmi", 0x06, ICR_NMI);
    send("flat.lowest-all", 0x0f, ICR_LOWEST);
    send("flat.lowest-two", 0x0c, ICR_LOWEST);
    send("flat.lowest-none", 0x30, ICR_LOWEST);
    give_ids(UINT32_MAX, 0x11, 0x21, 0x80, 0x00);
    send("flat.shared-bit", 0x01, 0);
    send("flat.high-bits", 0xb0, 0);
    send("flat.no-id", 0x0e, 0);
}

static void cluster(void)
{
    give_ids(DFR_CLUSTER, 0x11, 0x12, 0x21, 0x24);
    send("cluster.one", 0x12, 0);
    send("cluster.whole", 0x1f, 0);
    send("cluster.other", 0x2f, 0);
    send("cluster.one-of-other", 0x24, 0);
    send("cluster.no-member", 0x14, 0);
    send("cluster.no-cluster", 0x3f, 0);
    send("cluster.zero-members", 0x10, 0);
    send("cluster.nmi", 0x2f, ICR_NMI);
    send("cluster.lowest", 0x1f, ICR_LOWEST);
    give_ids(UINT32_MAX, 0x01, 0x02, 0x04, 0x08);
}

static void by_id(void)
{
    send("logical.one", 0x4, 0);
    send("logical.two", 0x9, 0);
    send("logical.all", 0xf, 0);
    send("logical.absent", 0xf0, 0);
    send("logical.zero", 0, 0);
    send("logical.other-cluster", 0x1000f, 0);
    send("logical.whole-cluster", 0xffff, 0);
    send("logical.nmi", 0x6, ICR_NMI);
    send("logical.lowest", 0xf, ICR_LOWEST);
    send("logical.lowest-two", 0x6, ICR_LOWEST);
    struct line line = {.used = 0};
    line_hex(&line, lapic_read(LAPIC_LDR));
    outcome("apic.x2apic.ldr", "%s", line.text);
}

// Software-disabled until told, with interrupts on: such a CPU is reached by NMI only.
static volatile uint32_t disabled, enable_again;

static void disable(void)
{
    lapic_write(LAPIC_SVR, 0x0ff);
    disabled = 1;
    interrupts_on();
    until(&enable_again, 1);
    interrupts_off();
    apic_prepare();
}

static void to_disabled(void)
{
    struct line line = {.used = 0};
    taken_forget();
    disabled = enable_again = 0;
    cpu_begin(1, disable);
    until(&disabled, 1);
    lapic_ipi(cpu_ids[1], ICR_ASSERT | VECTOR_MID);
    lapic_ipi(cpu_ids[1], ICR_NMI | ICR_ASSERT);
    until_taken(1, VECTOR_NMI, 1);
    delay_us(1000);
    line_field(&line, "fixed", taken(1, VECTOR_MID));
    line_field(&line, "NMI", taken(1, VECTOR_NMI));
    enable_again = 1;
    cpu_finish(1);
    settle();
    line_field(&line, "fixed after enabling", taken(1, VECTOR_MID));
    lapic_ipi(cpu_ids[1], ICR_ASSERT | VECTOR_MID);
    settle();
    line_field(&line, "and another", taken(1, VECTOR_MID));
    outcome(name_of(apic_mode(), "icr.to-disabled"), "%s", line.text);
    taken_forget();
}

void apic_logical(void)
{
    if (x2apic_on()) {
        by_id();
    } else {
        flat();
        cluster();
    }
    to_disabled();
}
