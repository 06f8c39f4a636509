// SPDX-License-Identifier: Apache-2.0
// One partition alone on the console: its bytes pass unchanged, the others wait for nothing, and
// what they said comes afterwards; its screen is drawn again from its past. And what partitions
// may do to the terminal while they share it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/console/console.h"
#include "drivers/console/filter.h"
#include "drivers/console/ring.h"
#include "drivers/console/screen.h"
#include "tests/unit/fake_ticker.h"
#include "tests/unit/fake_uart.h"

#define ESC    "\x1b"
#define CLEAR  ESC "[m" ESC "[H" ESC "[2J" // what a new view begins with
#define TOGGLE "\x1dr"

static uint8_t rings[3][CONSOLE_RING_SIZE];

static void start_with(unsigned partitions, bool slow)
{
    static const char *const names[] = {"alpha", "beta", "gamma"};

    fake_uart_reset(FAKE_UART_16550, slow);
    fake_ticker_reset(7);
    fake_uart_console();
    for (unsigned i = 0; i < partitions; i++)
        assert_int_equal(fake_uart_source(names[i], rings[i], sizeof(rings[i])), i + 1);
    console_start();
}

static int start(void **state)
{
    (void)state;
    start_with(3, false);
    return 0;
}

static int start_single(void **state)
{
    (void)state;
    start_with(1, false);
    return 0;
}

static void write_bytes(unsigned source, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while (!console_put(source, (uint8_t)text[i]))
            console_drain();
    }
    console_drain();
    while (fake_uart_edge())
        console_poll();
}

static void write_text(unsigned source, const char *text)
{
    write_bytes(source, text, strlen(text));
}

static struct console_events type(const char *text)
{
    fake_uart_type(text, strlen(text));
    return console_poll();
}

static void expect(const char *text)
{
    assert_string_equal(fake_uart_output(), text);
}

static void expect_part(const char *out, const char *part)
{
    if (strstr(out, part) == NULL)
        fail_msg("no \"%s\" in \"%s\"", part, out);
}

// ---- alone -----------------------------------------------------------------------------------

static void a_single_partition_is_raw(void **state)
{
    (void)state;
    static char all[257];

    write_text(1, "boot\nab\r" ESC "[2Kc\r\n");
    expect("boot\nab\r" ESC "[2Kc\r\n");
    for (unsigned i = 1; i < sizeof(all); i++) // 0x1b last, so that no sequence begins
        all[i - 1] = (char)(i < 0x1b ? i : i == 0xff ? 0x1b : i + 1);
    all[255] = '\0';
    write_text(1, all);
    expect(all);
}

static void own_lines_stand_between_its_lines(void **state)
{
    (void)state;
    write_text(1, "one\r\n");
    print("hello\n");
    expect("one\r\n\r[bulkhead] hello\r\n");
    write_text(1, "$ l");
    print("again\n");
    expect("$ l\r\n[bulkhead] again\r\n$ l");
    write_text(1, "s\r\n" ESC "[1mbold");
    print("colours\n");
    expect("s\r\n" ESC "[1mbold" ESC "[m\r\n[bulkhead] colours\r\n" ESC "[1mbold");
    // Not in the middle of a sequence, which the terminal must not go on with.
    write_text(1, ESC "[0");
    print("cut\n");
    expect(ESC "[0\x18" ESC "[m\r\n[bulkhead] cut\r\n" ESC "[1mbold");
}

static void own_lines_spare_a_picture(void **state)
{
    (void)state;
    write_text(1, "one\r\n" ESC "[H" ESC "[Jpicture");
    fake_uart_output();
    print("held\n");
    expect("");
    // The answer to a question is shown at once, and the picture drawn again when typing goes on.
    type("\x1d?");
    const char *out = fake_uart_output();

    expect_part(out, "[bulkhead] held\r\n");
    expect_part(out, "r it alone or all");
    assert_int_equal(type("x").input, 1u << 1);
    expect_part(fake_uart_output(), "\r\n" CLEAR ESC "[H" ESC "[Jpicture");
    assert_int_equal(type("x").input, 1u << 1);
    expect("");
    // Lines again.
    print("waits\n");
    for (unsigned i = 0; i < CONSOLE_SCREEN_LINES - 1; i++)
        write_text(1, "x\r\n");
    assert_null(strstr(fake_uart_output(), "waits"));
    write_text(1, "x\r\n");
    expect_part(fake_uart_output(), "[bulkhead] waits\r\n");
}

