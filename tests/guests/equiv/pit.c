// SPDX-License-Identifier: Apache-2.0
// The 8254 and port 0x61 (Intel 8254 data sheet, "Programming" and "Mode Definitions"). Channel 2
// can be stopped by its gate, so its counts are exact; of the others only what does not move is
// looked at.

#include "tests/guests/equiv/device.h"

enum {
    CHANNEL0 = 0x40,
    CHANNEL2 = 0x42,
    COMMAND = 0x43,
    PORT_61 = 0x61,
    GATE2 = 1,
    OUT2 = 0x20,
    LATCH = 0,
    LOW_BYTE = 1,
    HIGH_BYTE = 2,
    BOTH_BYTES = 3,
    NULL_COUNT = 0x40,
    OUT = 0x80,
};

static void gate(bool on)
{
    outb(PORT_61, (uint8_t)((inb(PORT_61) & 0x0c) | (on ? GATE2 : 0)));
}

static void control(unsigned channel, unsigned access, unsigned mode, bool bcd)
{
    outb(COMMAND, (uint8_t)(channel << 6 | access << 4 | mode << 1 | bcd));
}

static void load(unsigned channel, uint16_t count)
{
    outb((uint16_t)(CHANNEL0 + channel), (uint8_t)count);
    outb((uint16_t)(CHANNEL0 + channel), (uint8_t)(count >> 8));
}

static uint16_t read_both(unsigned channel)
{
    uint8_t low = inb((uint16_t)(CHANNEL0 + channel));
    return (uint16_t)(low | inb((uint16_t)(CHANNEL0 + channel)) << 8);
}

static uint16_t latched(unsigned channel)
{
    control(channel, LATCH, 0, false);
    return read_both(channel);
}

static uint8_t status(unsigned channel)
{
    outb(COMMAND, (uint8_t)(0xe0 | 2u << channel)); // read back: status, no count
    return inb((uint16_t)(CHANNEL0 + channel));
}

static bool out2(void)
{
    return inb(PORT_61) & OUT2;
}

// The first tick loads the count.
static void some_ticks(void)
{
    delay_us(50);
}

static void status_bytes(void)
{
    for (unsigned channel = 0; channel < 3; channel++) {
        for (unsigned mode = 0; mode < 6; mode++) {
            struct line line = {.used = 0};
            if (channel == 1 && mode != 2)
                continue; // refresh
            gate(false);
            control(channel, BOTH_BYTES, mode, false);
            uint8_t before = status(channel);
            line_field(&line, "mode set", before & 0x3f);
            line_field(&line, "null count", (before & NULL_COUNT) != 0);
            // Channel 2 runs from its gate's rise, in the modes where that is a trigger too.
            gate(true);
            load(channel, 0xfff0);
            gate(false);
            gate(true);
            some_ticks();
            uint8_t after = status(channel);
            line_field(&line, "loaded", after & 0x3f);
            line_field(&line, "null count", (after & NULL_COUNT) != 0);
            line_field(&line, "OUT", (after & OUT) != 0);
            outcome(name_number(name_number("dev.pit.channel", channel, "mode"), mode, "status"),
                    "%s", line.text);
        }
    }
    gate(false);
}

static void access_ways(void)
{
    for (unsigned access = LOW_BYTE; access <= BOTH_BYTES; access++) {
        for (unsigned bcd = 0; bcd < 2; bcd++) {
            struct line line = {.used = 0};
            gate(false);
            control(2, access, 3, bcd);
            line_field(&line, "status", status(2) & 0x3f);
            if (access == BOTH_BYTES)
                load(2, 0x1234);
            else
                outb(CHANNEL2, 0x56);
            line_field(&line, "loaded", status(2) & 0x3f);
            outcome(name_number(name_number("dev.pit.access", access, "bcd"), bcd, "status"), "%s",
                    line.text);
        }
    }
}

// With the gate low the count stands where it was loaded.
static void gated(void)
{
    static const struct {
        const char *name;
        unsigned mode;
        bool bcd;
        uint16_t count;
    } counts[] = {
        {"mode0", 0, false, 0x1234},
        {"mode4", 4, false, 0xabcd},
        {"mode0-bcd", 0, true, 0x4321},
        {"mode4-bcd", 4, true, 0x9999},
    };
    for (unsigned i = 0; i < COUNT(counts); i++) {
        struct line line = {.used = 0};
        gate(false);
        control(2, BOTH_BYTES, counts[i].mode, counts[i].bcd);
        load(2, counts[i].count);
        some_ticks();
        line_hex(&line, latched(2));
        delay_us(500);
        line_hex(&line, latched(2));
        outcome(name_of("dev.pit.gated", counts[i].name), "%s", line.text);
    }
}

// A latched count stays until it is read; a second latch before that is ignored.
static void latches(void)
{
    gate(true);
    control(2, BOTH_BYTES, 2, false);
    load(2, 0);
    some_ticks();
    control(2, LATCH, 0, false);
    delay_us(300);
    control(2, LATCH, 0, false);
    uint16_t first = read_both(2);
    delay_us(300);
    uint16_t second = latched(2);
    // About 360 ticks each.
    outcome("dev.pit.latch", "%s", (uint16_t)(first - second) > 500 ? "held" : "not held");

    struct line line = {.used = 0};
    outb(COMMAND, 0xc8); // read back: status and count of channel 2
    uint8_t state = inb(CHANNEL2);
    line_field(&line, "status first", state & 0x3f);
    first = read_both(2);
    delay_us(300);
    second = latched(2);
    line_word(&line, first > second ? "then the count" : "then another count");
    outcome("dev.pit.read-back", "%s", line.text);

    gate(false);
}

