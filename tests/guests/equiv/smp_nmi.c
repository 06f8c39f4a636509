// SPDX-License-Identifier: Apache-2.0
// NMIs between CPUs: they wake a halted CPU whatever IF says, one at a time until IRET, and one
// more is remembered (SDM vol. 3, "Handling Multiple NMIs"; APM vol. 2, 8.2.3).

#include "tests/guests/equiv/device.h"

enum { RECEIVER = 1, BREAKPOINT = 3 };

// Written by the receiver but for `release`.
static volatile uint32_t in_handler, depth, deepest, handled, release, wakes, ready;

static void hold_first(unsigned vector)
{
    if (vector != VECTOR_NMI)
        return;
    depth++;
    if (depth > deepest)
        deepest = depth;
    handled++;
    if (handled == 1) {
        in_handler = 1;
        until(&release, 1);
    }
    depth--;
}

static void breakpoint(struct trap_frame *frame)
{
    (void)frame;
}

// An exception's IRET inside the handler ends the blocking.
static void breakpoint_in_first(unsigned vector)
{
    if (vector != VECTOR_NMI)
        return;
    depth++;
    if (depth > deepest)
        deepest = depth;
    handled++;
    if (handled == 1) {
        in_handler = 1;
        until(&release, 1);
        __asm__ volatile("int3\n\tnop\n\tnop");
        for (unsigned i = 0; i < 100; i++)
            pause();
    }
    depth--;
}

static void send_nmi(unsigned cpu)
{
    lapic_ipi(cpu_ids[cpu], ICR_NMI | ICR_ASSERT);
}

// One NMI whose handler stays until two more have been sent.
static void three(const char *name, void (*inside)(unsigned vector))
{
    struct line line = {.used = 0};
    taken_forget();
    in_handler = depth = deepest = handled = release = 0;
    inside_handler = inside;
    send_nmi(RECEIVER);
    line_field(&line, "entered", until(&in_handler, 1));
    send_nmi(RECEIVER);
    send_nmi(RECEIVER);
    send_nmi(RECEIVER);
    delay_us(3000);
    line_field(&line, "meanwhile", taken(RECEIVER, VECTOR_NMI));
    release = 1;
    until(&handled, 2);
    settle();
    inside_handler = NULL;
    line_field(&line, "in all", taken(RECEIVER, VECTOR_NMI));
    line_field(&line, "deepest", deepest);
    outcome(name_of(smp_mode(), name), "%s", line.text);
}

// ---- halted CPUs -------------------------------------------------------------------------------

static void halt_with_interrupts_off(void)
{
    ready = 1;
    for (wakes = 0; wakes < 5;) {
        __asm__ volatile("cli\n\thlt" : : : "memory");
        wakes++;
    }
}

static void halt_with_interrupts_on(void)
{
    ready = 1;
    for (wakes = 0; wakes < 5;) {
        wait_for_interrupt();
        wakes++;
    }
}

// Sends until the receiver has woken once more: an NMI that comes before its HLT wakes nobody.
static bool woken(uint32_t before, uint32_t icr)
{
    for (unsigned tries = 0; tries < 200 && wakes == before; tries++) {
        lapic_ipi(cpu_ids[RECEIVER], icr);
        uint64_t end = rdtsc() + 20 * tsc_khz();
        while (wakes == before && rdtsc() < end)
            pause();
    }
    return wakes > before;
}

static void wake(const char *name, void (*job)(void), uint32_t icr)
{
    struct line line = {.used = 0};
    taken_forget();
    ready = wakes = 0;
    cpu_begin(RECEIVER, job);
    until(&ready, 1);
    for (uint32_t i = 0; i < 5; i++) {
        line_word(&line, woken(i, icr) ? "woken" : "asleep");
    }
    line_field(&line, "ends", cpu_finish(RECEIVER));
    outcome(name_of(smp_mode(), name), "%s", line.text);
}

