// SPDX-License-Identifier: Apache-2.0
// INIT and start-up IPIs among the CPUs, and the state that an INIT leaves (SDM vol. 3, table
// "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT"; APM vol. 2, 14.1.3).

#include "tests/guests/equiv/device.h"

enum {
    LAST = 3,          // the CPU that is started and stopped here
    PROBE_PAGE = 0x72, // init_state.asm; the usual trampoline is in the next page
    BUSY_MS = 10,
    PROBE_FCW = 0x027f, // double precision: not what FNINIT leaves
};

// As in init_state.asm.
struct init_state {
    uint64_t efer, apic_base, pat, sysenter_cs, star, lstar, kernel_gs, gs_base, tsc;
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp;
    uint32_t cr0, cr2, cr3, cr4, dr0, dr6, dr7, flags;
    uint16_t cs, ds, es, fs, gs, ss, fcw, fsw;
    struct {
        uint16_t limit, base_low, base_high, unused;
    } gdtr, idtr;
};

extern const uint8_t init_probe[], init_probe_end[], init_probe_state[];

static void init(void)
{
    lapic_ipi(cpu_ids[LAST], ICR_INIT | ICR_ASSERT);
    delay_us(BUSY_MS * 1000);
}

static void sipi(uint8_t page)
{
    lapic_ipi(cpu_ids[LAST], ICR_STARTUP | ICR_ASSERT | page);
}

static volatile uint32_t loops;

static void count_loops(void)
{
    for (loops = 0; loops < UINT32_MAX; loops++)
        pause();
}

// A CPU that runs may stand still for a while on a busy machine.
static bool loops_go_on(void)
{
    uint32_t before = loops;
    uint64_t end = rdtsc() + 300 * tsc_khz();
    while (loops == before && rdtsc() < end)
        pause();
    return loops != before;
}

static void sequences(void)
{
    struct line line = {.used = 0};
    // Into a CPU that runs: SIPI changes nothing, INIT stops it, de-assert changes nothing.
    cpu_begin(LAST, count_loops);
    delay_us(1000);
    cpu_prepare(cpu_ids[LAST], 0x70, cpu_loop);
    sipi(0x70);
    line_field(&line, "after SIPI: loops", loops_go_on());
    lapic_ipi(cpu_ids[LAST], ICR_INIT | ICR_LEVEL);
    line_field(&line, "after INIT de-assert: loops", loops_go_on());
    init();
    line_field(&line, "after INIT: loops", loops_go_on());
    lapic_ipi(cpu_ids[LAST], ICR_INIT | ICR_LEVEL);
    line_field(&line, "after another de-assert: loops", loops_go_on());
    outcome(name_of(smp_mode(), "init.running"), "%s", line.text);
}

// Start-up pages at both ends; a second SIPI finds a CPU that runs.
static void pages(void)
{
    static const uint8_t numbers[] = {0x00, 0x01, 0x70, 0x9f};
    for (unsigned i = 0; i < COUNT(numbers); i++) {
        struct line line = {.used = 0};
        uint32_t before = cpu_arrivals(LAST);
        cpu_begin(LAST, NULL);
        init();
        cpu_prepare(cpu_ids[LAST], numbers[i], cpu_loop);
        sipi(numbers[i]);
        line_word(&line, cpu_arrived() ? "started" : "not started");
        delay_us(BUSY_MS * 1000);
        sipi(numbers[i]);
        sipi(numbers[i]);
        settle();
        line_field(&line, "arrivals", cpu_arrivals(LAST) - before);
        outcome(name_number(name_of(smp_mode(), "sipi.page-"), numbers[i], "start"), "%s",
                line.text);
    }
}

// Two INITs before the SIPI. Fixed interrupts sent in between are not looked at: emulators take or
// lose them by chance.
static void while_waiting(void)
{
    struct line line = {.used = 0};
    taken_forget();
    cpu_begin(LAST, NULL);
    init();
    init(); // a second one
    lapic_ipi(cpu_ids[1], ICR_ASSERT | VECTOR_HIGH);
    cpu_prepare(cpu_ids[LAST], 0x70, cpu_loop);
    sipi(0x70);
    line_word(&line, cpu_arrived() ? "started" : "not started");
    settle();
    line_field(&line, "to another", taken(1, VECTOR_HIGH));
    outcome(name_of(smp_mode(), "init.waiting"), "%s", line.text);
    taken_forget();
}

