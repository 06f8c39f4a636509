// SPDX-License-Identifier: Apache-2.0
// The MC146818 and its memory (Motorola MC146818 data sheet). The time is set to known values while
// SET holds the clock still.

#include "tests/guests/equiv/device.h"

enum {
    INDEX = 0x70,
    DATA = 0x71,
    SECONDS = 0,
    SECONDS_ALARM = 1,
    MINUTES = 2,
    MINUTES_ALARM = 3,
    HOURS = 4,
    HOURS_ALARM = 5,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    A = 0x0a,
    B = 0x0b,
    C = 0x0c,
    D = 0x0d,
    CENTURY = 0x32,
    A_USUAL = 0x26,
    SET = 0x80,
    BINARY = 4,
    HOURS_24 = 2,
};

static uint8_t get(uint8_t reg)
{
    outb(INDEX, reg);
    return inb(DATA);
}

static void put(uint8_t reg, uint8_t value)
{
    outb(INDEX, reg);
    outb(DATA, value);
}

static void put_time(const uint8_t *hms_dmy)
{
    static const uint8_t order[] = {HOURS, MINUTES, SECONDS, DAY, MONTH, YEAR};
    for (unsigned i = 0; i < COUNT(order); i++)
        put(order[i], hms_dmy[i]);
    put(CENTURY, get(B) & BINARY ? 20 : 0x20);
}

static void line_time(struct line *line)
{
    static const uint8_t order[] = {HOURS, MINUTES, SECONDS, DAY, MONTH, YEAR};
    for (unsigned i = 0; i < COUNT(order); i++)
        line_hex(line, get(order[i]));
}

// Waits for the clock's next second.
static bool next_second(void)
{
    uint8_t before = get(SECONDS);
    uint64_t end = rdtsc() + 3000 * tsc_khz();
    while (get(SECONDS) == before && rdtsc() < end)
        pause();
    return get(SECONDS) != before;
}

static void control_registers(void)
{
    struct line line = {.used = 0};
    put(B, HOURS_24);
    outcome("dev.rtc.a", "without UIP 0x%x", get(A) & 0x7f);
    static const uint8_t values[] = {0x2f, 0x20, 0x26};
    for (unsigned i = 0; i < COUNT(values); i++) {
        put(A, values[i]);
        line_hex(&line, get(A) & 0x7f);
    }
    outcome("dev.rtc.a-write", "%s", line.text);
    line.used = 0;
    static const uint8_t bs[] = {HOURS_24 | SET, BINARY | SET, HOURS_24 | BINARY | SET, SET | 1};
    for (unsigned i = 0; i < COUNT(bs); i++) {
        put(B, bs[i]);
        line_hex(&line, get(B));
    }
    outcome("dev.rtc.b-write", "%s", line.text);
    put(B, HOURS_24);
    put(D, 0);
    outcome("dev.rtc.d", "0x%x", get(D));
    put(B, SET | HOURS_24);
    outcome("dev.rtc.uip-while-set", "%u", get(A) >> 7);
    get(C);
    outcome("dev.rtc.c-while-set", "0x%x", get(C) & 0x10);
    put(C, 0xff);
    outcome("dev.rtc.c-write", "0x%x", get(C) & 0xd0);
    put(B, HOURS_24);
}

// Each register keeps what is written while SET holds the clock.
static void time_registers(void)
{
    static const uint8_t formats[] = {0, BINARY, HOURS_24, HOURS_24 | BINARY};
    static const uint8_t afternoon[][6] = {
        {0x83, 0x45, 0x56, 0x28, 0x11, 0x24}, // 03:45:56 pm
        {0x83, 45, 56, 28, 11, 24},
        {0x15, 0x45, 0x56, 0x28, 0x11, 0x24},
        {15, 45, 56, 28, 11, 24},
    };
    for (unsigned i = 0; i < COUNT(formats); i++) {
        struct line line = {.used = 0};
        put(B, SET | formats[i]);
        put_time(afternoon[i]);
        line_time(&line);
        outcome(name_number("dev.rtc.format", formats[i], "set"), "%s", line.text);
        // The clock goes on from there: the same but for the seconds that pass.
        line.used = 0;
        put(B, formats[i]);
        get(C);
        uint8_t seconds = get(SECONDS);
        line_hex(&line, get(HOURS));
        line_hex(&line, get(MINUTES));
        line_hex(&line, get(DAY));
        line_hex(&line, get(MONTH));
        line_hex(&line, get(YEAR));
        line_word(&line, seconds == afternoon[i][2] || seconds == afternoon[i][2] + 1
                             ? "near"
                             : "other seconds");
        outcome(name_number("dev.rtc.format", formats[i], "goes-on"), "%s", line.text);
    }
    put(B, HOURS_24);
}

