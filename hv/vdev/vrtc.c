// SPDX-License-Identifier: Apache-2.0
// The MC146818's registers and its calendar (Motorola MC146818 data sheet). The century register
// and its number are a PC convention. Relies on nothing.
#include "hv/vdev/vrtc.h"

#include <stdbool.h>

#include "arch/lib/string.h"
#include "hv/vdev/vdev.h"

#define PORT_INDEX 0x70
#define PORT_DATA  0x71
#define INDEX_MASK 0x7f // bit 7 masks NMI on a PC; here it is ignored

#define REG_SECONDS 0x00 // each of the first three registers is followed by an alarm register
#define REG_MINUTES 0x02
#define REG_HOURS   0x04
#define REG_WEEKDAY 0x06 // 1 is Sunday
#define REG_DAY     0x07
#define REG_MONTH   0x08
#define REG_YEAR    0x09
#define REG_A       0x0a
#define REG_B       0x0b
#define REG_C       0x0c
#define REG_D       0x0d
#define REG_CENTURY 0x32

#define A_UPDATE_IN_PROGRESS 0x80
#define A_DIVIDER_RESET      0x60 // both bits set: the divider is stopped
#define A_RUNNING            0x26 // 32.768 kHz crystal, 1024 Hz rate

#define B_SET      0x80 // no updates while the guest writes the time
#define B_BINARY   0x04
#define B_24_HOURS 0x02
#define C_UPDATED  0x10
#define D_VALID    0x80
#define HOURS_PM   0x80

// The chip announces an update this long before it changes the registers (t_BUC).
#define UPDATE_WARNING_US 244
#define US_PER_SECOND     1000000u

#define SECONDS_PER_DAY  86400
#define DAYS_PER_YEAR    365
#define DAYS_PER_4YEARS  1461
#define DAYS_PER_CENTURY 36524
#define DAYS_PER_ERA     146097 // 400 years
// From 1 March of year 0 to 1 January 1970.
#define EPOCH_DAYS 719468
// 1970-01-01 was a Thursday; Sunday is 0.
#define EPOCH_WEEKDAY 4

// The range of a four-digit year.
#define MIN_SECONDS (-62167219200) // 0000-01-01 00:00:00
#define MAX_SECONDS 253402300799   // 9999-12-31 23:59:59

struct calendar {
    int64_t year;
    int64_t month; // 1..12
    int64_t day;   // 1..31
};

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t clamp_seconds(int64_t seconds)
{
    if (seconds < MIN_SECONDS)
        return MIN_SECONDS;
    return min_i64(seconds, MAX_SECONDS);
}

// Rounds towards minus infinity, so that days before 1970 are whole too. `b` is positive.
static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

// Years are counted from March. So the leap day is the last day of its year, century and era, and
// five months in a row always have 153 days.
static struct calendar calendar_from_days(int64_t days)
{
    days += EPOCH_DAYS;
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t rest = days - era * DAYS_PER_ERA;
    // An era's last century, and the last of four years, have the leap day in addition.
    int64_t century = min_i64(rest / DAYS_PER_CENTURY, 3);
    rest -= century * DAYS_PER_CENTURY;
    int64_t four = rest / DAYS_PER_4YEARS;
    rest -= four * DAYS_PER_4YEARS;
    int64_t year = min_i64(rest / DAYS_PER_YEAR, 3);
    rest -= year * DAYS_PER_YEAR;
    int64_t month = (5 * rest + 2) / 153; // 0 is March

    struct calendar c = {
        .year = era * 400 + century * 100 + four * 4 + year,
        .month = month + 3,
        .day = rest - (153 * month + 2) / 5 + 1,
    };
    if (c.month > 12) {
        c.month -= 12;
        c.year++;
    }
    return c;
}

// Accepts any value that a guest wrote: months and days out of range lead into the next ones.
static int64_t days_from_calendar(struct calendar c)
{
    int64_t months = c.year * 12 + c.month - 3; // since March of year 0
    int64_t year = floor_div(months, 12);
    int64_t month = months - year * 12;
    int64_t leap_days = floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400);

    return year * DAYS_PER_YEAR + leap_days + (153 * month + 2) / 5 + c.day - 1 - EPOCH_DAYS;
}

static uint8_t encode(const struct vrtc *r, int64_t value)
{
    if (!(r->ram[REG_B] & B_BINARY))
        value = value / 10 * 16 + value % 10;
    return (uint8_t)value;
}

static int64_t decode(const struct vrtc *r, uint8_t value)
{
    return r->ram[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 0xf);
}

static uint8_t encode_hours(const struct vrtc *r, int64_t hours)
{
    if (r->ram[REG_B] & B_24_HOURS)
        return encode(r, hours);
    uint8_t twelve = encode(r, hours % 12 == 0 ? 12 : hours % 12);
    return hours >= 12 ? twelve | HOURS_PM : twelve;
}

static int64_t decode_hours(const struct vrtc *r, uint8_t value)
{
    if (r->ram[REG_B] & B_24_HOURS)
        return decode(r, value);
    int64_t twelve = decode(r, value & (uint8_t)~HOURS_PM) % 12;
    return value & HOURS_PM ? twelve + 12 : twelve;
}

static bool is_time(uint8_t reg)
{
    switch (reg) {
    case REG_SECONDS:
    case REG_MINUTES:
    case REG_HOURS:
    case REG_WEEKDAY:
    case REG_DAY:
    case REG_MONTH:
    case REG_YEAR:
    case REG_CENTURY:
        return true;
    default:
        return false;
    }
}