// Interrupts with exceptions' numbers wait in a CPU with interrupts off when an INIT comes to it.
static volatile uint32_t holding;

static void hold(void)
{
    holding = 1;
    for (;;)
        pause();
}

static void init_with_pending(void)
{
    uint32_t before = cpu_arrivals(LAST);
    holding = 0;
    cpu_begin(LAST, hold);
    until(&holding, 1);
    for (unsigned vector = 16; vector < 32; vector++)
        lapic_ipi(cpu_ids[LAST], ICR_ASSERT | vector);
    cpu_begin(LAST, NULL);
    init();
    bool up = cpu_sipi(cpu_ids[LAST], 0x70, cpu_loop);
    settle();
    outcome(name_of(smp_mode(), "init.pending"), "%s, arrivals %u", up ? "started" : "not started",
            cpu_arrivals(LAST) - before);
}

// INIT from the others by shorthand, each started again.
static void init_to_others(void)
{
    struct line line = {.used = 0};
    uint32_t before[MAX_GUEST_CPUS];
    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        before[cpu] = cpu_arrivals(cpu);
        cpu_begin(cpu, NULL);
    }
    lapic_ipi(0, ICR_OTHERS | ICR_INIT | ICR_ASSERT);
    delay_us(BUSY_MS * 1000);
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        line_word(&line, cpu_sipi(cpu_ids[cpu], 0x70, cpu_loop) ? "started" : "not started");
    settle();
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        line_hex(&line, cpu_arrivals(cpu) - before[cpu]);
    outcome(name_of(smp_mode(), "init.others"), "%s", line.text);
}

// ---- the state after INIT --------------------------------------------------------------------

static volatile bool marked;

