// SPDX-License-Identifier: Apache-2.0
// The local APIC's registers: which bits can be written, what is read-only, what is not there.
// SDM vol. 3, table "Local APIC Register Address Map".

#include "tests/guests/equiv/device.h"

enum {
    LAPIC_APR = 0x90,
    LAPIC_PPR = 0xa0,
    LAPIC_RRD = 0xc0,
    LAPIC_ISR = 0x100,
    LAPIC_TMR = 0x180,
};

// What these registers hold has no effect while the others are as apic_prepare() leaves them.
static const struct {
    const char *name;
    uint16_t offset;
    bool xapic_only;
    uint32_t kept; // bits that must stay as they are
    uint32_t defined;
} writable[] = {
    {"tpr", LAPIC_TPR, false, 0, 0xff},
    {"ldr", LAPIC_LDR, true, 0, 0xff000000},
    {"dfr", LAPIC_DFR, true, 0, 0xf0000000},
    {"svr", LAPIC_SVR, false, 0x100, 0x1ff},
    {"icr-high", LAPIC_ICR_HIGH, true, 0, 0xff000000},
    {"timer-divide", LAPIC_TIMER_DIVIDE, false, 0, 0xb},
};

static uint32_t written(unsigned offset, uint32_t value)
{
    lapic_write(offset, value);
    return lapic_read(offset);
}

static void defined_bits(unsigned i)
{
    uint32_t mask = writable[i].defined, kept = writable[i].kept;
    unsigned offset = writable[i].offset;
    uint32_t before = lapic_read(offset);
    struct line line = {.used = 0};
    line_field(&line, "ones", written(offset, mask | kept) & mask);
    line_field(&line, "zeros", written(offset, kept) & mask);
    line_field(&line, "a", written(offset, (0xa5a5a5a5 & mask) | kept) & mask);
    line_field(&line, "b", written(offset, (0x5a5a5a5a & mask) | kept) & mask);
    lapic_write(offset, before);
    outcome(name_of(apic_mode(), writable[i].name), "%s", line.text);
}

// In x2APIC mode apic_msrs() looks at these.
static void reserved_bits(unsigned i)
{
    static const char *const names[] = {"reserved.tpr", "reserved.ldr",      "reserved.dfr",
                                        "reserved.svr", "reserved.icr-high", "reserved.divide"};
    uint32_t reserved = ~writable[i].defined;
    unsigned offset = writable[i].offset;
    uint32_t before = lapic_read(offset);
    // Bits 12 and 9 of the SVR exist in some processors.
    if (offset == LAPIC_SVR)
        reserved &= ~0x1200u;
    uint32_t ones = written(offset, writable[i].kept | reserved) & reserved;
    uint32_t zeros = written(offset, writable[i].kept) & reserved;
    lapic_write(offset, before);
    outcome(name_of(apic_mode(), names[i]), "ones 0x%x zeros 0x%x", ones, zeros);
}

static void read_only(void)
{
    static const struct {
        const char *name;
        uint16_t offset;
    } registers[] = {
        {"version", LAPIC_VERSION}, {"apr", LAPIC_APR},
        {"ppr", LAPIC_PPR},         {"rrd", LAPIC_RRD},
        {"isr", LAPIC_ISR},         {"tmr", LAPIC_TMR},
        {"irr", LAPIC_IRR},         {"timer-current", LAPIC_TIMER_CURRENT},
    };
    for (unsigned i = 0; i < COUNT(registers); i++) {
        unsigned offset = registers[i].offset;
        struct line line = {.used = 0};
        if (x2apic_on() && (offset == LAPIC_APR || offset == LAPIC_RRD))
            continue;
        line_field(&line, "reads", lapic_read(offset));
        if (!x2apic_on()) {
            lapic_write(offset, UINT32_MAX);
            line_field(&line, "after ones", lapic_read(offset));
            lapic_write(offset, 0);
            line_field(&line, "after zeros", lapic_read(offset));
            lapic_write(LAPIC_ESR, 0);
        }
        outcome(name_of(apic_mode(), registers[i].name), "%s", line.text);
    }
}

// All registers of a group of 256 bits.
static void group(const char *name, unsigned offset)
{
    struct line line = {.used = 0};
    for (unsigned i = 0; i < 8; i++)
        line_hex(&line, lapic_read(offset + 16 * i));
    outcome(name_of(apic_mode(), name), "%s", line.text);
}

static void identity(void)
{
    const uint32_t before = lapic_read(LAPIC_ID);
    outcome(name_of(apic_mode(), "id"), "0x%x, APIC base says BSP %lu", before,
            rdmsr(0x1b) >> 8 & 1);
    if (!x2apic_on()) {
        lapic_write(LAPIC_ID, 0x0b000000);
        uint32_t after = lapic_read(LAPIC_ID);
        lapic_write(LAPIC_ID, before);
        outcome("apic.xapic.id-write", "becomes 0x%x", after);
    }
}

static void write_only(void)
{
    if (x2apic_on())
        return;
    outcome("apic.xapic.eoi-read", "0x%x", lapic_read(LAPIC_EOI));
    lapic_write(LAPIC_EOI, 0);
    outcome("apic.xapic.eoi-idle", "PPR 0x%x after an EOI of nothing", lapic_read(LAPIC_PPR));
}

static void absent(void)
{
    static const uint16_t offsets[] = {0x00,  0x10,  0x40,  0x50,  0x60,  0x70,  0x290,
                                       0x2a0, 0x2e0, 0x3a0, 0x3b0, 0x3c0, 0x3d0, 0x3f0};
    if (x2apic_on())
        return;
    for (unsigned i = 0; i < COUNT(offsets); i++) {
        lapic_write(LAPIC_ESR, 0);
        uint32_t value = lapic_read(offsets[i]);
        lapic_write(LAPIC_ESR, 0);
        uint32_t error = lapic_read(LAPIC_ESR);
        // QEMU takes a write of the page's first register for a message of a device.
        if (offsets[i])
            lapic_write(offsets[i], UINT32_MAX);
        lapic_write(LAPIC_ESR, 0);
        outcome(name_number("apic.xapic.absent-", offsets[i], "access"),
                "reads 0x%x, error after reading 0x%x, after writing 0x%x", value, error,
                lapic_read(LAPIC_ESR));
    }
    lapic_write(LAPIC_ESR, 0);
}

void apic_registers(void)
{
    for (unsigned i = 0; i < COUNT(writable); i++) {
        if (writable[i].xapic_only && x2apic_on())
            continue;
        defined_bits(i);
        if (!x2apic_on())
            reserved_bits(i);
    }
    read_only();
    group("isr-all", LAPIC_ISR);
    group("tmr-all", LAPIC_TMR);
    group("irr-all", LAPIC_IRR);
    identity();
    write_only();
    absent();
    apic_prepare();
}
