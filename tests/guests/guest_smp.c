// SPDX-License-Identifier: Apache-2.0
// smp.elf: starts its CPUs by INIT and start-up IPI with vector 0 and with another, and sends every
// kind of IPI among them, in xAPIC and then in x2APIC mode. One line per check.

#include "tests/guests/guest.h"

enum {
    IPI_VECTOR = 0x51,
    LOW_VECTOR = 0x41,
    SIPI_OTHER = 0x70,
    NO_SUCH_CPU = 0x5c,
};

static unsigned cpus;
static uint32_t ids[MAX_GUEST_CPUS];
// Each written by its own CPU only, read by the boot CPU.
static volatile uint64_t ipis[MAX_GUEST_CPUS], nmis[MAX_GUEST_CPUS], loops[MAX_GUEST_CPUS];
static volatile uint32_t seen_id[MAX_GUEST_CPUS];
static volatile bool alive[MAX_GUEST_CPUS];
// Set by the boot CPU: APs switch to x2APIC mode and say so.
static volatile bool want_x2apic, in_x2apic[MAX_GUEST_CPUS];
static const char *mode;

static unsigned self(void)
{
    uint32_t id = lapic_id();
    for (unsigned i = 0; i < cpus; i++) {
        if (ids[i] == id)
            return i;
    }
    return 0;
}

static void ipi_handler(struct trap_frame *frame)
{
    (void)frame;
    ipis[self()]++;
    lapic_eoi();
}

static void nmi_handler(struct trap_frame *frame)
{
    (void)frame;
    nmis[self()]++;
}

static void prepare_apic(unsigned index)
{
    lapic_enable();
    if (!x2apic_on()) {
        lapic_write(LAPIC_DFR, UINT32_MAX); // flat
        lapic_write(LAPIC_LDR, 1u << (24 + index));
    }
}

static void ap_loop(void)
{
    unsigned me = self();
    prepare_apic(me);
    seen_id[me] = lapic_id();
    alive[me] = true;
    for (;;) {
        loops[me]++;
        if (want_x2apic && !x2apic_on()) {
            interrupts_off();
            x2apic_enable();
            prepare_apic(me);
            in_x2apic[me] = true;
        }
        interrupts_on();
        pause();
    }
}

// An AP that sleeps with interrupts on, so that IPIs have to wake it.
static void ap_sleep(void)
{
    unsigned me = self();
    prepare_apic(me);
    seen_id[me] = lapic_id();
    alive[me] = true;
    for (;;)
        wait_for_interrupt();
}

static bool wait_for(volatile uint64_t *word, uint64_t value)
{
    uint64_t end = rdtsc() + FAILED_MS * tsc_khz();
    interrupts_on();
    while (*word != value && rdtsc() < end)
        pause();
    // A second one would be as wrong as none.
    delay_us(200);
    interrupts_off();
    return *word == value;
}

// A CPU that has been started says so itself; under emulation it may take its time.
static bool wait_alive(unsigned index)
{
    uint64_t end = rdtsc() + FAILED_MS * tsc_khz();
    while (!alive[index] && rdtsc() < end)
        pause();
    return alive[index];
}

static bool wait_loops(unsigned index)
{
    uint64_t before = loops[index], end = rdtsc() + FAILED_MS * tsc_khz();
    while (loops[index] == before && rdtsc() < end)
        pause();
    return loops[index] != before;
}

static void clear_counts(void)
{
    for (unsigned i = 0; i < cpus; i++)
        ipis[i] = nmis[i] = 0;
}

// All of `counts` must reach: 1 for CPUs in the mask, 0 for the others.
static void expect(volatile uint64_t *counts, uint32_t mask, const char *what)
{
    bool good = true;
    for (unsigned i = 0; i < cpus; i++)
        good &= wait_for(&counts[i], mask >> i & 1);
    check(good, "%s %s", mode, what);
    if (!good) {
        for (unsigned i = 0; i < cpus; i++)
            print("  cpu %u: %lu, expected %u\n", i, counts[i], mask >> i & 1);
    }
    clear_counts();
}

static uint32_t logical_id(unsigned index)
{
    if (!x2apic_on())
        return 1u << index;
    return (ids[index] >> 4) << 16 | 1u << (ids[index] & 15);
}

