// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vrtc.c: what drivers read, and setting the clock; the calendar against libc's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "hv/vdev/vrtc.h"

enum {
    SECONDS = 0,
    SECONDS_ALARM = 1,
    MINUTES = 2,
    HOURS = 4,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    A = 10,
    B = 11,
    C = 12,
    D = 13,
    CENTURY = 0x32,
};

static struct vrtc rtc;
static uint64_t now;
static uint32_t micros;

// 2024-02-29 23:59:58, a Thursday.
#define LEAP_DAY 1709251198

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rtc); i++)
        ((uint8_t *)&rtc)[i] = 1;
    vrtc_reset(&rtc);
    now = LEAP_DAY;
    micros = 0;
    return 0;
}

static uint8_t get(uint8_t reg)
{
    vrtc_write(&rtc, 0x70, 1, reg, now);
    return (uint8_t)vrtc_read(&rtc, 0x71, 1, now, micros);
}

static void set(uint8_t reg, uint8_t value)
{
    vrtc_write(&rtc, 0x70, 1, reg, now);
    vrtc_write(&rtc, 0x71, 1, value, now);
}

static void assert_time(const uint8_t expected[8])
{
    static const uint8_t regs[8] = {CENTURY, YEAR, MONTH, DAY, WEEKDAY, HOURS, MINUTES, SECONDS};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get(regs[i]), expected[i]);
}

static void time_in_bcd(void **state)
{
    (void)state;
    assert_int_equal(get(A), 0x26);
    assert_int_equal(get(B), 0x02);
    assert_int_equal(get(D), 0x80);
    assert_time((const uint8_t[]){0x20, 0x24, 0x02, 0x29, 0x05, 0x23, 0x59, 0x58});
    now += 2;
    assert_time((const uint8_t[]){0x20, 0x24, 0x03, 0x01, 0x06, 0x00, 0x00, 0x00});
}

static void time_in_binary_and_12_hours(void **state)
{
    (void)state;
    static const uint8_t twelve[24] = {0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                       0x08, 0x09, 0x10, 0x11, 0x92, 0x81, 0x82, 0x83,
                                       0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91};
    set(B, 0x06);
    assert_time((const uint8_t[]){20, 24, 2, 29, 5, 23, 59, 58});

    for (unsigned hour = 0; hour < 24; hour++) {
        now = LEAP_DAY / 86400 * 86400 + hour * 3600;
        set(B, 0x00);
        assert_int_equal(get(HOURS), twelve[hour]);
        set(B, 0x04);
        assert_int_equal(get(HOURS) & 0x80, hour >= 12 ? 0x80 : 0);
        assert_int_equal(get(HOURS) & 0x7f, hour % 12 == 0 ? 12 : hour % 12);
        // Writing back what was read changes nothing.
        set(HOURS, get(HOURS));
        assert_true(rtc.offset == 0);
        set(B, 0x00);
        set(HOURS, get(HOURS));
        assert_true(rtc.offset == 0);
    }
}

// Linux's mc146818_get_time(): wait for no update in progress, read all, look again.
static void update_in_progress(void **state)
{
    (void)state;
    static const struct {
        uint32_t microseconds;
        uint8_t a;
    } times[] = {{0, 0x26}, {500000, 0x26}, {999755, 0x26}, {999756, 0xa6}, {999999, 0xa6}};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        micros = times[i].microseconds;
        assert_int_equal(get(A), times[i].a);
    }
    // Not while the clock is held.
    set(B, 0x82);
    assert_int_equal(get(A), 0x26);
    set(B, 0x02);
    set(A, 0x70);
    assert_int_equal(get(A), 0x70);
    // The bit can't be written.
    set(A, 0xa6);
    micros = 0;
    assert_int_equal(get(A), 0x26);
}

// Linux's mc146818_set_time(): hold the clock, stop the divider, write, undo both.
static void linux_set_time(void **state)
{
    (void)state;
    uint8_t b = get(B);
    set(B, b | 0x80);
    uint8_t a = get(A);
    set(A, a | 0x70);
    now += 3; // it takes its time, and the clock stands
    set(YEAR, 0x99);
    set(MONTH, 0x12);
    set(DAY, 0x31);
    set(HOURS, 0x23);
    set(MINUTES, 0x59);
    set(SECONDS, 0x57);
    set(WEEKDAY, 0x06);
    set(CENTURY, 0x19);
    now += 2;
    assert_time((const uint8_t[]){0x19, 0x99, 0x12, 0x31, 0x06, 0x23, 0x59, 0x57});
    set(B, b);
    set(A, a);
    assert_time((const uint8_t[]){0x19, 0x99, 0x12, 0x31, 0x06, 0x23, 0x59, 0x57});
    now += 3;
    assert_time((const uint8_t[]){0x20, 0x00, 0x01, 0x01, 0x07, 0x00, 0x00, 0x00});
    // A restart of the partition forgets it.
    vrtc_reset(&rtc);
    now = LEAP_DAY;
    assert_time((const uint8_t[]){0x20, 0x24, 0x02, 0x29, 0x05, 0x23, 0x59, 0x58});
}

