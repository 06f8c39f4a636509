// SPDX-License-Identifier: Apache-2.0
// The physical real-time clock (MC146818), in either number format.
#include "drivers/clock/rtc.h"

#include <stdbool.h>

#include "arch/cpu/io.h"
#include "arch/lib/string.h"

#define PORT_INDEX 0x70
#define PORT_DATA  0x71

#define REG_SECONDS  0x00
#define REG_MINUTES  0x02
#define REG_HOURS    0x04
#define REG_DAY      0x07
#define REG_MONTH    0x08
#define REG_YEAR     0x09
#define REG_STATUS_A 0x0a
#define REG_STATUS_B 0x0b

#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY   0x04
#define HOURS_PM          0x80

#define MAX_TRIES 100000 // an absent clock reads all ones, as if it updated for ever

struct rtc_sample {
    uint8_t seconds, minutes, hours, day, month, year, century;
};

static uint8_t reg(uint8_t index)
{
    outb(PORT_INDEX, index);
    return inb(PORT_DATA);
}

static struct rtc_sample sample(uint8_t century_register)
{
    for (unsigned i = 0; i < MAX_TRIES && (reg(REG_STATUS_A) & STATUS_A_UPDATING); i++) {
    }
    return (struct rtc_sample){
        .seconds = reg(REG_SECONDS),
        .minutes = reg(REG_MINUTES),
        .hours = reg(REG_HOURS),
        .day = reg(REG_DAY),
        .month = reg(REG_MONTH),
        .year = reg(REG_YEAR),
        .century = century_register != 0 ? reg(century_register) : 0,
    };
}

static unsigned number(uint8_t value, bool binary)
{
    return binary ? value : (value >> 4) * 10u + (value & 15);
}

// Days from 1970-01-01 to a date of the Gregorian calendar. Months count from March, so that the
// leap day comes last.
static uint64_t days(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month <= 2 ? year - 1 : year;
    unsigned m = (month + 9) % 12;
    uint64_t to_march = 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5;
    return to_march + day - 1 - 719468;
}

uint64_t rtc_read(uint8_t century_register)
{
    struct rtc_sample a = sample(century_register);
    for (unsigned i = 0; i < 10; i++) { // until two samples agree: no update fell into the reads
        struct rtc_sample b = sample(century_register);
        if (memcmp(&a, &b, sizeof(a)) == 0) {
            break;
        }
        a = b;
    }
    uint8_t status = reg(REG_STATUS_B);
    bool binary = (status & STATUS_B_BINARY) != 0;
    unsigned hours = number(a.hours & (uint8_t)~HOURS_PM, binary);
    if ((status & STATUS_B_24_HOURS) == 0) {
        hours = hours % 12 + (a.hours & HOURS_PM ? 12 : 0);
    }
    unsigned century = number(a.century, binary);
    unsigned year = (century >= 19 && century <= 22 ? century : 20) * 100 + number(a.year, binary);
    uint64_t day = days(year, number(a.month, binary), number(a.day, binary));
    return ((day * 24 + hours) * 60 + number(a.minutes, binary)) * 60 + number(a.seconds, binary);
}