static void one_byte(void)
{
    struct line line = {.used = 0};
    gate(false);
    control(2, LOW_BYTE, 0, false);
    outb(CHANNEL2, 0x77);
    some_ticks();
    line_hex(&line, inb(CHANNEL2));
    line_hex(&line, inb(CHANNEL2));
    outcome("dev.pit.low-byte", "%s", line.text);
    line.used = 0;
    control(2, HIGH_BYTE, 0, false);
    outb(CHANNEL2, 0x77);
    some_ticks();
    line_hex(&line, inb(CHANNEL2));
    line_hex(&line, inb(CHANNEL2));
    outcome("dev.pit.high-byte", "%s", line.text);
}

static bool wait_out2(bool level)
{
    uint64_t end = rdtsc() + 200 * tsc_khz();
    while (out2() != level && rdtsc() < end)
        pause();
    return out2() == level;
}

static void outputs(void)
{
    struct line line = {.used = 0};
    gate(false);
    control(2, BOTH_BYTES, 0, false);
    line_field(&line, "after control", out2());
    gate(true);
    load(2, 2000);
    line_field(&line, "counting", out2());
    line_field(&line, "goes high", wait_out2(true));
    delay_us(500);
    line_field(&line, "stays", out2());
    load(2, 2000);
    line_field(&line, "loaded again", out2());
    line_field(&line, "goes high", wait_out2(true));
    outcome("dev.pit.out.mode0", "%s", line.text);

    line.used = 0;
    gate(false);
    control(2, BOTH_BYTES, 1, false);
    line_field(&line, "after control", out2());
    load(2, 2000);
    delay_us(100);
    line_field(&line, "loaded", out2());
    gate(true);
    delay_us(20);
    line_field(&line, "triggered", out2());
    line_field(&line, "goes high", wait_out2(true));
    gate(false);
    gate(true);
    delay_us(20);
    line_field(&line, "triggered again", out2());
    line_field(&line, "goes high", wait_out2(true));
    outcome("dev.pit.out.mode1", "%s", line.text);

    line.used = 0;
    gate(false);
    control(2, BOTH_BYTES, 3, false);
    line_field(&line, "after control", out2());
    load(2, 4000);
    gate(true);
    line_field(&line, "low", wait_out2(false));
    line_field(&line, "high", wait_out2(true));
    line_field(&line, "low", wait_out2(false));
    gate(false);
    some_ticks();
    line_field(&line, "gate low", out2());
    outcome("dev.pit.out.mode3", "%s", line.text);

    for (unsigned mode = 2; mode < 6; mode++) {
        line.used = 0;
        if (mode == 3)
            continue;
        gate(false);
        control(2, BOTH_BYTES, mode, false);
        line_field(&line, "after control", out2());
        load(2, 0xfff0);
        gate(true);
        some_ticks();
        line_field(&line, "counting", out2());
        outcome(name_number("dev.pit.out.mode", mode, "start"), "%s", line.text);
    }
    gate(false);
}

// PM timer ticks for each of the PIT's, whose clock is a third of the PM timer's, in halves.
static void rates(void)
{
    static const struct {
        const char *name;
        unsigned mode;
    } modes[] = {{"mode2", 2}, {"mode3", 3}, {"mode4", 4}};
    const uint16_t clock = acpi_pm_timer();
    for (unsigned i = 0; clock && i < COUNT(modes); i++) {
        uint32_t hundredths = 0;
        for (unsigned tries = 0; tries < 50 && !hundredths; tries++) {
            gate(false);
            control(2, BOTH_BYTES, modes[i].mode, false);
            load(2, 0xfffe);
            gate(true);
            some_ticks();
            uint32_t a = inl(clock);
            uint16_t from = latched(2);
            uint32_t b = inl(clock);
            while (((inl(clock) - a) & 0xffffff) < 72000) // 20 ms
                pause();
            uint32_t c = inl(clock);
            uint16_t to = latched(2);
            uint32_t d = inl(clock);
            // Read tightly, and within one round of the counter: 27 ms in mode 3.
            if (((b - a) & 0xffffff) < 5000 && ((d - c) & 0xffffff) < 5000 &&
                ((d - a) & 0xffffff) < 95000)
                hundredths = ((c - a) & 0xffffff) * 100 / (uint16_t)(from - to);
        }
        outcome(name_of("dev.pit.rate", modes[i].name), "%u halves", (hundredths + 25) / 50);
    }
    gate(false);
}

static void port_61(void)
{
    struct line line = {.used = 0};
    gate(false);
    control(2, BOTH_BYTES, 0, false); // output low
    for (unsigned value = 0; value < 16; value += 3) {
        outb(PORT_61, (uint8_t)value);
        line_hex(&line, inb(PORT_61) & 0x0f);
    }
    outb(PORT_61, 0);
    outcome("dev.port61.bits", "%s", line.text);
    outb(PORT_61, 0xf0);
    outcome("dev.port61.read-only", "0x%x", inb(PORT_61) & 0xcf);
    outb(PORT_61, 0);
    uint8_t first = inb(PORT_61) & 0x10;
    uint64_t end = rdtsc() + 100 * tsc_khz();
    while ((inb(PORT_61) & 0x10) == first && rdtsc() < end)
        pause();
    outcome("dev.port61.refresh", "%s", (inb(PORT_61), rdtsc() < end) ? "toggles" : "stands");
}

static void command_reads(void)
{
    outcome("dev.pit.command-read", "0x%x", inb(COMMAND));
}

void dev_pit(void)
{
    status_bytes();
    access_ways();
    gated();
    latches();
    one_byte();
    outputs();
    rates();
    port_61();
    command_reads();
    control(0, BOTH_BYTES, 3, false);
    load(0, 0);
}
