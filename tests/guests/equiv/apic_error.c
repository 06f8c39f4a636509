// SPDX-License-Identifier: Apache-2.0
// The error status register (SDM vol. 3, "Error Handling"): a write latches what has happened and
// begins anew, and the error interrupt.

#include "tests/guests/equiv/device.h"

enum {
    MASKED = 1 << 16,
    ILLEGAL_VECTOR = 0x0f,
};

static uint32_t latched(void)
{
    lapic_write(LAPIC_ESR, 0);
    return lapic_read(LAPIC_ESR);
}

static void protocol(void)
{
    struct line line = {.used = 0};
    latched();
    line_field(&line, "nothing", latched());
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | ILLEGAL_VECTOR);
    take_pending();
    line_field(&line, "unlatched", lapic_read(LAPIC_ESR));
    line_field(&line, "latched", latched());
    line_field(&line, "read again", lapic_read(LAPIC_ESR));
    line_field(&line, "latched again", latched());
    outcome(name_of(apic_mode(), "esr.protocol"), "%s", line.text);
}

// Vectors that no exception uses, should one be delivered.
static void illegal_vectors(void)
{
    static const uint8_t illegal[] = {9, ILLEGAL_VECTOR};
    struct line line = {.used = 0};
    taken_forget();
    latched();
    for (unsigned i = 0; i < COUNT(illegal); i++) {
        lapic_ipi(0, ICR_SELF | ICR_ASSERT | illegal[i]);
        line_hex(&line, latched());
        lapic_ipi(cpu_ids[1], ICR_FIXED | ICR_ASSERT | illegal[i]);
        line_hex(&line, latched());
        lapic_ipi(cpu_ids[1], ICR_LOWEST | ICR_ASSERT | illegal[i]);
        line_hex(&line, latched());
        lapic_ipi(0, ICR_OTHERS | ICR_ASSERT | illegal[i]);
        line_hex(&line, latched());
    }
    outcome(name_of(apic_mode(), "esr.send-illegal"), "self, fixed, lowest, others: %s", line.text);
    settle();
    line.used = 0;
    line_taken(&line, 0);
    line_taken(&line, 1);
    outcome(name_of(apic_mode(), "esr.illegal-taken"), "%s", line.text);
    latched();
    latched();
}

static void error_interrupt(void)
{
    struct line line = {.used = 0};
    taken_forget();
    lapic_write(LAPIC_LVT_ERROR, VECTOR_ERROR);
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | ILLEGAL_VECTOR);
    take_pending();
    line_field(&line, "unmasked", taken(0, VECTOR_ERROR));
    line_field(&line, "ESR", latched());
    lapic_write(LAPIC_LVT_ERROR, MASKED | VECTOR_ERROR);
    taken_forget();
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | ILLEGAL_VECTOR);
    take_pending();
    line_field(&line, "masked", taken(0, VECTOR_ERROR));
    line_field(&line, "ESR", latched());
    outcome(name_of(apic_mode(), "esr.interrupt"), "%s", line.text);
    lapic_write(LAPIC_LVT_ERROR, MASKED);
    if (x2apic_on())
        return;
    taken_forget();
    lapic_write(LAPIC_LVT_ERROR, VECTOR_ERROR);
    lapic_write(0x40, 0);
    take_pending();
    outcome("apic.xapic.esr.interrupt-register", "%u by a write to no register, ESR 0x%x",
            taken(0, VECTOR_ERROR), latched());
    lapic_write(LAPIC_LVT_ERROR, MASKED);
}

static void nobody(void)
{
    latched();
    lapic_ipi(NOBODY, ICR_FIXED | ICR_ASSERT | VECTOR_MID);
    outcome(name_of(apic_mode(), "esr.nobody"), "0x%x after an IPI to nobody", latched());
}

void apic_errors(void)
{
    lapic_write(LAPIC_LVT_ERROR, MASKED);
    protocol();
    illegal_vectors();
    error_interrupt();
    nobody();
    latched();
}