static void set_while_running(void **state)
{
    (void)state;
    set(HOURS, 0x05);
    assert_time((const uint8_t[]){0x20, 0x24, 0x02, 0x29, 0x05, 0x05, 0x59, 0x58});
    now += 1;
    assert_int_equal(get(SECONDS), 0x59);
    // The day of the week is a counter of its own.
    set(WEEKDAY, 0x01);
    assert_time((const uint8_t[]){0x20, 0x24, 0x02, 0x29, 0x01, 0x05, 0x59, 0x59});
    now += 86400;
    assert_int_equal(get(WEEKDAY), 0x02);
    // Alarm registers are only memory.
    set(SECONDS_ALARM, 0xc0);
    assert_int_equal(get(SECONDS_ALARM), 0xc0);
    assert_int_equal(get(SECONDS), 0x59);
}

// The format may change while the clock is held: it is that of the moment when it goes on.
static void change_of_format(void **state)
{
    (void)state;
    set(B, 0x82);
    set(B, 0x86);
    static const uint8_t regs[8] = {CENTURY, YEAR, MONTH, DAY, WEEKDAY, HOURS, MINUTES, SECONDS};
    static const uint8_t values[8] = {20, 38, 1, 19, 3, 3, 14, 7};
    for (unsigned i = 0; i < 8; i++)
        set(regs[i], values[i]);
    set(B, 0x06);
    assert_true((int64_t)now + rtc.offset == 0x7fffffff);
    set(B, 0x02);
    assert_time((const uint8_t[]){0x20, 0x38, 0x01, 0x19, 0x03, 0x03, 0x14, 0x07});
    // Held and changed in one write: what is held was in the old format.
    set(B, 0x86);
    assert_int_equal(get(YEAR), 0x38);
}

static void calendar(void **state)
{
    (void)state;
    set(B, 0x06);
    // Through 8000 years in steps that hit all kinds of days.
    for (int64_t t = 0; t < 253402300800; t += 86400 * 53 + 12345) {
        now = (uint64_t)t;
        time_t libc_time = (time_t)t;
        struct tm tm;
        gmtime_r(&libc_time, &tm);
        assert_int_equal(get(CENTURY), (tm.tm_year + 1900) / 100);
        assert_int_equal(get(YEAR), tm.tm_year % 100);
        assert_int_equal(get(MONTH), tm.tm_mon + 1);
        assert_int_equal(get(DAY), tm.tm_mday);
        assert_int_equal(get(WEEKDAY), tm.tm_wday + 1);
        assert_int_equal(get(HOURS), tm.tm_hour);
        assert_int_equal(get(MINUTES), tm.tm_min);
        assert_int_equal(get(SECONDS), tm.tm_sec);
        // And back.
        set(B, 0x86);
        set(B, 0x06);
        assert_true(rtc.offset == 0);
    }
    // Every day around the leap years' exceptions, 1899 to 2101.
    for (int64_t t = -2240524800; t < 4133980800; t += 86400) {
        time_t libc_time = (time_t)t;
        struct tm tm;
        gmtime_r(&libc_time, &tm);
        rtc.offset = t - LEAP_DAY;
        now = LEAP_DAY;
        assert_int_equal(get(CENTURY), (tm.tm_year + 1900) / 100);
        assert_int_equal(get(YEAR), (tm.tm_year + 1900) % 100);
        assert_int_equal(get(MONTH), tm.tm_mon + 1);
        assert_int_equal(get(DAY), tm.tm_mday);
        assert_int_equal(get(WEEKDAY), tm.tm_wday + 1);
        set(B, 0x86);
        set(B, 0x06);
        assert_true(rtc.offset == t - LEAP_DAY);
    }
}

