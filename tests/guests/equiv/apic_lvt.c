// SPDX-License-Identifier: Apache-2.0
// The local vector table: writable bits of each entry, delivery modes, and what software-disabling
// does to them (SDM vol. 3, "Local Vector Table" and "Local APIC State After It Has Been Software
// Disabled"). Entries stay masked throughout.

#include "tests/guests/equiv/device.h"

enum {
    MASKED = 1 << 16,
    DELIVERY_SMI = 2 << 8,
    DELIVERY_NMI = 4 << 8,
    DELIVERY_INIT = 5 << 8,
    DELIVERY_EXTINT = 7 << 8,
    SVR_ON = 0x1ff,
    SVR_OFF = 0x0ff,
};

static const struct {
    const char *name;
    uint16_t offset;
    uint32_t defined; // beside the mask
} lvts[] = {
    {"timer", LAPIC_LVT_TIMER, 0x200ff}, {"thermal", LAPIC_LVT_THERMAL, 0x7ff},
    {"perf", LAPIC_LVT_PMC, 0x7ff},      {"lint0", LAPIC_LVT_LINT0, 0xa7ff},
    {"lint1", LAPIC_LVT_LINT1, 0xa7ff},  {"error", LAPIC_LVT_ERROR, 0xff},
};

static const char *named(const char *what, unsigned i)
{
    return name_of(name_of(apic_mode(), what), lvts[i].name);
}

static uint32_t written(unsigned offset, uint32_t value)
{
    lapic_write(offset, value);
    return lapic_read(offset);
}

static void writable(unsigned i)
{
    unsigned offset = lvts[i].offset;
    uint32_t defined = lvts[i].defined;
    struct line line = {.used = 0};
    line_field(&line, "reset", written(offset, MASKED));
    line_field(&line, "vector", written(offset, MASKED | 0xff));
    line_field(&line, "a", written(offset, MASKED | (0xaaaaaa55 & defined & ~0x700u)));
    line_field(&line, "b", written(offset, MASKED | (0x555555aa & defined & ~0x700u)));
    lapic_write(offset, MASKED);
    outcome(named("lvt", i), "%s", line.text);
}

static void delivery(unsigned i)
{
    static const uint32_t modes[] = {DELIVERY_SMI, DELIVERY_NMI, DELIVERY_INIT, DELIVERY_EXTINT};
    struct line line = {.used = 0};
    if (!(lvts[i].defined & 0x700))
        return;
    for (unsigned mode = 0; mode < COUNT(modes); mode++)
        line_hex(&line, written(lvts[i].offset, MASKED | modes[mode]));
    lapic_write(lvts[i].offset, MASKED);
    outcome(named("lvt-delivery", i), "masked with SMI, NMI, INIT, ExtINT:%s", line.text);
}

// Delivery status and remote IRR, which are for reading, and what no manual defines.
static void reserved(unsigned i)
{
    unsigned offset = lvts[i].offset;
    uint32_t defined = lvts[i].defined | MASKED;
    if (x2apic_on())
        return;
    if (offset == LAPIC_LVT_TIMER)
        defined |= 1 << 18;
    uint32_t ones = written(offset, MASKED | ~defined);
    lapic_write(offset, MASKED);
    outcome(named("lvt-reserved", i), "ones 0x%x", ones);
}

static void software_disable(unsigned i)
{
    unsigned offset = lvts[i].offset;
    struct line line = {.used = 0};
    // An unmasked entry with a vector that nothing raises here; LINT0 and the error entry too.
    lapic_write(offset, VECTOR_MID);
    line_field(&line, "unmasked", lapic_read(offset));
    lapic_write(LAPIC_SVR, SVR_OFF);
    line_field(&line, "disabled", lapic_read(offset));
    line_field(&line, "unmasked then", written(offset, VECTOR_MID));
    line_field(&line, "other vector then", written(offset, VECTOR_HIGH));
    lapic_write(LAPIC_SVR, SVR_ON);
    line_field(&line, "enabled again", lapic_read(offset));
    line_field(&line, "unmasked", written(offset, VECTOR_HIGH));
    lapic_write(offset, MASKED);
    outcome(named("lvt-disable", i), "%s", line.text);
}

// What a disabled APIC does with interrupts. (SDM: it answers INIT, NMI, SMI and start-up IPIs.)
static void disabled_delivery(void)
{
    struct line line = {.used = 0};
    taken_forget();
    lapic_write(LAPIC_SVR, SVR_OFF);
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | VECTOR_MID);
    take_pending();
    line_field(&line, "fixed", taken(0, VECTOR_MID));
    lapic_ipi(lapic_id(), ICR_NMI | ICR_ASSERT);
    take_pending();
    line_field(&line, "NMI", taken(0, VECTOR_NMI));
    lapic_write(LAPIC_SVR, SVR_ON);
    take_pending();
    line_field(&line, "fixed after enabling", taken(0, VECTOR_MID));
    outcome(name_of(apic_mode(), "disabled.interrupts"), "%s", line.text);

    // Registers can be written while it is disabled.
    lapic_write(LAPIC_SVR, SVR_OFF);
    lapic_write(LAPIC_TPR, 0x35);
    lapic_write(LAPIC_TIMER_DIVIDE, 0x3);
    outcome(name_of(apic_mode(), "disabled.registers"), "TPR 0x%x, divide 0x%x, SVR 0x%x",
            lapic_read(LAPIC_TPR), lapic_read(LAPIC_TIMER_DIVIDE), lapic_read(LAPIC_SVR));
    lapic_write(LAPIC_TPR, 0);
    apic_prepare();
}

void apic_lvts(void)
{
    for (unsigned i = 0; i < COUNT(lvts); i++) {
        writable(i);
        delivery(i);
        reserved(i);
    }
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    for (unsigned i = 0; i < COUNT(lvts); i++)
        software_disable(i);
    disabled_delivery();
}
