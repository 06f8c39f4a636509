// SPDX-License-Identifier: Apache-2.0
// Whose turn it is on the console: what is held back so that the focus's line stays in one piece,
// for how long, and that nothing is hidden, stalled or forgotten by it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/console/console.h"
#include "drivers/console/turn.h"
#include "tests/unit/fake_ticker.h"
#include "tests/unit/fake_uart.h"

#define RING 8192
#define ROOM 4096 // of a ring
#define MS   1000

static uint8_t rings[2][RING];

static void start_with(bool slow, bool ticker)
{
    fake_uart_reset(FAKE_UART_16550, slow);
    fake_ticker_reset(7);
    fake_uart_console();
    assert_int_equal(fake_uart_source("alpha", rings[0], RING), 1);
    assert_int_equal(fake_uart_source("beta", rings[1], RING), 2);
    console_set_ticker(ticker);
    console_start();
}

// alpha (1, has the keyboard), beta (2), and a ticker.
static int start(void **state)
{
    (void)state;
    start_with(false, true);
    return 0;
}

static int start_slow(void **state)
{
    (void)state;
    start_with(true, true);
    return 0;
}

static void put_text(unsigned source, const char *text)
{
    for (; *text != '\0'; text++)
        assert_true(console_put(source, (uint8_t)*text));
}

static void write_text(unsigned source, const char *text)
{
    put_text(source, text);
    console_drain();
}

// Time passes and the ticker comes round.
static void tick_after(int64_t us)
{
    assert_true(console_tick_wanted());
    fake_time_pass(us);
    console_tick();
}

static void expect(const char *text)
{
    assert_string_equal(fake_uart_output(), text);
}

// Nothing is left that only a ticker would bring out.
static void expect_rest(void)
{
    assert_false(console_tick_wanted());
}

static void others_wait_for_the_end_of_the_line(void **state)
{
    (void)state;
    write_text(1, "[    0.0");
    expect("[alpha] [    0.0");
    write_text(2, "one\ntwo\n");
    print("three\n");
    expect("");
    write_text(1, "000000] Linux");
    expect("000000] Linux");
    write_text(1, "\n");
    expect("\r\n[bulkhead] three\r\n[beta] one\r\n[beta] two\r\n");
    console_tick();
    expect_rest();
}

static void the_ticker_is_woken_when_it_is_needed(void **state)
{
    (void)state;
    write_text(1, "one\ntwo");
    write_text(2, "half");
    assert_int_equal(fake_ticker_wakes(), 0);
    expect_rest();
    write_text(2, " and half\n");
    assert_int_equal(fake_ticker_wakes(), 1);
    assert_true(console_tick_wanted());
    write_text(2, "more\n");
    write_text(1, "!");
    assert_int_equal(fake_ticker_wakes(), 0); // it is awake
    console_tick();
    assert_true(console_tick_wanted());
    fake_ticker_wakes();
    write_text(1, "\n");
    console_tick();
    expect_rest();
    assert_int_equal(fake_ticker_wakes(), 0);
    write_text(1, "$ ");
    write_text(2, "x\n");
    assert_int_equal(fake_ticker_wakes(), 1);
}

static void a_quiet_line_may_be_broken(void **state)
{
    (void)state;
    write_text(1, "$ ");
    expect("[alpha] $ ");
    write_text(2, "one\n");
    tick_after(CONSOLE_QUIET_US - 1);
    expect("");
    write_text(1, "l"); // it has grown: the time starts again
    tick_after(CONSOLE_QUIET_US - 1);
    expect("l");
    tick_after(1);
    expect("\r\n[beta] one\r\n");
    // It has been quiet for long: the next line need not wait, but the prompt waits for the others.
    write_text(2, "two\n");
    expect("[beta] two\r\n");
    tick_after(CONSOLE_QUIET_US - 1);
    expect("");
    tick_after(1);
    expect("[alpha] $ l");
    expect_rest();
    write_text(2, "three\n");
    expect("\r\n[beta] three\r\n");
    tick_after(CONSOLE_QUIET_US);
    expect("[alpha] $ l");
    expect_rest();
}