static void the_end_shows_all_again(void **state)
{
    (void)state;
    write_text(1, ESC "[?1049h" ESC "[5;5Hvi");
    print("held\n");
    fake_uart_output();
    console_end(1);
    const char *out = fake_uart_output();

    expect_part(out, ESC "[?1049l");
    expect_part(out, ESC "[999;1H\r\n[bulkhead] held\r\n");
    print("all have ended\n");
    expect("[bulkhead] all have ended\r\n");
    type(TOGGLE);
    expect("[bulkhead] alpha has ended: it is not seen alone\r\n");
    // It can start again.
    console_restart(1);
    write_text(1, "boot\r\n");
    out = fake_uart_output();
    expect_part(out, CLEAR);
    assert_string_equal(out + strlen(out) - 6, "boot\r\n");
}

static void a_restart_makes_the_terminal_new(void **state)
{
    (void)state;
    write_text(1, ESC "[?1h" ESC "[?25l" ESC "[3;1Hpicture");
    fake_uart_output();
    print("held\n");
    console_restart(1);
    write_text(1, "boot\r\n");
    const char *out = fake_uart_output();

    expect_part(out, ESC "[?1l");
    expect_part(out, ESC "[?25h");
    expect_part(out, "[bulkhead] held\r\nboot\r\n");
}

static void a_key_changes_the_view(void **state)
{
    (void)state;
    write_text(1, "one\n$ ");
    write_text(2, "two\n");
    expect("[alpha] one\r\n[alpha] $ \r\n[beta] two\r\n[alpha] $ ");
    type(TOGGLE);
    expect("\r\n" CLEAR "[bulkhead] screen: alpha alone; Ctrl-] r shows all\r\none\n$ ");
    console_poll();
    write_text(1, ESC "[2;3Hx" ESC "]0;title\x07");
    expect(ESC "[2;3Hx" ESC "]0;title\x07");
    write_text(2, "hidden\nhalf");
    write_text(3, "too\n");
    print("held\n");
    expect("");
    type(TOGGLE);
    const char *out = fake_uart_output();

    expect_part(out, ESC "[?25h");
    expect_part(out,
                ESC "[999;1H\r\n[bulkhead] held\r\n[bulkhead] screen: all partitions' lines\r\n");
    expect_part(out, "[beta] hidden\r\n");
    expect_part(out, "[gamma] too\r\n");
    assert_null(strstr(out, "title"));
    assert_null(strstr(out, "[alpha]"));
    write_text(2, " and half\n");
    expect("[beta] half and half\r\n");
}

// The prompt that was typed at alone is there among the lines.
static void an_unfinished_line_comes_along(void **state)
{
    (void)state;
    type(TOGGLE);
    write_text(1, "a\r\n$ ls");
    fake_uart_output();
    type(TOGGLE);
    expect("\r\n[bulkhead] screen: all partitions' lines\r\n[alpha] $ ls");
}

static void the_focus_moves_the_view(void **state)
{
    (void)state;
    type(TOGGLE);
    write_text(1, "one");
    write_text(2, "two" ESC "[6n" ESC "[?1h" ESC "[c" ESC "]0;t\x07!" ESC "[31m");
    fake_uart_output();
    type("\x1dn");
    // Nothing that the terminal would answer; modes are there.
    expect("\r\n" CLEAR "[bulkhead] keyboard: beta\r\ntwo" ESC "[?1h!" ESC "[31m");
    write_text(2, ESC "[6n");
    expect(ESC "[6n");
    type("\x1d\x31");
    const char *out = fake_uart_output();

    expect_part(out, ESC "[?1l");
    expect_part(out, CLEAR "[bulkhead] keyboard: alpha\r\none");
    type("\x1d\x32");
    out = fake_uart_output();
    expect_part(out, CLEAR ESC "[?1h[bulkhead] keyboard: beta\r\ntwo" ESC "[?1h!" ESC "[31m");
}