// Leaves something in each register that an INIT may or may not keep, and waits for it.
static void mark_state(void)
{
    const uint16_t fcw = PROBE_FCW;
    lapic_write(LAPIC_TPR, 0x10);
    lapic_write(LAPIC_LVT_ERROR, VECTOR_ERROR);
    lapic_write(LAPIC_LVT_THERMAL, 0x10000 | VECTOR_LOW);
    lapic_write(LAPIC_TIMER_DIVIDE, 0x9);
    lapic_write(LAPIC_LVT_TIMER, 0x10000 | TIMER_VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, 0xf0000000);
    wrmsr(0x174, 0x1234);
    wrmsr(0xc0000082, 0x5678);
    wrmsr(0xc0000102, 0x9abc);
    wrmsr(0x277, 0x0007040600070404);
    __asm__ volatile("fninit\n\tfldcw %0\n\tfld1" : : "m"(fcw));
    __asm__ volatile("mov %0, %%dr0\n\tmov %1, %%cr2" : : "r"(0x1230ull), "r"(0x4560ull));
    marked = true;
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

static volatile struct {
    uint32_t id, version, tpr, ppr, ldr, dfr, svr, esr, timer, thermal, perf, lint0, lint1, error,
        initial, current, divide, icr;
} registers;

// The first thing that the CPU does after its start.
static void look_at_apic(void)
{
    registers.id = lapic_id();
    registers.tpr = lapic_read(LAPIC_TPR);
    registers.ppr = lapic_read(0xa0);
    registers.ldr = lapic_read(LAPIC_LDR);
    registers.dfr = x2apic_on() ? 0 : lapic_read(LAPIC_DFR);
    registers.svr = lapic_read(LAPIC_SVR);
    registers.esr = lapic_read(LAPIC_ESR);
    registers.icr = lapic_read(LAPIC_ICR);
    registers.timer = lapic_read(LAPIC_LVT_TIMER);
    registers.thermal = lapic_read(LAPIC_LVT_THERMAL);
    registers.perf = lapic_read(LAPIC_LVT_PMC);
    registers.lint0 = lapic_read(LAPIC_LVT_LINT0);
    registers.lint1 = lapic_read(LAPIC_LVT_LINT1);
    registers.error = lapic_read(LAPIC_LVT_ERROR);
    registers.initial = lapic_read(LAPIC_TIMER_INITIAL);
    registers.current = lapic_read(LAPIC_TIMER_CURRENT);
    registers.divide = lapic_read(LAPIC_TIMER_DIVIDE);
    cpu_loop();
}

static void say(const char *name, uint64_t value)
{
    outcome(name_of(name_of(smp_mode(), "after-init"), name), "0x%lx", value);
}

static void say_cpu(const volatile struct init_state *s, uint64_t tsc_before)
{
    struct line line = {.used = 0};
    say("cr0", s->cr0);
    say("cr2", s->cr2);
    say("cr3", s->cr3);
    say("cr4", s->cr4);
    say("efer", s->efer);
    say("flags", s->flags);
    say("dr0", s->dr0);
    say("dr6", s->dr6);
    say("dr7", s->dr7);
    say("signature", s->edx == cpuid(1, 0).eax);
    say("cs", s->cs);
    line_hex(&line, s->ds);
    line_hex(&line, s->es);
    line_hex(&line, s->fs);
    line_hex(&line, s->gs);
    line_hex(&line, s->ss);
    outcome(name_of(smp_mode(), "after-init.segments"), "%s", line.text);
    line.used = 0;
    line_hex(&line, s->eax);
    line_hex(&line, s->ebx);
    line_hex(&line, s->ecx);
    line_hex(&line, s->esi);
    line_hex(&line, s->edi);
    line_hex(&line, s->ebp);
    line_hex(&line, s->esp);
    outcome(name_of(smp_mode(), "after-init.general"), "%s", line.text);
    outcome(name_of(smp_mode(), "after-init.gdtr"), "base 0x%x%04x limit 0x%x", s->gdtr.base_high,
            s->gdtr.base_low, s->gdtr.limit);
    outcome(name_of(smp_mode(), "after-init.idtr"), "base 0x%x%04x limit 0x%x", s->idtr.base_high,
            s->idtr.base_low, s->idtr.limit);
    outcome(name_of(smp_mode(), "after-init.fpu"), "control 0x%x top %u", s->fcw, s->fsw >> 11 & 7);
    say("pat", s->pat);
    say("sysenter-cs", s->sysenter_cs);
    say("lstar", s->lstar);
    say("kernel-gs", s->kernel_gs);
    say("gs-base", s->gs_base);
    say("apic-base", s->apic_base);
    outcome(name_of(smp_mode(), "after-init.tsc"), "%s",
            s->tsc > tsc_before ? "goes on" : "set back");
}

static void say_apic(void)
{
    struct line line = {.used = 0};
    line_field(&line, "ID", registers.id);
    line_field(&line, "LDR", registers.ldr);
    line_field(&line, "DFR", registers.dfr);
    outcome(name_of(smp_mode(), "after-init.apic-ids"), "%s", line.text);
    line.used = 0;
    line_field(&line, "TPR", registers.tpr);
    line_field(&line, "PPR", registers.ppr);
    line_field(&line, "SVR", registers.svr);
    line_field(&line, "ESR", registers.esr);
    line_field(&line, "ICR", registers.icr);
    outcome(name_of(smp_mode(), "after-init.apic-control"), "%s", line.text);
    line.used = 0;
    line_hex(&line, registers.timer);
    line_hex(&line, registers.thermal);
    line_hex(&line, registers.perf);
    line_hex(&line, registers.lint0);
    line_hex(&line, registers.lint1);
    line_hex(&line, registers.error);
    outcome(name_of(smp_mode(), "after-init.apic-lvts"), "%s", line.text);
    line.used = 0;
    line_field(&line, "initial", registers.initial);
    line_field(&line, "current", registers.current);
    line_field(&line, "divide", registers.divide);
    outcome(name_of(smp_mode(), "after-init.apic-timer"), "%s", line.text);
}

static void state(void)
{
    uint8_t *page = (uint8_t *)(uintptr_t)(PROBE_PAGE << 12);
    const volatile struct init_state *s =
        (const volatile struct init_state *)(page + (init_probe_state - init_probe));
    memcpy(page, init_probe, (size_t)(init_probe_end - init_probe));
    marked = false;
    cpu_begin(LAST, mark_state);
    delay_us(BUSY_MS * 1000);
    uint64_t end = rdtsc() + LIMIT_MS * tsc_khz(), before = rdtsc();
    while (!marked && rdtsc() < end)
        pause();
    cpu_begin(LAST, NULL);
    init();
    cpu_prepare(cpu_ids[LAST], PROBE_PAGE + 1, look_at_apic);
    sipi(PROBE_PAGE);
    bool up = cpu_arrived();
    settle();
    outcome(name_of(smp_mode(), "after-init.started"), "%s", up ? "yes" : "no");
    say_cpu(s, before);
    say_apic();
}

void smp_init(void)
{
    if (cpus != LAST + 1)
        return;
    sequences();
    pages();
    while_waiting();
    state();
    init_with_pending();
    init_to_others();
}