static void a_prompt_and_an_echo_appear_at_once(void **state)
{
    (void)state;
    write_text(2, "booting\n");
    expect("[beta] booting\r\n");
    write_text(1, "$ ");
    expect("[alpha] $ ");
    for (const char *key = "ls -l"; *key != '\0'; key++) {
        char echo[2] = {*key};

        fake_uart_type(echo, 1);
        console_poll();
        write_text(1, echo);
        expect(echo);
        fake_time_pass(200 * MS);
    }
    // Also where the prompt has just been broken.
    write_text(2, "up\n");
    expect("\r\n[beta] up\r\n");
    write_text(1, "a");
    expect("[alpha] $ ls -la");
    console_tick();
    expect_rest();
}

static void a_line_is_not_begun_before_those_of_others(void **state)
{
    (void)state;
    put_text(1, "par");
    put_text(2, "one\ntwo\n");
    console_drain();
    expect("[beta] one\r\n[beta] two\r\n[alpha] par");
    write_text(1, "t\n");
    fake_uart_output();
    // With a whole line of its own the focus has its turn as the others have.
    put_text(1, "a1\na2");
    put_text(2, "b1\nb2\n");
    console_drain();
    expect("[beta] b1\r\n[alpha] a1\r\n[beta] b2\r\n[alpha] a2");
    expect_rest();
}

static void a_flood_does_not_keep_the_focus_from_beginning(void **state)
{
    (void)state;
    char all[20000] = "";
    unsigned ms = 0;

    // The device never comes to the end of what beta has to say.
    for (unsigned i = 0; i < 20; i++)
        put_text(2, "flood\n");
    console_drain();
    put_text(1, "$ ");
    for (; strstr(all, "[alpha] $ ") == NULL && ms < 500; ms++) {
        fake_uart_transmit();
        put_text(2, "flood\nflood\n"); // more than the 16 bytes just sent
        fake_time_pass(1 * MS);
        console_poll();
        strcat(all, fake_uart_output());
    }
    // What was on its way to the device before stays before it.
    assert_in_range(ms, CONSOLE_QUIET_US / MS, CONSOLE_QUIET_US / MS + 100);
}

// The device's interrupt, as long as there is one.
static void serve(void)
{
    while (fake_uart_edge() || fake_uart_line())
        console_poll();
}

static unsigned count(const char *text, const char *what)
{
    unsigned found = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        found++;
    return found;
}

static void a_crowded_ring_is_not_held(void **state)
{
    (void)state;
    write_text(1, "$ ");
    expect("[alpha] $ ");
    for (unsigned put = 0; put < ROOM / 2; put += 8)
        write_text(2, "1234567\n");
    expect("");
    write_text(2, "\n");
    serve();
    const char *out = fake_uart_output();

    // Once the line is broken, all may come.
    assert_memory_equal(out, "\r\n[beta] 1234567\r\n", 18);
    assert_int_equal(count(out, "[beta] 1234567\r\n"), ROOM / 2 / 8);
    assert_int_equal(count(out, "alpha"), 0);
    tick_after(CONSOLE_QUIET_US);
    expect("[alpha] $ ");
    expect_rest();
}

static void a_line_end_that_is_here_goes_before_a_crowded_ring(void **state)
{
    (void)state;
    write_text(1, "par");
    fake_uart_output();
    for (unsigned put = 0; put <= ROOM / 2; put += 8)
        put_text(2, "1234567\n");
    put_text(1, "t\n");
    console_drain();
    assert_memory_equal(fake_uart_output(), "t\r\n[beta] 1234567\r\n", 19);
}

