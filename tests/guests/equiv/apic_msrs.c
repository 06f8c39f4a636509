// SPDX-License-Identifier: Apache-2.0
// The x2APIC MSRs one by one (SDM vol. 3, table "Local APIC Register Address Map Supported by
// x2APIC"): what can be read, which bits can be written, and which give #GP.

#include "tests/guests/equiv/device.h"

enum {
    FIRST = 0x800,
    LAST = 0x83f,
    ID = 0x802,
    EOI = 0x80b,
    SVR = 0x80f,
    ESR = 0x828,
    ICR = 0x830,
    LVT_FIRST = 0x832,
    LVT_LAST = 0x837,
    TIMER_INITIAL = 0x838,
    TIMER_CURRENT = 0x839,
    SELF_IPI = 0x83f,
    LVT_CMCI = 0x82f,
    MASKED = 1 << 16,
};

static bool is_lvt(unsigned msr)
{
    return (msr >= LVT_FIRST && msr <= LVT_LAST) || msr == LVT_CMCI;
}

// What the register holds while a bit is tried.
static uint64_t base_value(unsigned msr)
{
    if (is_lvt(msr))
        return MASKED;
    return msr == SVR ? 0x1ff : 0;
}

static void reading(unsigned msr)
{
    uint64_t value = 0;
    int vector = try_rdmsr(msr, &value);
    if (vector == -1)
        outcome(name_number("apic.x2apic.msr-", msr, "read"), "0x%lx", value);
    else
        outcome(name_number("apic.x2apic.msr-", msr, "read"), "%s", attempt(vector));
}

// Bits that WRMSR takes one at a time above the base value. For commands only the value 0, or what
// sends nothing.
static void writing(unsigned msr)
{
    uint64_t taken_bits = 0, base = base_value(msr);
    int vector = try_wrmsr(msr, base);
    if (vector != -1) {
        outcome(name_number("apic.x2apic.msr-", msr, "write"), "%s", attempt(vector));
        return;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        if (msr == ICR || (msr == SELF_IPI && bit < 8))
            continue;
        if (try_wrmsr(msr, base ^ 1ull << bit) == -1)
            taken_bits |= 1ull << bit;
    }
    try_wrmsr(msr, base);
    take_pending();
    outcome(name_number("apic.x2apic.msr-", msr, "write"), "ok, bits taken 0x%lx", taken_bits);
}

// Reserved bits of the ICR; all to a destination that is nobody.
static void icr_reserved(void)
{
    uint64_t refused = 0;
    for (unsigned bit = 12; bit < 32; bit++) {
        if (bit == 18 || bit == 19)
            continue;
        if (try_wrmsr(ICR, (uint64_t)NOBODY << 32 | ICR_ASSERT | VECTOR_LOW | 1u << bit) != -1)
            refused |= 1u << bit;
    }
    outcome("apic.x2apic.icr-reserved", "bits refused 0x%lx", refused);
}

static void self_ipi(void)
{
    struct line line = {.used = 0};
    taken_forget();
    wrmsr(SELF_IPI, VECTOR_LOW);
    wrmsr(SELF_IPI, VECTOR_HIGH);
    line_field(&line, "IRR", lapic_read(LAPIC_IRR + VECTOR_HIGH / 32 * 16));
    take_pending();
    line_taken(&line, 0);
    outcome("apic.x2apic.self-ipi", "%s", line.text);
    taken_forget();
    lapic_write(LAPIC_ESR, 0);
    wrmsr(SELF_IPI, 5);
    lapic_write(LAPIC_ESR, 0);
    outcome("apic.x2apic.self-ipi-illegal", "ESR 0x%x", lapic_read(LAPIC_ESR));
    lapic_write(LAPIC_ESR, 0);
}

void apic_msrs(void)
{
    apic_prepare();
    wrmsr(TIMER_INITIAL, 0);
    for (unsigned msr = LVT_FIRST; msr <= LVT_LAST; msr++)
        wrmsr(msr, MASKED);
    wrmsr(ICR, (uint64_t)NOBODY << 32 | ICR_ASSERT | VECTOR_LOW);
    lapic_write(LAPIC_ESR, 0);
    lapic_write(LAPIC_ESR, 0);
    for (unsigned msr = FIRST; msr <= LAST; msr++)
        reading(msr);
    for (unsigned msr = FIRST; msr <= LAST; msr++)
        writing(msr);
    reading(0x840);
    reading(0x8ff);
    icr_reserved();
    self_ipi();
    apic_prepare();
}