// A fixed interrupt does not wake a CPU that halts with IF=0; the NMI that does lets it wait on.
static void fixed_does_not_wake(void)
{
    struct line line = {.used = 0};
    taken_forget();
    ready = wakes = 0;
    cpu_begin(RECEIVER, halt_with_interrupts_off);
    until(&ready, 1);
    delay_us(300);
    lapic_ipi(cpu_ids[RECEIVER], ICR_ASSERT | VECTOR_MID);
    delay_us(2000);
    line_field(&line, "wakes by fixed", wakes);
    for (uint32_t i = 0; i < 5; i++)
        line_word(&line, woken(i, ICR_NMI | ICR_ASSERT) ? "woken" : "asleep");
    line_field(&line, "ends", cpu_finish(RECEIVER));
    settle();
    line_field(&line, "fixed afterwards", taken(RECEIVER, VECTOR_MID));
    outcome(name_of(smp_mode(), "nmi.hlt-masked"), "%s", line.text);
}

// ---- on this CPU -------------------------------------------------------------------------------

static void self(void)
{
    struct line line = {.used = 0};
    taken_forget();
    send_nmi(0);
    take_pending();
    line_field(&line, "taken", taken(0, VECTOR_NMI));
    for (unsigned i = 0; i < 9; i++) {
        send_nmi(0);
        take_pending();
    }
    line_field(&line, "of ten", taken(0, VECTOR_NMI));
    outcome(name_of(smp_mode(), "nmi.self"), "%s", line.text);
    // With interrupts off, and no instruction that turns them on.
    taken_forget();
    interrupts_off();
    send_nmi(0);
    for (unsigned i = 0; i < 1000 && !taken(0, VECTOR_NMI); i++)
        pause();
    outcome(name_of(smp_mode(), "nmi.self-interrupts-off"), "%u", taken(0, VECTOR_NMI));
    // Both wait at the end of the same instruction: the NMI is first.
    line.used = 0;
    taken_forget();
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | VECTOR_MID);
    if (!x2apic_on())
        lapic_write(LAPIC_ICR_HIGH, cpu_ids[0] << 24);
    interrupts_on();
    interrupts_off();
    taken_forget();
    outcome(name_of(smp_mode(), "nmi.after-sti-cli"), "%u interrupts between STI and CLI",
            taken(0, VECTOR_MID));
    take_pending();
}

// STI, and in its shadow the instruction that sends the NMI, with an interrupt pending.
static void in_sti_shadow(void)
{
    struct line line = {.used = 0};
    const uint32_t icr = ICR_NMI | ICR_ASSERT;
    taken_forget();
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | VECTOR_MID);
    if (x2apic_on()) {
        __asm__ volatile("sti\n\twrmsr\n\tnop\n\tcli"
                         :
                         : "c"(0x830), "a"(icr), "d"(cpu_ids[0])
                         : "memory");
    } else {
        lapic_write(LAPIC_ICR_HIGH, cpu_ids[0] << 24);
        __asm__ volatile("sti\n\tmovl %0, (%1)\n\tnop\n\tcli"
                         :
                         : "r"(icr), "r"(0xfee00000ull + LAPIC_ICR)
                         : "memory");
    }
    take_pending();
    line_field(&line, "NMI", taken(0, VECTOR_NMI));
    line_field(&line, "fixed", taken(0, VECTOR_MID));
    outcome(name_of(smp_mode(), "nmi.sti-shadow"), "%s", line.text);
    taken_forget();
}

void smp_nmi(void)
{
    set_handler(BREAKPOINT, breakpoint);
    three("nmi.blocked-until-iret", hold_first);
    three("nmi.unblocked-by-nested-iret", breakpoint_in_first);
    wake("nmi.wakes-hlt", halt_with_interrupts_on, ICR_NMI | ICR_ASSERT);
    wake("nmi.wakes-hlt-interrupts-off", halt_with_interrupts_off, ICR_NMI | ICR_ASSERT);
    wake("ipi.wakes-hlt", halt_with_interrupts_on, ICR_ASSERT | VECTOR_MID);
    fixed_does_not_wake();
    self();
    in_sti_shadow();
    set_handler(BREAKPOINT, NULL);
}