static void a_crowded_focus_begins_its_line(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= ROOM / 2; i++)
        assert_true(console_put(1, 'a'));
    write_text(2, "one\n");
    serve();
    fake_time_pass(CONSOLE_QUIET_US);
    console_tick();
    serve();
    const char *out = fake_uart_output();

    assert_memory_equal(out, "[alpha] aaa", 11);
    assert_int_equal(count(out, "\r\n[beta] one\r\n"), 1);
}

static void each_line_has_its_own_time(void **state)
{
    (void)state;
    for (unsigned line = 0; line < 5; line++) {
        write_text(1, "a line ");
        write_text(2, "one\n");
        for (unsigned i = 0; i < 10; i++) {
            fake_time_pass(CONSOLE_HOLD_US / 12);
            write_text(1, ".");
        }
        expect("[alpha] a line ..........");
        write_text(1, "\n");
        expect("\r\n[beta] one\r\n");
    }
}

static void a_crowded_log_is_not_held(void **state)
{
    (void)state;
    unsigned shown = 0, line = 0;

    write_text(1, "$ ");
    expect("[alpha] $ ");
    while (shown == 0 && line < 1000) {
        print("message %u\n", line++);
        serve();
        shown = count(fake_uart_output(), "[bulkhead] message");
    }
    assert_in_range(line, 30, 40); // half of its 64 slots
    assert_int_equal(shown, line);
    // Texts of more than a slot: all come.
    write_text(1, "!");
    fake_uart_output();
    for (line = 0, shown = 0; line < 200; line++) {
        print("%0200u\n", line);
        serve();
        const char *out = fake_uart_output();

        shown += count(out, "[bulkhead] 0");
        assert_int_equal(count(out, "lost"), 0);
    }
    tick_after(CONSOLE_QUIET_US);
    serve();
    shown += count(fake_uart_output(), "[bulkhead] 0");
    assert_int_equal(shown, 200);
}

static void nobody_hides_others_behind_an_endless_line(void **state)
{
    (void)state;
    unsigned ms = 0;

    write_text(1, "$ ");
    print("alpha has done something bad\n");
    write_text(2, "help\n");
    expect("[alpha] $ ");
    for (; ms < 2000; ms += 10) {
        fake_time_pass(10 * MS);
        write_text(1, ".");
        if (strstr(fake_uart_output(), "something bad") != NULL)
            break;
    }
    assert_in_range(ms, CONSOLE_HOLD_US / MS - 20, CONSOLE_HOLD_US / MS + 20);
    write_text(2, "help again\n");
    for (ms = 0; ms < 2000; ms += 10) {
        fake_time_pass(10 * MS);
        write_text(1, ".");
        if (strstr(fake_uart_output(), "help again") != NULL)
            break;
    }
    assert_in_range(ms, 0, CONSOLE_HOLD_US / MS + 20);
}

static void a_stalled_source_goes_on(void **state)
{
    (void)state;
    unsigned put = 0;

    write_text(1, "$ ");
    while (console_put(2, put % 64 == 63 ? '\n' : 'b'))
        put++;
    assert_int_equal(put, ROOM);
    console_drain();
    // Without time passing, and told once.
    uint32_t told = console_take_unstalled();

    while (fake_uart_edge() || fake_uart_line()) {
        uint32_t more = console_poll().unstalled;

        assert_int_equal(told & more, 0);
        told |= more;
    }
    assert_int_equal(told, 1u << 2);
    assert_true(console_put(2, 'b'));
}

static void the_focus_moves(void **state)
{
    (void)state;
    write_text(1, "[    0.0");
    write_text(2, "one\nlogin: ");
    expect("[alpha] [    0.0");
    fake_uart_type("\x1d\x32", 2);
    assert_true(fake_uart_edge());
    console_poll();
    expect("\r\n[bulkhead] keyboard: beta\r\n[beta] one\r\n[beta] login: ");
    // Now beta's line is the one in one piece; alpha's is broken, and comes whole when it ends.
    write_text(1, "0] Linux\n");
    expect("");
    tick_after(CONSOLE_QUIET_US);
    expect("\r\n[alpha] [    0.00] Linux\r\n");
    tick_after(CONSOLE_QUIET_US);
    expect("[beta] login: ");
    expect_rest();
}

