// SPDX-License-Identifier: Apache-2.0
// The log behind print(): overwriting, what is counted, the move to larger memory, time and CPU,
// and how its past is shown again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/console/console.h"
#include "drivers/console/history.h"
#include "tests/unit/fake_ticker.h"
#include "tests/unit/fake_uart.h"

#define LARGE 65536u
#define EARLY 64u // slots in the image

static _Alignas(16) uint8_t large[LARGE];

static int start(void **state)
{
    (void)state;
    fake_ticker_reset(0);
    fake_cpu_set(0);
    fake_uart_reset(FAKE_UART_16550, false);
    memset(large, 0, sizeof(large));
    fake_uart_console();
    return 0;
}

// What the log holds of the past, as text.
static const char *past(unsigned lines, bool stamps)
{
    static char text[2 * LARGE];
    struct console_history history;
    size_t length = 0;
    uint8_t byte;

    console_history_begin(&history, lines, stamps);
    while (console_history_read(&history, &byte)) {
        assert_true(length + 1 < sizeof(text));
        text[length++] = (char)byte;
    }
    text[length] = '\0';
    return text;
}

static void say(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        print("m%u\n", i);
    fake_uart_output();
}

static void expect_messages(const char *text, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char line[16];
        int length = snprintf(line, sizeof(line), "m%u\n", i);

        assert_memory_equal(text, line, (size_t)length);
        text += length;
    }
    assert_string_equal(text, "");
}

static void messages_stay_after_they_were_shown(void **state)
{
    (void)state;
    assert_string_equal(past(0, false), "");
    print("one\n");
    print("two ");
    print("parts\nthree\n");
    assert_string_equal(past(0, false), "one\ntwo parts\nthree\n");
    assert_string_equal(past(2, false), "parts\nthree\n"); // whole messages
    assert_string_equal(past(1, false), "parts\nthree\n");
    print("open");
    assert_string_equal(past(0, false), "one\ntwo parts\nthree\nopen\n");
}

static void old_ones_are_overwritten_and_counted(void **state)
{
    (void)state;
    say(0, EARLY);
    expect_messages(past(0, false), 0, EARLY);
    say(EARLY, EARLY + 10);
    const char *text = past(0, false), *note = "10 older messages are overwritten\n";

    assert_memory_equal(text, note, strlen(note));
    expect_messages(text + strlen(note), 10, EARLY + 10);
    // A message of several slots takes as many old ones with it, and is gone with its first.
    print("%0300d\n", 7);
    assert_int_equal(console_log_overwritten(), 13);
    say(0, EARLY - 2);
    assert_int_equal(console_log_overwritten(), 13 + EARLY - 3 + 1);
    assert_null(strstr(past(0, false), "0007"));
}

static void the_log_moves_to_larger_memory(void **state)
{
    (void)state;
    say(0, EARLY + 5);
    fake_cpu_set(3);
    assert_true(console_set_log(large, LARGE, 3));
    assert_int_equal(console_log_overwritten(), 5);
    say(EARLY + 5, 200);
    const char *text = past(0, false), *note = "5 older messages are overwritten\n";

    assert_memory_equal(text, note, strlen(note));
    expect_messages(text + strlen(note), 5, 200);
    // It has room for what it says.
    say(200, 5 + LARGE / CONSOLE_LOG_SLOT);
    assert_int_equal(console_log_overwritten(), 5);
    say(0, 1);
    assert_int_equal(console_log_overwritten(), 6);
    assert_null(strstr(past(0, true), "CPU 0"));
    assert_non_null(strstr(past(0, true), "CPU 3"));
}

static void bad_memory_is_refused(void **state)
{
    (void)state;
    say(0, 3);
    assert_false(console_set_log(large, EARLY * CONSOLE_LOG_SLOT, 0));
    assert_false(console_set_log(large, LARGE - CONSOLE_LOG_SLOT, 0));
    expect_messages(past(0, false), 0, 3);
    console_start();
    assert_false(console_set_log(large, LARGE, 0));
    say(3, 5);
    expect_messages(past(0, false), 0, 5);
}