// What a program has set of the terminal is set again, unless it was taken back.
static void modes_come_along(void **state)
{
    (void)state;
    static const struct {
        const char *sent, *redo;
    } rows[] = {
        {ESC "[?1h" ESC "=", CLEAR ESC "[?1h" ESC "="},
        {ESC "[?1;1000;7h" ESC "[?7;25l", CLEAR ESC "[?1h" ESC "[?7l" ESC "[?25l" ESC "[?1000h"},
        {ESC "[?1;25l" ESC "[?25h" ESC "[?1h" ESC "[?1l" ESC "=" ESC ">", CLEAR},
        {ESC "[?1049h" ESC "[?2004h" ESC "[?9999h" ESC "c", CLEAR},
    };
    char expected[64];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        start_with(2, false);
        write_text(2, rows[i].sent);
        write_text(2, "\r\n");
        fake_uart_output();
        type(TOGGLE "\x1dn");
        // The hypervisor's line stands before the past.
        snprintf(expected, sizeof(expected), "%s[bulkhead] keyboard: beta", rows[i].redo);
        expect_part(fake_uart_output(), expected);
    }
}

// A sequence that the past ends in the middle of arrives whole.
static void the_past_ends_anywhere(void **state)
{
    (void)state;
    static const char text[] = "a" ESC "[1;31mb\xe2\x82\xac" ESC "(0" ESC "]0;t\x07z";

    for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
        start_with(2, false);
        write_bytes(1, text, cut);
        fake_uart_output();
        type(TOGGLE);
        write_bytes(1, text + cut, sizeof(text) - 1 - cut);
        const char *out = strstr(fake_uart_output(), "shows all\r\n") + 11;

        // The title may be left out.
        if (strcmp(out, text) != 0)
            assert_string_equal(out, "a" ESC "[1;31mb\xe2\x82\xac" ESC "(0z");
    }
}

static void the_past_begins_with_a_cleared_screen(void **state)
{
    (void)state;
    static const char *const clears[] = {ESC "[2J", ESC "[H" ESC "[2J", ESC "[H" ESC "[J",
                                         ESC "[?1049h", ESC "c"};
    char text[100];

    for (size_t i = 0; i < ARRAY_SIZE(clears); i++) {
        start_with(2, false);
        write_text(1, "old\r\n");
        write_text(1, clears[i]);
        snprintf(text, sizeof(text), "%snew", clears[i]);
        write_text(1, "gone");
        write_text(1, text);
        fake_uart_output();
        type(TOGGLE);
        expect_part(fake_uart_output(), strcat(strcpy(text, "shows all\r\n"), clears[i]));
        type(TOGGLE);
        const char *out;

        type(TOGGLE);
        out = fake_uart_output();
        assert_null(strstr(out, "old"));
        assert_null(strstr(out, "gone"));
        expect_part(out, "new");
    }
}

// However long the past is, the view begins with a line of it, and as much as a screen needs.
static void a_long_past_is_cut(void **state)
{
    (void)state;
    char line[16];

    for (unsigned i = 0; i < 20000; i++) {
        snprintf(line, sizeof(line), "line %05u\r\n", i);
        write_text(1, line);
    }
    fake_uart_output();
    type(TOGGLE);
    while (fake_uart_edge())
        console_poll();
    const char *out = strstr(fake_uart_output(), "shows all\r\n") + 11;
    unsigned first = (unsigned)atoi(out + 5);

    assert_in_range(strlen(out), CONSOLE_RING_AGAIN - 24, CONSOLE_RING_AGAIN);
    for (unsigned i = first; i < 20000; i++, out += 12) {
        snprintf(line, sizeof(line), "line %05u\r\n", i);
        assert_memory_equal(out, line, 12);
    }
    assert_string_equal(out, "");
}