static void without_a_ticker_nothing_is_held(void **state)
{
    (void)state;
    start_with(false, false);
    write_text(1, "[    0.0");
    write_text(2, "one\n");
    print("two\n");
    expect("[alpha] [    0.0\r\n[beta] one\r\n[alpha] [    0.0\r\n[bulkhead] two\r\n"
           "[alpha] [    0.0");
    expect_rest();
    assert_int_equal(fake_ticker_wakes(), 0);
    // It can't be turned on any more.
    console_set_ticker(true);
    write_text(2, "three\n");
    expect("\r\n[beta] three\r\n[alpha] [    0.0");
}

static void clocks_that_differ_do_no_harm(void **state)
{
    (void)state;
    fake_time_pass(1000 * MS);
    write_text(1, "$ ");
    fake_time_pass(-3); // another CPU's
    write_text(2, "one\n");
    expect("[alpha] $ ");
    tick_after(CONSOLE_QUIET_US + 3);
    expect("\r\n[beta] one\r\n");
    fake_time_pass(-3);
    console_tick();
    expect("");
    tick_after(CONSOLE_QUIET_US + 3);
    expect("[alpha] $ ");
}

static void a_slow_device_ends_the_line_first(void **state)
{
    (void)state;
    write_text(1, "a line that is longer than the transmitter's FIFO, and not at its");
    write_text(2, "one\n");
    for (unsigned i = 0; i < 20; i++) {
        fake_time_pass(20 * MS); // a very slow one: that is not the focus's being quiet
        fake_uart_transmit();
        write_text(1, i < 10 ? "." : i == 10 ? " end\n" : "");
        console_poll();
    }
    assert_string_equal(fake_uart_output(),
                        "[alpha] a line that is longer than the transmitter's FIFO, and not at its"
                        ".......... end\r\n[beta] one\r\n");
    console_tick();
    expect_rest();
}

static void panic_shows_what_was_held(void **state)
{
    (void)state;
    write_text(1, "$ ");
    print("held\n");
    expect("[alpha] $ ");
    console_panic();
    expect("\r\n[bulkhead] held\r\n");
    console_tick();
    expect("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(others_wait_for_the_end_of_the_line, start),
        cmocka_unit_test_setup(the_ticker_is_woken_when_it_is_needed, start),
        cmocka_unit_test_setup(a_quiet_line_may_be_broken, start),
        cmocka_unit_test_setup(a_prompt_and_an_echo_appear_at_once, start),
        cmocka_unit_test_setup(a_line_is_not_begun_before_those_of_others, start),
        cmocka_unit_test_setup(a_flood_does_not_keep_the_focus_from_beginning, start_slow),
        cmocka_unit_test_setup(a_crowded_ring_is_not_held, start),
        cmocka_unit_test_setup(a_line_end_that_is_here_goes_before_a_crowded_ring, start),
        cmocka_unit_test_setup(a_crowded_focus_begins_its_line, start),
        cmocka_unit_test_setup(each_line_has_its_own_time, start),
        cmocka_unit_test_setup(a_crowded_log_is_not_held, start),
        cmocka_unit_test_setup(nobody_hides_others_behind_an_endless_line, start),
        cmocka_unit_test_setup(a_stalled_source_goes_on, start),
        cmocka_unit_test_setup(the_focus_moves, start),
        cmocka_unit_test(without_a_ticker_nothing_is_held),
        cmocka_unit_test_setup(clocks_that_differ_do_no_harm, start),
        cmocka_unit_test_setup(a_slow_device_ends_the_line_first, start_slow),
        cmocka_unit_test_setup(panic_shows_what_was_held, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