static void time_and_cpu_are_those_of_the_message(void **state)
{
    (void)state;
    const char *head = "the log's last lines (0 older messages are overwritten):\n";
    char expected[200];

    fake_time_pass(1234567);
    print("one\n");
    fake_cpu_set(31);
    fake_time_pass(58765434);
    print("two\nthree\n");
    fake_cpu_set(5);
    fake_time_pass(1000000);
    snprintf(expected, sizeof(expected),
             "%s1.234567 CPU 0: one\n60.000001 CPU 31: two\n60.000001 CPU 31: three\n", head);
    assert_string_equal(past(10, true), expected);
    // The early ones were said by the boot CPU, whatever its number turns out to be.
    assert_true(console_set_log(large, LARGE, 9));
    assert_non_null(strstr(past(0, true), "1.234567 CPU 9: one\n"));
    // A line of two messages has the first one's.
    print("fo");
    fake_time_pass(1);
    print("ur\n");
    assert_non_null(strstr(past(1, true), "61.000002 CPU 5: ur\n"));
    assert_non_null(strstr(past(0, true), "61.000001 CPU 5: four\n"));
}

static void what_is_overwritten_meanwhile_is_left_out(void **state)
{
    (void)state;
    struct console_history history;
    uint8_t byte;
    char text[1024];
    size_t length = 0;

    say(0, EARLY);
    console_history_begin(&history, 0, false);
    assert_true(console_history_read(&history, &byte));
    text[length++] = (char)byte;
    say(100, 100 + EARLY - 2); // all but the last two
    while (console_history_read(&history, &byte))
        text[length++] = (char)byte;
    text[length] = '\0';
    assert_string_equal(text, "m0\nm62\nm63\n");
    // All of it: nothing but the line about it is left.
    console_history_begin(&history, 0, true);
    say(0, 3 * EARLY);
    for (length = 0; console_history_read(&history, &byte); length++)
        text[length] = (char)byte;
    assert_int_equal(text[length - 1], '\n');
    assert_ptr_equal(memchr(text, '\n', length), text + length - 1);
}

static struct console_events type(const char *text)
{
    fake_uart_type(text, strlen(text));
    return console_poll();
}

static void the_key_shows_it_again(void **state)
{
    (void)state;
    static uint8_t ring[4096];

    assert_int_equal(fake_uart_source("alpha", ring, sizeof(ring)), 1);
    assert_true(console_set_log(large, LARGE, 0));
    console_start();
    fake_time_pass(5);
    print("first\n");
    fake_uart_output();
    assert_int_equal(type("\x1dl").actions, 0);
    const char *shown = "[bulkhead] the log's last lines (0 older messages are overwritten):\r\n"
                        "[bulkhead] 0.000005 CPU 0: first\r\n";

    assert_string_equal(fake_uart_output(), shown);
    // What was shown again is not in the log once more.
    type("\x1dl");
    assert_string_equal(fake_uart_output(), shown);
    // 40 lines of many; a line that is not finished is ended first, and goes on after it.
    say(0, 100);
    print("be");
    assert_string_equal(fake_uart_output(), "[bulkhead] be");
    type("\x1dl");
    print("gun\n");
    const char *out = fake_uart_output();

    assert_memory_equal(out, "\r\n[bulkhead] the log", 20);
    assert_null(strstr(out, ": m59\r\n"));
    assert_non_null(strstr(out, ": m60\r\n"));
    assert_non_null(strstr(out, ": m99\r\n[bulkhead] 0.000005 CPU 0: be\r\n[bulkhead] gun\r\n"));
}

static void a_panic_is_in_the_log(void **state)
{
    (void)state;
    console_start();
    print("before\n");
    console_panic();
    print("PANIC: why\n");
    assert_string_equal(fake_uart_output(), "[bulkhead] before\r\n[bulkhead] PANIC: why\r\n");
    struct console_log_part part;

    assert_true(console_log_part(1, &part));
    assert_memory_equal(part.text, "PANIC: why\n", part.length);
    assert_false(console_log_part(2, &part));
}

static void without_a_device_the_log_is_kept(void **state)
{
    (void)state;
    fake_uart_reset(FAKE_UART_ABSENT, false);
    assert_int_equal(fake_uart_console(), CONSOLE_SINK_NONE);
    say(0, 10);
    console_start();
    say(10, EARLY + 10);
    expect_messages(past(EARLY, false) + strlen("10 older messages are overwritten\n"), 10,
                    EARLY + 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(messages_stay_after_they_were_shown, start),
        cmocka_unit_test_setup(old_ones_are_overwritten_and_counted, start),
        cmocka_unit_test_setup(the_log_moves_to_larger_memory, start),
        cmocka_unit_test_setup(bad_memory_is_refused, start),
        cmocka_unit_test_setup(time_and_cpu_are_those_of_the_message, start),
        cmocka_unit_test_setup(what_is_overwritten_meanwhile_is_left_out, start),
        cmocka_unit_test_setup(the_key_shows_it_again, start),
        cmocka_unit_test_setup(a_panic_is_in_the_log, start),
        cmocka_unit_test_setup(without_a_device_the_log_is_kept, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
