// SPDX-License-Identifier: Apache-2.0
// The modes of IA32_APIC_BASE and the steps between them (SDM vol. 3, "x2APIC State Transitions"):
// which are allowed, what CPUID says, and what the registers hold after each.

#include "tests/guests/equiv/device.h"

enum {
    MSR_APIC_BASE = 0x1b,
    BSP = 1 << 8,
    EXTD = 1 << 10,
    ENABLE = 1 << 11,
    MODE = EXTD | ENABLE,
};

static uint64_t base(void)
{
    return rdmsr(MSR_APIC_BASE);
}

static int to_mode(uint64_t mode)
{
    return try_wrmsr(MSR_APIC_BASE, (base() & ~(uint64_t)MODE) | mode);
}

static bool cpuid_says_apic(void)
{
    return cpuid(1, 0).edx >> 9 & 1;
}

// One step, and what is seen after it.
static void step(const char *name, uint64_t mode)
{
    int vector = to_mode(mode);
    uint64_t value;
    int msr = try_rdmsr(0x802, &value);
    outcome(name_of("apic.mode.step", name),
            "%s, then mode bits 0x%lx, CPUID APIC %u, MSR 0x802 %s", attempt(vector), base() & MODE,
            cpuid_says_apic(), attempt(msr));
}

// Registers that a reset would change.
static void mark(void)
{
    lapic_write(LAPIC_TPR, 0x25);
    lapic_write(LAPIC_SVR, 0x1e7);
    lapic_write(LAPIC_LVT_ERROR, VECTOR_ERROR);
    lapic_write(LAPIC_LVT_THERMAL, 0x10000 | VECTOR_LOW);
    lapic_write(LAPIC_TIMER_DIVIDE, 0x9);
    lapic_write(LAPIC_ESR, 0);
}

static void say_registers(const char *name)
{
    struct line line = {.used = 0};
    line_field(&line, "ID", lapic_id());
    line_field(&line, "TPR", lapic_read(LAPIC_TPR));
    line_field(&line, "SVR", lapic_read(LAPIC_SVR));
    line_field(&line, "error", lapic_read(LAPIC_LVT_ERROR));
    line_field(&line, "thermal", lapic_read(LAPIC_LVT_THERMAL));
    line_field(&line, "divide", lapic_read(LAPIC_TIMER_DIVIDE));
    if (!x2apic_on()) {
        line_field(&line, "LDR", lapic_read(LAPIC_LDR));
        line_field(&line, "DFR", lapic_read(LAPIC_DFR));
        line_field(&line, "ICR", lapic_read(LAPIC_ICR_HIGH));
    } else {
        line_field(&line, "LDR", lapic_read(LAPIC_LDR));
        line_field(&line, "ICR high", rdmsr(0x830) >> 32);
    }
    outcome(name_of("apic.mode", name), "%s", line.text);
}

static void reserved(void)
{
    static const struct {
        const char *name;
        uint64_t bit;
    } bits[] = {
        {"reserved.0", 1},           {"reserved.7", 1 << 7},      {"reserved.9", 1 << 9},
        {"reserved.52", 1ull << 52}, {"reserved.63", 1ull << 63},
    };
    for (unsigned i = 0; i < COUNT(bits); i++) {
        int vector = try_wrmsr(MSR_APIC_BASE, base() | bits[i].bit);
        outcome(name_of("apic.mode", bits[i].name), "%s", attempt(vector));
    }
    outcome("apic.mode.base", "0x%lx", base());
    int vector = try_wrmsr(MSR_APIC_BASE, base() ^ BSP);
    uint64_t after = base();
    try_wrmsr(MSR_APIC_BASE, after | BSP);
    outcome("apic.mode.bsp-bit", "%s, BSP then %lu", attempt(vector), after >> 8 & 1);
}

void apic_modes(void)
{
    reserved();
    if (!x2apic_available()) {
        step("xapic-to-x2apic-absent", MODE);
        step("xapic-to-invalid", EXTD);
    } else {
        mark();
        step("x2apic-to-xapic", ENABLE);
        step("x2apic-to-invalid", EXTD);
        step("x2apic-again", MODE);
        say_registers("registers.kept-x2apic");
        step("x2apic-to-disabled", 0);
        step("disabled-to-x2apic", MODE);
        step("disabled-to-invalid", EXTD);
        step("disabled-again", 0);
        step("disabled-to-xapic", ENABLE);
        say_registers("registers.reset");
        mark();
        lapic_write(LAPIC_ICR_HIGH, 0x5a000000);
        step("xapic-to-x2apic", MODE);
        say_registers("registers.kept");
        step("x2apic-to-disabled-again", 0);
        step("disabled-to-xapic-again", ENABLE);
    }
    mark();
    step("xapic-again", ENABLE);
    say_registers("registers.kept-xapic");
    step("xapic-to-disabled", 0);
    outcome("apic.mode.disabled-page", "reads 0x%x",
            *(volatile uint32_t *)(0xfee00000 + LAPIC_VERSION));
    step("xapic-from-disabled", ENABLE);
    say_registers("registers.reset-xapic");
}