static void test_ipis(void)
{
    const uint32_t everyone = (1u << cpus) - 1, others = everyone & ~1u;
    uint32_t all_logical = 0;
    mode = x2apic_on() ? "x2apic" : "xapic";
    clear_counts();

    for (unsigned i = 0; i < cpus; i++) {
        lapic_ipi(ids[i], ICR_FIXED | ICR_ASSERT | IPI_VECTOR);
        expect(ipis, 1u << i, i ? "fixed to another" : "fixed to itself");
        lapic_ipi(logical_id(i), ICR_LOGICAL | ICR_ASSERT | IPI_VECTOR);
        expect(ipis, 1u << i, "logical to one");
        all_logical |= logical_id(i);
    }
    lapic_ipi(all_logical, ICR_LOGICAL | ICR_ASSERT | IPI_VECTOR);
    expect(ipis, everyone, "logical to all");
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | IPI_VECTOR);
    expect(ipis, 1, "shorthand self");
    lapic_ipi(0, ICR_ALL | ICR_ASSERT | IPI_VECTOR);
    expect(ipis, everyone, "shorthand all");
    lapic_ipi(0, ICR_OTHERS | ICR_ASSERT | IPI_VECTOR);
    expect(ipis, others, "shorthand others");
    lapic_ipi(x2apic_on() ? UINT32_MAX : 0xff, ICR_ASSERT | IPI_VECTOR);
    expect(ipis, everyone, "broadcast destination");
    if (x2apic_on()) {
        wrmsr(0x83f, IPI_VECTOR);
        expect(ipis, 1, "self-IPI register");
    }

    for (unsigned i = 1; i < cpus; i++) {
        lapic_ipi(ids[i], ICR_NMI | ICR_ASSERT);
        expect(nmis, 1u << i, "NMI to another");
    }
    if (cpus > 1) {
        lapic_ipi(0, ICR_OTHERS | ICR_NMI | ICR_ASSERT);
        expect(nmis, others, "NMI to others");
        lapic_ipi(all_logical & ~logical_id(0), ICR_LOGICAL | ICR_NMI | ICR_ASSERT);
        expect(nmis, others, "NMI logical");
    }
    lapic_ipi(ids[0], ICR_NMI | ICR_ASSERT);
    expect(nmis, 1, "NMI to itself");

    // Nobody of this partition: must reach nobody, and not stop the sender.
    lapic_ipi(NO_SUCH_CPU, ICR_FIXED | ICR_ASSERT | IPI_VECTOR);
    expect(ipis, 0, "fixed to nobody");
    lapic_ipi(NO_SUCH_CPU, ICR_NMI | ICR_ASSERT);
    expect(nmis, 0, "NMI to nobody");

    // Priorities: held back while the task priority is as high, delivered when it drops.
    lapic_write(LAPIC_TPR, 0x50);
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | LOW_VECTOR);
    expect(ipis, 0, "held back by the task priority");
    lapic_write(LAPIC_TPR, 0);
    expect(ipis, 1, "delivered when the priority drops");
}

static void test_start(void)
{
    bool good = true;
    mode = x2apic_on() ? "x2apic" : "xapic";
    for (unsigned i = 1; i < cpus; i++) {
        bool up = cpu_start(ids[i], i & 1 ? 0 : SIPI_OTHER, ap_loop);
        check(up, "%s start cpu %u with vector 0x%x", mode, i, i & 1 ? 0 : SIPI_OTHER);
        good &= up && wait_alive(i) && seen_id[i] == ids[i];
    }
    check(good, "%s each cpu has its own APIC ID", mode);
}

static void test_init(void)
{
    if (cpus < 2)
        return;
    mode = x2apic_on() ? "x2apic" : "xapic";
    unsigned last = cpus - 1;
    // A start-up IPI to a CPU that runs does nothing.
    alive[last] = false;
    lapic_ipi(ids[last], ICR_STARTUP | ICR_ASSERT | SIPI_OTHER);
    delay_us(20000);
    check(wait_loops(last) && !alive[last], "%s start-up IPI to a running cpu", mode);

    lapic_ipi(ids[last], ICR_INIT | ICR_ASSERT);
    delay_us(20000);
    uint64_t before = loops[last];
    delay_us(20000);
    check(loops[last] == before, "%s INIT stops a running cpu", mode);
    lapic_ipi(ids[last], ICR_INIT | ICR_LEVEL); // de-assert: no effect on these CPUs
    // What is sent to it now is lost.
    check(cpu_sipi(ids[last], SIPI_OTHER, ap_sleep), "%s start it again with vector 0x%x", mode,
          SIPI_OTHER);
    wait_alive(last);
    clear_counts();
    mode = x2apic_on() ? "x2apic, asleep:" : "xapic, asleep:";
    lapic_ipi(ids[last], ICR_FIXED | ICR_ASSERT | IPI_VECTOR);
    expect(ipis, 1u << last, "fixed wakes it");
    lapic_ipi(ids[last], ICR_NMI | ICR_ASSERT);
    expect(nmis, 1u << last, "NMI wakes it");

    mode = x2apic_on() ? "x2apic" : "xapic";
    alive[last] = false;
    check(cpu_start(ids[last], 0, ap_loop) && wait_alive(last),
          "%s start it from sleep with vector 0", mode);
}

void run_guest(void)
{
    print("hello from smp\n");
    set_handler(IPI_VECTOR, ipi_handler);
    set_handler(LOW_VECTOR, ipi_handler);
    set_handler(2, nmi_handler);
    cpus = acpi_cpus(ids, MAX_GUEST_CPUS);
    print("%u cpus\n", cpus);
    if (cpus == 0 || cpus > 8) {
        check(false, "from 1 to 8 cpus in the MADT");
        cpus = 1;
    }
    check(ids[0] == lapic_id(), "the boot cpu is the first of the MADT");
    tsc_khz();

    if (!x2apic_on()) {
        prepare_apic(0);
        test_start();
        test_ipis();
        test_init();
    }
    if (!x2apic_available()) {
        print("skip x2apic: not offered\n");
    } else {
        x2apic_enable();
        prepare_apic(0);
        want_x2apic = true;
        bool good = true;
        uint64_t end = rdtsc() + FAILED_MS * tsc_khz();
        for (unsigned i = 1; i < cpus; i++) {
            while (!in_x2apic[i] && rdtsc() < end)
                pause();
            good &= in_x2apic[i];
        }
        check(good, "all cpus switch to x2APIC mode");
        check(lapic_id() == ids[0], "x2apic the boot cpu keeps its ID");
        test_ipis();
        test_init();
    }
    check_summary();
}