static bool is_halted(const struct vrtc *r)
{
    return (r->ram[REG_B] & B_SET) || (r->ram[REG_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

static int64_t weekday_of(int64_t days)
{
    int64_t since_sunday = days + EPOCH_WEEKDAY;
    return since_sunday - floor_div(since_sunday, 7) * 7;
}

// The caller's time for calculations, limited to the end of the year 9999.
static int64_t host_seconds(uint64_t unix_seconds)
{
    return unix_seconds > MAX_SECONDS ? MAX_SECONDS : (int64_t)unix_seconds;
}

// Writes the guest's time into the registers.
static void time_to_registers(struct vrtc *r, uint64_t unix_seconds)
{
    int64_t seconds = clamp_seconds(host_seconds(unix_seconds) + r->offset);
    int64_t days = floor_div(seconds, SECONDS_PER_DAY);
    int64_t of_day = seconds - days * SECONDS_PER_DAY;
    struct calendar c = calendar_from_days(days);

    r->ram[REG_SECONDS] = encode(r, of_day % 60);
    r->ram[REG_MINUTES] = encode(r, of_day / 60 % 60);
    r->ram[REG_HOURS] = encode_hours(r, of_day / 3600);
    r->ram[REG_WEEKDAY] = encode(r, (weekday_of(days) + r->weekday_shift) % 7 + 1);
    r->ram[REG_DAY] = encode(r, c.day);
    r->ram[REG_MONTH] = encode(r, c.month);
    r->ram[REG_YEAR] = encode(r, c.year % 100);
    r->ram[REG_CENTURY] = encode(r, c.year / 100);
}

// Makes the registers' time the guest's time.
static void time_from_registers(struct vrtc *r, uint64_t unix_seconds)
{
    struct calendar c = {
        .year = decode(r, r->ram[REG_CENTURY]) * 100 + decode(r, r->ram[REG_YEAR]),
        .month = decode(r, r->ram[REG_MONTH]),
        .day = decode(r, r->ram[REG_DAY]),
    };
    int64_t seconds = days_from_calendar(c) * SECONDS_PER_DAY +
                      decode_hours(r, r->ram[REG_HOURS]) * 3600 +
                      decode(r, r->ram[REG_MINUTES]) * 60 + decode(r, r->ram[REG_SECONDS]);
    seconds = clamp_seconds(seconds);
    r->offset = seconds - host_seconds(unix_seconds);

    int64_t weekday = decode(r, r->ram[REG_WEEKDAY]) + 6; // Sunday, 1, becomes a multiple of 7
    int64_t calculated = weekday_of(floor_div(seconds, SECONDS_PER_DAY));
    r->weekday_shift = (uint8_t)((weekday + 7 - calculated) % 7);
}

// Writes register A or B, which can stop the clock or start it again.
static void write_control(struct vrtc *r, uint8_t reg, uint8_t value, uint64_t unix_seconds)
{
    bool was_halted = is_halted(r);
    uint8_t old = r->ram[reg];

    r->ram[reg] = value;
    bool halted = is_halted(r);
    if (!was_halted && halted) {
        // The time now goes into the registers, in the format that was in effect.
        r->ram[reg] = old;
        time_to_registers(r, unix_seconds);
        r->ram[reg] = value;
    } else if (was_halted && !halted) {
        time_from_registers(r, unix_seconds);
    }
}

static uint8_t read_data(struct vrtc *r, uint64_t unix_seconds, uint32_t microseconds)
{
    uint8_t reg = r->index & INDEX_MASK;
    bool halted = is_halted(r);
    uint8_t value;

    switch (reg) {
    case REG_A:
        value = r->ram[REG_A];
        if (!halted && microseconds >= US_PER_SECOND - UPDATE_WARNING_US)
            value |= A_UPDATE_IN_PROGRESS;
        return value;
    case REG_C: // a read clears it
        value = !halted && unix_seconds != r->seen_seconds ? C_UPDATED : 0;
        r->seen_seconds = unix_seconds;
        return value;
    case REG_D:
        return D_VALID;
    default:
        if (is_time(reg) && !halted)
            time_to_registers(r, unix_seconds);
        return r->ram[reg];
    }
}

static void write_data(struct vrtc *r, uint8_t value, uint64_t unix_seconds)
{
    uint8_t reg = r->index & INDEX_MASK;

    switch (reg) {
    case REG_A:
        write_control(r, reg, value & (uint8_t)~A_UPDATE_IN_PROGRESS, unix_seconds);
        break;
    case REG_B:
        write_control(r, reg, value, unix_seconds);
        break;
    case REG_C:
    case REG_D:
        break;
    default:
        if (is_time(reg) && !is_halted(r)) {
            time_to_registers(r, unix_seconds);
            r->ram[reg] = value;
            time_from_registers(r, unix_seconds);
        } else {
            r->ram[reg] = value;
        }
    }
}

void vrtc_reset(struct vrtc *r)
{
    memset(r, 0, sizeof(*r));
    r->ram[REG_A] = A_RUNNING;
    r->ram[REG_B] = B_24_HOURS;
}

uint32_t vrtc_read(struct vrtc *r, uint16_t port, unsigned size, uint64_t unix_seconds,
                   uint32_t microseconds)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size && i < 4; i++) {
        uint8_t byte = 0xff;
        if (port + i == PORT_DATA) // the index is write-only on a PC
            byte = read_data(r, unix_seconds, microseconds);
        value |= vdev_byte_at(byte, i);
    }
    return value;
}

void vrtc_write(struct vrtc *r, uint16_t port, unsigned size, uint32_t value, uint64_t unix_seconds)
{
    for (unsigned i = 0; i < size && i < 4; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        if (port + i == PORT_INDEX)
            r->index = byte;
        else if (port + i == PORT_DATA)
            write_data(r, byte, unix_seconds);
    }
}