// Over the end of a minute, a day, a month and a leap year's February.
static void carries(void)
{
    static const struct {
        const char *name;
        uint8_t format;
        uint8_t time[6];
    } ends[] = {
        {"year", HOURS_24, {0x23, 0x59, 0x59, 0x31, 0x12, 0x23}},
        {"leap-day", HOURS_24, {0x23, 0x59, 0x59, 0x28, 0x02, 0x24}},
        {"no-leap-day", HOURS_24 | BINARY, {23, 59, 59, 28, 2, 23}},
        {"midnight", BINARY, {0x80 | 11, 59, 59, 30, 4, 25}},
    };
    for (unsigned i = 0; i < COUNT(ends); i++) {
        struct line line = {.used = 0};
        put(B, SET | ends[i].format);
        put_time(ends[i].time);
        put(B, ends[i].format);
        line_word(&line, next_second() ? "goes on:" : "stands:");
        line_hex(&line, get(HOURS));
        line_hex(&line, get(MINUTES));
        line_hex(&line, get(DAY));
        line_hex(&line, get(MONTH));
        line_hex(&line, get(YEAR));
        outcome(name_of("dev.rtc.carry", ends[i].name), "%s", line.text);
    }
    put(B, HOURS_24);
}

static void alarms_and_memory(void)
{
    static const uint8_t alarms[] = {SECONDS_ALARM, MINUTES_ALARM, HOURS_ALARM};
    struct line line = {.used = 0};
    for (unsigned i = 0; i < COUNT(alarms); i++) {
        put(alarms[i], (uint8_t)(0x10 + i));
        line_hex(&line, get(alarms[i]));
        put(alarms[i], 0xc0);
        line_hex(&line, get(alarms[i]));
    }
    outcome("dev.rtc.alarm-registers", "%s", line.text);
    // Cells that no firmware checksums.
    static const uint8_t cells[] = {0x40, 0x55, 0x6a, 0x7f};
    line.used = 0;
    for (unsigned i = 0; i < COUNT(cells); i++) {
        uint8_t before = get(cells[i]);
        put(cells[i], 0xa5);
        line_hex(&line, get(cells[i]));
        put(cells[i], 0x5a);
        line_hex(&line, get(cells[i]));
        put(cells[i], before);
    }
    outcome("dev.rtc.cells", "%s", line.text);
    // Bit 7 of the index masks NMI and selects nothing.
    put(0x55, 0x3c);
    outcome("dev.rtc.index-bit7", "0x%x", get(0x80 | 0x55));
    outb(INDEX, 0x55);
    inb(DATA);
    outcome("dev.rtc.index-kept", "0x%x 0x%x", inb(DATA), inb(DATA));
    outb(INDEX, 0x0d);
    outcome("dev.rtc.index-read", "0x%x", inb(INDEX));
}

// Flags of register C: set whether interrupts are on or not, cleared by reading.
static void flags(void)
{
    struct line line = {.used = 0};
    put(B, HOURS_24);
    get(C);
    uint64_t end = rdtsc() + 2500 * tsc_khz();
    uint8_t seen = 0;
    while (!(seen & 0x10) && rdtsc() < end)
        seen |= get(C);
    line_field(&line, "update-ended seen", (seen & 0x10) != 0);
    line_field(&line, "again", (get(C) & 0x10) != 0);
    line_field(&line, "interrupt flag", (seen & 0x80) != 0);
    outcome("dev.rtc.update-flag", "%s", line.text);

    line.used = 0;
    put(A, A_USUAL);
    get(C);
    end = rdtsc() + 50 * tsc_khz();
    seen = 0;
    while (!(seen & 0x40) && rdtsc() < end)
        seen |= get(C);
    line_field(&line, "periodic seen", (seen & 0x40) != 0);
    outcome("dev.rtc.periodic-flag", "%s", line.text);

    // Every second: an alarm that does not care.
    line.used = 0;
    put(SECONDS_ALARM, 0xff);
    put(MINUTES_ALARM, 0xff);
    put(HOURS_ALARM, 0xff);
    get(C);
    end = rdtsc() + 2500 * tsc_khz();
    seen = 0;
    while (!(seen & 0x20) && rdtsc() < end)
        seen |= get(C);
    line_field(&line, "alarm seen", (seen & 0x20) != 0);
    outcome("dev.rtc.alarm-flag", "%s", line.text);
}

void dev_rtc(void)
{
    static const uint8_t known[] = {0x12, 0x34, 0x56, 0x15, 0x06, 0x24};
    put(B, SET | HOURS_24);
    put_time(known);
    put(A, A_USUAL);
    control_registers();
    time_registers();
    carries();
    alarms_and_memory();
    flags();
}