static void what_is_hidden_waits_for_nothing(void **state)
{
    (void)state;
    char line[16];
    unsigned next, gone = 0;

    start_with(2, true); // and nothing is transmitted
    type(TOGGLE);
    write_text(1, "a full FIFO, and more than that");
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(line, sizeof(line), "line %05u\n", i);
        for (const char *p = line; *p != '\0'; p++) {
            if (!console_put(2, (uint8_t)*p)) {
                console_drain();
                assert_true(console_put(2, (uint8_t)*p));
            }
        }
    }
    type(TOGGLE);
    for (unsigned i = 0; i < 100000 && (fake_uart_transmit() || fake_uart_edge()); i++)
        console_poll();
    const char *out = strstr(fake_uart_output(), "screen: all");

    // As much as the ring keeps, and a line that says what is missing.
    assert_non_null(out);
    out = strstr(out, "[bulkhead] beta said more than is kept: ");
    assert_non_null(out);
    assert_int_equal(sscanf(out, "[bulkhead] beta said more than is kept: %u bytes", &gone), 1);
    out = strstr(out, "[beta] line ");
    assert_non_null(out);
    next = (unsigned)atoi(out + 12);
    assert_int_equal(gone, next * 11);
    assert_in_range((10000 - next) * 11, CONSOLE_RING_SIZE - CONSOLE_RING_ROOM - 11,
                    CONSOLE_RING_SIZE - CONSOLE_RING_ROOM);
    for (; next < 10000; next++, out += 19) {
        char shown[32];

        snprintf(shown, sizeof(shown), "[beta] line %05u\r\n", next);
        assert_memory_equal(out, shown, 19);
    }
}

// A source whose ring was full when it was hidden is told.
static void a_stall_ends_when_it_is_hidden(void **state)
{
    (void)state;
    start_with(2, true);
    for (unsigned i = 0; i < 4 * CONSOLE_RING_ROOM; i++) {
        console_put(2, 'b');
        console_drain();
    }
    type(TOGGLE);
    assert_false(console_put(2, 'b'));
    uint32_t told = 0;

    // What was on its way goes out first.
    for (unsigned i = 0; i < 1000 && told == 0; i++) {
        fake_uart_transmit();
        if (fake_uart_edge())
            told = console_poll().unstalled;
    }
    assert_int_equal(told, 1u << 2);
    assert_true(console_put(2, 'b'));
}

// What the device has no room for is continued by the ticker, or without one on the CPU of who said
// it; and what waits for the picture to go makes nobody come again and again.
// Views that change faster than anything is shown leave out the line that was cut, and no other.
static void a_cut_line_is_left_out_once(void **state)
{
    (void)state;
    static uint8_t bytes[64];
    struct console_ring ring;
    uint32_t next;

    console_ring_init(&ring, bytes, sizeof(bytes));
    for (unsigned i = 0; i < 100; i++) { // lines of ten bytes; half of the ring is kept
        assert_true(console_ring_put(&ring, i % 10 == 9 ? '\n' : (uint8_t)('0' + i / 10)));
        console_ring_hide(&ring);
    }
    console_ring_resume(&ring);
    next = ring.next;
    assert_int_equal(next, 70);
    assert_int_equal(ring.gone, 70);
    console_ring_resume(&ring);
    console_ring_resume(&ring);
    assert_int_equal(ring.next, next);
    assert_int_equal(ring.gone, 70);
    assert_int_equal(console_ring_ready(&ring, false), 30);
    assert_int_equal(console_ring_peek(&ring, 0), '7');
}

