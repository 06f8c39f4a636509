// SPDX-License-Identifier: Apache-2.0
// arch/lib/format.c against expected texts, and against the C library's snprintf.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/lib/format.h"

// Same text and same length as libc, in a buffer that fits.
#define SAME(...)                                                                                  \
    do {                                                                                           \
        char ours[256], theirs[256];                                                               \
        size_t length = format(ours, sizeof(ours), __VA_ARGS__);                                   \
        int expected = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                              \
        assert_string_equal(ours, theirs);                                                         \
        assert_int_equal(length, expected);                                                        \
    } while (0)

static void numbers(void **state)
{
    (void)state;
    static const int values[] = {0, 1, -1, 9, 10, 255, -128, 32767, INT32_MAX, INT32_MIN};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        int v = values[i];
        unsigned u = (unsigned)v;

        SAME("%d|%i|%u|%x|%X", v, v, u, u, u);
        SAME("%5d|%-5d|%05d|%12d|%-12d|%012d", v, v, v, v, v, v);
        SAME("%8x|%08x|%-8x|%3u|%-3u|%03u", u, u, u, u, u, u);
        SAME("%ld|%lld|%lx|%llx", (long)v, (long long)v, (unsigned long)u, (unsigned long long)u);
        SAME("%zu|%zx|%zd", (size_t)u, (size_t)u, (ptrdiff_t)v);
        SAME("%*d|%-*d|%0*d", 7, v, 7, v, 7, v);
        SAME("%*d", -9, v);
    }
    SAME("%ld %ld %lu", INT64_MAX, INT64_MIN, UINT64_MAX);
    SAME("%llx %016lx %-20lx|", 0xdeadbeefcafef00dull, 0x123456789abcul, 0xfffffffffffffffful);
}

static void short_lengths(void **state)
{
    (void)state;
    char buf[64];

    // Through an unchecked string: the compiler would warn of the values that are cut on purpose.
    const char *volatile fmt = "%hhu %hhx %hu %hx %hhd %hd";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    format(buf, sizeof(buf), fmt, 0x1ff, 0x1ab, 0x12345, 0xfabcd, 0xff, 0x8000);
#pragma GCC diagnostic pop
    assert_string_equal(buf, "255 ab 9029 abcd -1 -32768");
}

static void strings(void **state)
{
    (void)state;
    SAME("%s|%10s|%-10s|%.2s|%10.2s|%-10.2s|", "abc", "abc", "abc", "abc", "abc", "abc");
    SAME("%.*s|%.*s|%s", 2, "abcd", -1, "abcd", "");
    SAME("%c%c|%3c|%-3c|%%|100%%", 'a', 'b', 'c', 'd');
    SAME("plain");
    SAME("%.0s|%.s|", "abc", "abc");

    // A string that has no terminator within its precision is not read beyond it.
    char open[3] = {'x', 'y', 'z'};
    char buf[16];

    assert_int_equal(format(buf, sizeof(buf), "%.3s", open), 3);
    assert_string_equal(buf, "xyz");
    const char *volatile nothing = NULL;

    format(buf, sizeof(buf), "%s", nothing);
    assert_string_equal(buf, "(null)");
}

static void pointers(void **state)
{
    (void)state;
    char buf[64];

    assert_int_equal(format(buf, sizeof(buf), "%p", (void *)0xffffffff80200000u), 18);
    assert_string_equal(buf, "0xffffffff80200000");
    format(buf, sizeof(buf), "%p!", (void *)0);
    assert_string_equal(buf, "0x0000000000000000!");
}

static void truncation(void **state)
{
    (void)state;
    char buf[8];

    for (size_t size = 0; size <= sizeof(buf); size++) {
        memset(buf, '#', sizeof(buf));
        assert_int_equal(format(buf, size, "%s-%d", "abc", 12345), 9);
        if (size > 0) {
            assert_int_equal(strlen(buf), size - 1);
            assert_memory_equal(buf, "abc-12345", size - 1);
        }
        for (size_t i = size; i < sizeof(buf); i++)
            assert_int_equal(buf[i], '#');
    }
    assert_int_equal(format(NULL, 0, "%100d", 1), 100);
    // An exact fit needs room for the terminator.
    assert_int_equal(format(buf, 4, "abc"), 3);
    assert_string_equal(buf, "abc");
}

static void mistakes(void **state)
{
    (void)state;
    static const char *const texts[] = {"%", "%5", "%l", "a%-08.3", "%k", "%5q!", "%f"};
    char buf[32];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *volatile fmt = texts[i];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
        format(buf, sizeof(buf), fmt);
#pragma GCC diagnostic pop
        assert_string_equal(buf, texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),  cmocka_unit_test(short_lengths), cmocka_unit_test(strings),
        cmocka_unit_test(pointers), cmocka_unit_test(truncation),    cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