static void nonsense_dates(void **state)
{
    (void)state;
    static const uint8_t regs[8] = {CENTURY, YEAR, MONTH, DAY, WEEKDAY, HOURS, MINUTES, SECONDS};
    static const uint8_t modes[4] = {0x00, 0x02, 0x04, 0x06};

    for (unsigned m = 0; m < 4; m++) {
        for (unsigned v = 0; v < 256; v++) {
            set(B, modes[m] | 0x80);
            for (unsigned i = 0; i < 8; i++)
                set(regs[i], (uint8_t)v);
            set(B, modes[m]);
            // Some date comes out, and it is one.
            set(B, 0x06);
            assert_in_range(get(CENTURY), 0, 99);
            assert_in_range(get(YEAR), 0, 99);
            assert_in_range(get(MONTH), 1, 12);
            assert_in_range(get(DAY), 1, 31);
            assert_in_range(get(WEEKDAY), 1, 7);
            assert_in_range(get(HOURS), 0, 23);
            assert_in_range(get(MINUTES), 0, 59);
            assert_in_range(get(SECONDS), 0, 59);
        }
    }
    // 30 February leads into March.
    setup(NULL);
    set(DAY, 0x30);
    assert_int_equal(get(MONTH), 0x03);
    assert_int_equal(get(DAY), 0x01);
    // The ends of what can be shown.
    vrtc_reset(&rtc);
    set(B, 0x06);
    now = UINT64_MAX;
    assert_time((const uint8_t[]){99, 99, 12, 31, 6, 23, 59, 59});
    now = 0;
    set(CENTURY, 0);
    set(YEAR, 0);
    set(MONTH, 0);
    assert_int_equal(get(CENTURY), 0);
    assert_int_equal(get(YEAR), 0);
}

static void flags(void **state)
{
    (void)state;
    get(C);
    assert_int_equal(get(C), 0);
    now++;
    assert_int_equal(get(C), 0x10);
    assert_int_equal(get(C), 0);
    // No updates while held, no other flag ever, and none by writing.
    set(B, 0xf2);
    assert_int_equal(get(B), 0xf2);
    now++;
    assert_int_equal(get(C), 0);
    set(C, 0xff);
    set(D, 0x00);
    assert_int_equal(get(C), 0);
    assert_int_equal(get(D), 0x80);
}

static void memory(void **state)
{
    (void)state;
    for (uint8_t reg = 14; reg < 128; reg++) {
        if (reg == CENTURY)
            continue;
        assert_int_equal(get(reg), 0);
        set(reg, (uint8_t)(reg ^ 0xa5));
    }
    for (uint8_t reg = 14; reg < 128; reg++) {
        if (reg != CENTURY)
            assert_int_equal(get(reg), reg ^ 0xa5);
    }
    // The NMI mask is no part of the index, which can't be read.
    set(0x8f, 0x12);
    assert_int_equal(vrtc_read(&rtc, 0x70, 1, now, 0), 0xff);
    assert_int_equal(get(0x0f), 0x12);
}

static void accesses(void **state)
{
    (void)state;
    // A word at 0x70 is the index and, with it, the data.
    vrtc_write(&rtc, 0x70, 2, 0x3440, now);
    assert_int_equal(get(0x40), 0x34);
    assert_int_equal(vrtc_read(&rtc, 0x70, 4, now, 0), 0xffff34ff);
    assert_int_equal(vrtc_read(&rtc, 0x71, 2, now, 0), 0xff34);
    assert_int_equal(vrtc_read(&rtc, 0x72, 1, now, 0), 0xff);
    assert_int_equal(vrtc_read(&rtc, 0xffff, 4, now, 0), 0xffffffff);
    vrtc_write(&rtc, 0x72, 4, 0, now);
    vrtc_write(&rtc, 0xffff, 4, 0, now);
    assert_int_equal(vrtc_read(&rtc, 0x71, 1, now, 0), 0x34);
    assert_int_equal(vrtc_read(&rtc, 0x71, 1, now, UINT32_MAX), 0x34);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(time_in_bcd, setup),
        cmocka_unit_test_setup(time_in_binary_and_12_hours, setup),
        cmocka_unit_test_setup(update_in_progress, setup),
        cmocka_unit_test_setup(linux_set_time, setup),
        cmocka_unit_test_setup(set_while_running, setup),
        cmocka_unit_test_setup(change_of_format, setup),
        cmocka_unit_test_setup(calendar, setup),
        cmocka_unit_test_setup(nonsense_dates, setup),
        cmocka_unit_test_setup(flags, setup),
        cmocka_unit_test_setup(memory, setup),
        cmocka_unit_test_setup(accesses, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