static void without_an_interrupt(void **state)
{
    (void)state;
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz\r\n" ESC "[H" ESC "[Jdrawn";
    static uint8_t ring[CONSOLE_RING_SIZE], other[CONSOLE_RING_SIZE];

    for (int ticker = 0; ticker < 2; ticker++) {
        fake_uart_reset(FAKE_UART_16550, true);
        fake_ticker_reset(1000);
        fake_uart_console();
        console_set_interrupt(false);
        console_set_ticker(ticker != 0);
        assert_int_equal(fake_uart_source("alpha", ring, sizeof(ring)), 1);
        assert_int_equal(fake_uart_source("beta", other, sizeof(other)), 2);
        console_start();
        type(TOGGLE);
        (void)fake_woken_sources();
        for (const char *p = text; *p != '\0'; p++)
            assert_true(console_put(1, (uint8_t)*p));
        console_drain();
        uint32_t woken = 0;

        for (unsigned i = 0; i < 100; i++) {
            uint32_t sources = fake_woken_sources();

            fake_uart_transmit();
            if (ticker != 0 && console_tick_wanted())
                console_tick();
            else if (sources != 0)
                console_drain();
            woken |= sources;
            console_poll(); // nothing was typed; the question is answered
        }
        assert_int_equal((woken & 1u << 2), 0); // beta has nothing to do with it
        assert_int_equal(woken != 0, ticker == 0);
        const char *out = strstr(fake_uart_output(), "shows all\r\n");

        assert_non_null(out);
        assert_string_equal(out + 11, text);
        print("held\n");
        assert_true(console_put(2, 'x'));
        assert_true(console_put(2, '\n'));
        console_drain();
        assert_int_equal(fake_woken_sources(), 0);
        assert_false(console_tick_wanted());
        expect("");
    }
}

static void without_partitions_there_is_no_view(void **state)
{
    (void)state;
    start_with(0, false);
    type(TOGGLE);
    expect("[bulkhead] there is no partition to be seen alone\r\n");
}

static void a_panic_leaves_the_view(void **state)
{
    (void)state;
    write_text(1, ESC "[?1049h" ESC "[H" ESC "[Jvi");
    fake_uart_output();
    print("held\n");
    console_panic();
    print("PANIC\n");
    const char *out = fake_uart_output();

    expect_part(out, ESC "[?1049l");
    expect_part(out, "\r\n[bulkhead] held\r\n[bulkhead] PANIC\r\n");
}

// ---- among others' lines ---------------------------------------------------------------------

// What a partition sends, what comes out when it has not the keyboard, and when it has.
static const struct {
    const char *sent, *lines, *edit;
} shared[] = {
    {"plain\ttext", "plain\ttext", NULL},
    {ESC "[1;31mred" ESC "[m", ESC "[1;31mred" ESC "[m", NULL},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", NULL},
    // Not left of the prefix's end, whatever is in the line.
    {"x\b\b\b\b[bulkhead] y", "x\b[bulkhead] y", NULL},
    {"ab\xe2\x82\xac\b\b\bc", "ab\xe2\x82\xac\b\bc", NULL},
    {"ab\b \b", "ab\b \b", NULL},
    {"\t\b\b\bx", "\tx", NULL},
    {ESC "[1G[bulkhead]" ESC "[K", "[bulkhead]", "[bulkhead]" ESC "[K"},
    {"abc" ESC "[9Dx", "abcx", "abc" ESC "[3Dx"},
    {"abc" ESC "[Dx" ESC "[2D" ESC "[5C\b\b\b\by", "abcx\b\b\b\by",
     "abc" ESC "[1Dx" ESC "[2D" ESC "[5C\b\b\by"},
    // No other line, no other screen.
    {"a" ESC "[A" ESC "[2J" ESC "[H" ESC "[5d" ESC "[?1049h" ESC "7" ESC "8" ESC "Mb", "ab", NULL},
    {"a" ESC "[1K" ESC "[2K" ESC "[1J" ESC "[3J\v\f\x0e\x0f" ESC "(0b", "ab", NULL},
    {"a" ESC "[P" ESC "[2@" ESC "[X" ESC "[J" ESC "[0K\x07", "a",
     "a" ESC "[P" ESC "[2@" ESC "[X" ESC "[J" ESC "[0K\x07"},
    // Nothing that the terminal answers by typing; the keyboard's owner gets the answer itself.
    {"a" ESC "[6n" ESC "[c" ESC "[?6n" ESC "Z\x05", "a",
     "a" ESC "[6n" ESC "[c" ESC "[?6n" ESC "Z\x05"},
    {"a" ESC "[21t" ESC "[>q" ESC "[?u" ESC "[2$pb", "ab", NULL},
    // Titles and other strings; one without an end ends with the line.
    {"a" ESC "]0;title\x07" ESC "P$qm" ESC "\\" ESC "_x" ESC "\\b", "ab", NULL},
    {"a" ESC "]0;titl\xc2\x9b", "a", NULL},
    // 8-bit control characters, alone and as UTF-8; what is none.
    {"a\x9b"
     "1Gb",
     "a?1Gb", NULL},
    {"a\xc2\x9b"
     "1Gb",
     "a?1Gb", NULL},
    {"\xc3(\xe2\x82"
     "x\xff\xc0\x80\xf5",
     "?(?x????", NULL},
    {"\xe2\x82" ESC "[1mx" ESC "[m", "?" ESC "[1mx" ESC "[m", NULL},
    // Broken off, and too long.
    {"a" ESC "[1\x18"
     "b" ESC "[3\x1a"
     "c" ESC "[4" ESC "[md",
     "abc" ESC "[md", NULL},
    {"a" ESC "[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1mb", "ab", NULL},
    {"a\x7f\x01\x02"
     "b",
     "ab", NULL},
};

static void the_terminal_is_shared(void **state)
{
    char text[128];

    for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
        for (unsigned source = 1; source <= 2; source++) {
            const char *shown = source == 1 && shared[i].edit ? shared[i].edit : shared[i].lines;

            start(state);
            snprintf(text, sizeof(text), "%s\n", shared[i].sent);
            write_text(source, text);
            snprintf(text, sizeof(text), "[%s] %s\r\n", source == 1 ? "alpha" : "beta", shown);
            expect(text);
            write_text(source, "next\n");
            expect(source == 1 ? "[alpha] next\r\n" : "[beta] next\r\n");
        }
    }
}

// Colours go on over lines, and stay out of others'.
static void colours_stay_with_their_source(void **state)
{
    (void)state;
    write_text(1, ESC "[1m" ESC "[31mone\ntwo");
    expect("[alpha] " ESC "[1m" ESC "[31mone" ESC "[m\r\n[alpha] " ESC "[1m" ESC "[31mtwo");
    print("x\n");
    expect(ESC "[m\r\n[bulkhead] x\r\n[alpha] " ESC "[1m" ESC "[31mtwo");
    write_text(1, "\rthree");
    expect(ESC "[m\r[alpha] " ESC "[1m" ESC "[31mthree");
    write_text(1, ESC "[0;4mfour" ESC "[0m\n");
    expect(ESC "[0;4mfour" ESC "[0m\r\n");
    write_text(2, ESC "[30mb\n");
    expect("[beta] " ESC "[30mb" ESC "[m\r\n");
    // More than is remembered: the last counts.
    write_text(3, ESC "[38;2;100;101;102m" ESC "[48;2;103;104;105m\nx\n");
    expect("[gamma] " ESC "[38;2;100;101;102m" ESC "[48;2;103;104;105m" ESC "[m\r\n[gamma] " ESC
           "[48;2;103;104;105mx" ESC "[m\r\n");
}

// A line too long to be shown again begins at its prefix: no way back over that.
static void a_cut_line_can_not_go_back(void **state)
{
    (void)state;
    char text[CONSOLE_FILTER_SIZE * 20] = {0};

    memset(text, 'a', sizeof(text) - 1);
    write_text(1, text);
    print("x\n");
    fake_uart_output();
    write_text(1, "\b\b\bX");
    expect("X");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_single_partition_is_raw, start_single),
        cmocka_unit_test_setup(own_lines_stand_between_its_lines, start_single),
        cmocka_unit_test_setup(own_lines_spare_a_picture, start_single),
        cmocka_unit_test_setup(the_end_shows_all_again, start_single),
        cmocka_unit_test_setup(a_restart_makes_the_terminal_new, start_single),
        cmocka_unit_test_setup(a_key_changes_the_view, start),
        cmocka_unit_test_setup(an_unfinished_line_comes_along, start),
        cmocka_unit_test_setup(the_focus_moves_the_view, start),
        cmocka_unit_test(modes_come_along),
        cmocka_unit_test(the_past_ends_anywhere),
        cmocka_unit_test(the_past_begins_with_a_cleared_screen),
        cmocka_unit_test_setup(a_long_past_is_cut, start),
        cmocka_unit_test(what_is_hidden_waits_for_nothing),
        cmocka_unit_test(a_stall_ends_when_it_is_hidden),
        cmocka_unit_test(a_cut_line_is_left_out_once),
        cmocka_unit_test(without_an_interrupt),
        cmocka_unit_test(without_partitions_there_is_no_view),
        cmocka_unit_test_setup(a_panic_leaves_the_view, start_single),
        cmocka_unit_test(the_terminal_is_shared),
        cmocka_unit_test_setup(colours_stay_with_their_source, start),
        cmocka_unit_test_setup(a_cut_line_can_not_go_back, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
