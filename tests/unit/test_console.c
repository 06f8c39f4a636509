// SPDX-License-Identifier: Apache-2.0
// The console and its UART on a fake 16550: line discipline, full rings, focus, escape keys, sinks,
// the three modes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/console/console.h"
#include "drivers/console/line.h"
#include "drivers/console/ring.h"
#include "drivers/console/state.h"
#include "drivers/uart/port.h"
#include "drivers/uart/uart.h"
#include "tests/unit/fake_ticker.h"
#include "tests/unit/fake_uart.h"

#define RING 8192
#define ROOM 4096 // of a ring

static const struct uart_place at_base = {.port = FAKE_UART_BASE};

static uint8_t rings[MAX_PARTITIONS][RING];

// alpha (1, has the keyboard), beta (2) and gamma (3), rings in use.
static void start_on(enum fake_uart_kind kind, bool slow)
{
    static const char *const names[] = {"alpha", "beta", "gamma"};

    fake_uart_reset(kind, slow);
    fake_uart_console();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(fake_uart_source(names[i], rings[i], RING), i + 1);
    console_start();
}

static int start(void **state)
{
    (void)state;
    start_on(FAKE_UART_16550, false);
    return 0;
}

static int start_slow(void **state)
{
    (void)state;
    start_on(FAKE_UART_16550, true);
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

static struct console_events type(const char *text)
{
    fake_uart_type(text, strlen(text));
    assert_true(fake_uart_edge());
    struct console_events events = console_poll();

    assert_false(fake_uart_line());
    return events;
}

static void expect_input(unsigned source, const char *text)
{
    uint8_t byte;

    for (; *text != '\0'; text++) {
        assert_true(console_get(source, &byte));
        assert_int_equal(byte, (uint8_t)*text);
    }
    assert_false(console_get(source, &byte));
}

// ---- UART
// -----------------------------------------------------------------------------------------

static void uart_is_detected(void **state)
{
    (void)state;
    static const struct {
        enum fake_uart_kind kind;
        bool present;
        unsigned room;
    } rows[] = {
        {FAKE_UART_16550, true, 16},   {FAKE_UART_16450, true, 1},     {FAKE_UART_ABSENT, false, 0},
        {FAKE_UART_NO_LOOP, false, 0}, {FAKE_UART_DEBUGCON, false, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        fake_uart_reset(rows[i].kind, true);
        assert_int_equal(uart_init(&at_base, 1), rows[i].present);
        if (!rows[i].present)
            continue;
        assert_int_equal(uart_tx_room(), rows[i].room);
        uart_tx('x');
        assert_int_equal(uart_tx_room(), 0);
        fake_uart_transmit();
        assert_int_equal(uart_tx_room(), rows[i].room);
    }
}

static void uart_is_set_up(void **state)
{
    (void)state;
    fake_uart_reset(FAKE_UART_16550, false);
    uart_port_write(FAKE_UART_BASE + 1, 0x0f);
    assert_true(uart_init(&at_base, 1));
    struct fake_uart_registers reg = fake_uart_registers();

    assert_int_equal(reg.divisor, 1);
    assert_int_equal(reg.lcr, 0x03);
    assert_int_equal(reg.fcr & 0xc1, 0x01);
    assert_int_equal(reg.mcr, 0x0b);
    assert_int_equal(reg.ier, 0);
    uart_enable_interrupts(true, false);
    assert_int_equal(fake_uart_registers().ier, 1);
    uart_enable_interrupts(true, true);
    assert_int_equal(fake_uart_registers().ier, 3);
    assert_true(fake_uart_edge());
    assert_true(uart_interrupt_pending());
    assert_false(uart_interrupt_pending());
}

static void uart_speed_is_set_or_kept(void **state)
{
    (void)state;
    fake_uart_reset(FAKE_UART_16550, false);
    assert_true(uart_init(&at_base, 0x180));
    assert_int_equal(fake_uart_registers().divisor, 0x180);
    uart_port_write(FAKE_UART_BASE + 3, 0x83); // DLAB, as firmware may have left it
    assert_true(uart_init(&at_base, UART_DIVISOR_KEEP));
    assert_int_equal(fake_uart_registers().divisor, 0x180);
    assert_int_equal(fake_uart_registers().lcr, 0x03);
}

static void uart_in_memory(void **state)
{
    (void)state;
    static const struct {
        uint8_t shift, width;
    } rows[] = {{0, 1}, {1, 2}, {2, 1}, {2, 4}, {3, 4}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        fake_uart_reset(FAKE_UART_16550, false);
        struct uart_place place = fake_uart_memory(rows[i].shift, rows[i].width);
        uint8_t byte = 0;

        assert_true(uart_init(&place, 12));
        assert_int_equal(fake_uart_registers().divisor, 12);
        uart_tx('x');
        assert_string_equal(fake_uart_output(), "x");
        fake_uart_type("y", 1);
        assert_true(uart_rx(&byte));
        assert_int_equal(byte, 'y');
    }
    fake_uart_reset(FAKE_UART_ABSENT, false);
    struct uart_place place = fake_uart_memory(0, 1);

    assert_false(uart_init(&place, 1));
}

static void uart_receives(void **state)
{
    (void)state;
    uint8_t byte = 0;

    fake_uart_reset(FAKE_UART_16550, false);
    assert_true(uart_init(&at_base, 1));
    assert_false(uart_rx(&byte));
    fake_uart_type("ab", 2);
    fake_uart_break_next();
    assert_true(uart_rx(&byte));
    assert_int_equal(byte, 'b'); // 'a' had a framing error
    assert_false(uart_rx(&byte));

    // Unplugged: the status reads all ones.
    fake_uart_reset(FAKE_UART_ABSENT, false);
    assert_false(uart_rx(&byte));
    assert_false(uart_interrupt_pending());
}

// ---- lines --------------------------------------------------------------------------------------

static void lines_have_prefixes(void **state)
{
    (void)state;
    write_text(1, "one\ntwo\r\n\nthree\r\r\n");
    assert_string_equal(fake_uart_output(),
                        "[alpha] one\r\n[alpha] two\r\n[alpha] \r\n[alpha] three\r\n");
    write_text(2, "\x1b[1mbold\x1b[0m\tx\n");
    assert_string_equal(fake_uart_output(), "[beta] \x1b[1mbold\x1b[0m\tx\r\n");
    print("n=%d\n", 5);
    assert_string_equal(fake_uart_output(), "[bulkhead] n=5\r\n");
}

static void focus_shows_partial_lines(void **state)
{
    (void)state;
    write_text(1, "# ");
    assert_string_equal(fake_uart_output(), "[alpha] # ");
    write_text(1, "l");
    assert_string_equal(fake_uart_output(), "l");
    // beta's part of a line is held back, and then shown whole.
    write_text(2, "half");
    assert_string_equal(fake_uart_output(), "");
    write_text(2, " and half\nre");
    assert_string_equal(fake_uart_output(), "\r\n[beta] half and half\r\n[alpha] # l");
    write_text(1, "s\n");
    assert_string_equal(fake_uart_output(), "s\r\n");
    print("hello\n");
    assert_string_equal(fake_uart_output(), "[bulkhead] hello\r\n");
    write_text(2, "st\n");
    assert_string_equal(fake_uart_output(), "[beta] rest\r\n");
}

static void cr_restarts_a_line(void **state)
{
    (void)state;
    write_text(1, "10%\r");
    assert_string_equal(fake_uart_output(), "[alpha] 10%");
    write_text(1, "20%\r");
    assert_string_equal(fake_uart_output(), "\r[alpha] 20%");
    write_text(2, "x\n");
    assert_string_equal(fake_uart_output(), "\r\n[beta] x\r\n[alpha] 20%");
    write_text(1, "30%");
    assert_string_equal(fake_uart_output(), "\r[alpha] 30%");
    write_text(1, "\r");
    write_text(1, "\n");
    assert_string_equal(fake_uart_output(), "\r\n");
    // Restarted while another line is on the screen: only what came after the CR is shown again.
    write_text(1, "old");
    console_put(2, 'y');
    console_put(2, '\n');
    put_text(1, "\rnew");
    console_drain();
    write_text(1, "!\n");
    assert_non_null(strstr(fake_uart_output(), "[alpha] new!\r\n"));
}

static void long_lines_of_others_are_shown(void **state)
{
    (void)state;
    char text[CONSOLE_RING_HOLD + 1] = {0};

    memset(text, 'b', CONSOLE_RING_HOLD - 1);
    write_text(2, text);
    assert_string_equal(fake_uart_output(), "");
    write_text(2, "B");
    const char *out = fake_uart_output();

    assert_int_equal(strlen(out), strlen("[beta] ") + CONSOLE_RING_HOLD);
    assert_int_equal(out[strlen(out) - 1], 'B');
    // Interrupted, it goes on in a line of its own: too long to be shown again.
    print("x\n");
    assert_string_equal(fake_uart_output(), "\r\n[bulkhead] x\r\n");
    write_text(2, "end\nnext\n");
    assert_string_equal(fake_uart_output(), "[beta] end\r\n[beta] next\r\n");
}

static void broken_line_is_shown_again_up_to_its_limit(void **state)
{
    (void)state;
    char text[CONSOLE_LINE_KEPT + 1] = {0};
    char expected[CONSOLE_LINE_KEPT + 64];

    memset(text, 'a', CONSOLE_LINE_KEPT);
    write_text(1, text);
    fake_uart_output();
    print("x\n");
    snprintf(expected, sizeof(expected), "\r\n[bulkhead] x\r\n[alpha] %s", text);
    assert_string_equal(fake_uart_output(), expected);
    write_text(1, "b"); // one more than can be kept
    print("y\n");
    assert_string_equal(fake_uart_output(), "b\r\n[bulkhead] y\r\n[alpha] ");
    write_text(1, "c\n");
    assert_string_equal(fake_uart_output(), "c\r\n");
}

static void questions_to_the_terminal_are_asked_once(void **state)
{
    (void)state;
    // Where is the cursor, what are you; and what only looks like a question.
    write_text(1, "$ \x1b[6n\x1b[?1;2c\x1b[>c\x1b[1mcan[5n");
    assert_string_equal(fake_uart_output(), "[alpha] $ \x1b[6n\x1b[?1;2c\x1b[>c\x1b[1mcan[5n");
    print("x\n");
    assert_string_equal(fake_uart_output(), "\x1b[m\r\n[bulkhead] x\r\n[alpha] $ \x1b[1mcan[5n");
    write_text(1, "\x1b[m\n[6n");
    fake_uart_output();
    print("y\n");
    assert_string_equal(fake_uart_output(), "\r\n[bulkhead] y\r\n[alpha] [6n");
    // Nothing else in the line: there is nothing to be shown again.
    write_text(1, "\n\x1b[c");
    fake_uart_output();
    print("z\n");
    assert_string_equal(fake_uart_output(), "\r\n[bulkhead] z\r\n");
}

static void small_rings_never_block_for_good(void **state)
{
    (void)state;
    static uint8_t small[128];

    fake_uart_reset(FAKE_UART_16550, false);
    fake_uart_console();
    assert_int_equal(fake_uart_source("alpha", rings[0], RING), 1);
    assert_int_equal(fake_uart_source("tiny", small, sizeof(small)), 2);
    console_start();
    // A line end, then a part too short to be shown: together they fill the ring.
    for (unsigned i = 0; i < 64; i++)
        assert_true(console_put(2, i == 19 ? '\n' : 'x'));
    assert_false(console_put(2, 'y'));
    console_drain();
    assert_int_equal(console_take_unstalled(), 1u << 2);
    assert_true(console_put(2, 'y'));
}

static void sources_take_turns(void **state)
{
    (void)state;
    put_text(2, "b1\nb2\nb3\n");
    put_text(3, "g1\ng2\ng3\n");
    put_text(1, "a1\na2\n");
    console_drain();
    assert_string_equal(fake_uart_output(),
                        "[alpha] a1\r\n[beta] b1\r\n[gamma] g1\r\n[alpha] a2\r\n[beta] b2\r\n"
                        "[gamma] g2\r\n[beta] b3\r\n[gamma] g3\r\n");
}

static void names_are_checked(void **state)
{
    (void)state;
    char text[64];

    fake_uart_reset(FAKE_UART_16550, false);
    fake_uart_console();
    assert_int_equal(fake_uart_source("", rings[0], RING), 0);
    assert_int_equal(fake_uart_source("a", NULL, RING), 0);
    assert_int_equal(fake_uart_source("a", rings[0], 32), 0);
    assert_int_equal(fake_uart_source("a", rings[0], 3000), 0);
    assert_int_equal(fake_uart_source("a", rings[0], 2 * MIB(1)), 0);
    assert_int_equal(console_add_source("a", rings[0], RING, NULL, CONSOLE_INPUT_SIZE), 0);
    assert_int_equal(console_add_source("a", rings[0], RING, rings[1], 3000), 0);
    assert_int_equal(fake_uart_source("a\x1b[2Jb", rings[0], RING), 1);
    assert_int_equal(fake_uart_source("0123456789012345678901234567890123456789", rings[1], RING),
                     2);
    for (unsigned i = 2; i < MAX_PARTITIONS; i++)
        assert_int_equal(fake_uart_source("more", rings[i], RING), i + 1);
    assert_int_equal(fake_uart_source("toomany", rings[0], RING), 0);
    console_start();
    assert_int_equal(fake_uart_source("late", rings[0], RING), 0);
    write_text(1, "x\n");
    assert_string_equal(fake_uart_output(), "[a?[2Jb] x\r\n");
    write_text(2, "y\n");
    snprintf(text, sizeof(text), "[%.*s] y\r\n", CONSOLE_NAME_SIZE - 1,
             "0123456789012345678901234567890123456789");
    assert_string_equal(fake_uart_output(), text);
    // No such sources.
    assert_false(console_put(0, 'x'));
    assert_false(console_put(CONSOLE_SOURCES, 'x'));
}

// ---- slow device --------------------------------------------------------------------------------

// Plays the device and the interrupt until there is nothing more to send.
static void play(void)
{
    for (unsigned i = 0; i < 100000; i++) {
        bool sent = fake_uart_transmit();
        bool edge = fake_uart_edge();

        if (edge)
            console_poll();
        if (!sent && !edge)
            return;
    }
    fail_msg("the console never comes to rest");
}

static void slow_device_is_never_waited_for(void **state)
{
    (void)state;
    write_text(1, "0123456789abcdef and more\n");
    assert_string_equal(fake_uart_output(), "");
    assert_int_equal(fake_uart_registers().ier, 3);
    fake_uart_transmit();
    assert_string_equal(fake_uart_output(), "[alpha] 01234567");
    assert_true(fake_uart_edge());
    struct console_events events = console_poll();

    assert_int_equal(events.input | events.actions, 0);
    play();
    assert_string_equal(fake_uart_output(), "89abcdef and more\r\n");
    assert_int_equal(fake_uart_registers().ier, 1);
    assert_int_equal(fake_uart_overruns(), 0);
}

static void full_ring_stalls_and_is_told(void **state)
{
    (void)state;
    static char expected[3 * ROOM];
    size_t length = 0;
    unsigned put = 0;

    // The prefix and 8 bytes go to the FIFO, what the line discipline takes ahead is not in the
    // ring any more.
    while (console_put(1, (uint8_t)('a' + put % 26)) || put < ROOM) {
        if (put++ % 100 == 0)
            console_drain();
        assert_true(put < 2 * ROOM);
    }
    assert_int_equal(console_take_unstalled(), 0);
    uint32_t told = 0;

    for (unsigned i = 0; i < 10000 && told == 0; i++) {
        fake_uart_transmit();
        if (fake_uart_edge())
            told = console_poll().unstalled;
    }
    assert_int_equal(told, 1u << 1);
    // Told when half of the ring is free, not at the first byte; and told once.
    for (unsigned i = 0; i < ROOM / 2; i++)
        assert_true(console_put(1, (uint8_t)('a' + put++ % 26)));
    play();
    assert_int_equal(console_take_unstalled(), 0);

    length = (size_t)snprintf(expected, sizeof(expected), "[alpha] ");
    for (unsigned i = 0; i < put; i++)
        expected[length++] = (char)('a' + i % 26);
    assert_string_equal(fake_uart_output(), expected);
}

static void lost_prints_are_told(void **state)
{
    (void)state;
    unsigned shown = 0, lost = 0;

    for (unsigned i = 0; i < 500; i++)
        print("message %u\n", i);
    play();
    const char *out = fake_uart_output();

    for (const char *p = out; (p = strstr(p, "[bulkhead] message ")) != NULL; p++) {
        unsigned number;

        assert_int_equal(sscanf(p, "[bulkhead] message %u\r\n", &number), 1);
        assert_int_equal(number, shown++);
    }
    const char *told = strstr(out, "messages lost");

    assert_non_null(told);
    while (told[-1] != ']')
        told--;
    assert_int_equal(sscanf(told, "%u messages lost", &lost), 1);
    assert_int_equal(shown + lost, 500);
    print("after\n");
    play();
    assert_string_equal(fake_uart_output(), "[bulkhead] after\r\n");
}

static void long_prints_are_cut(void **state)
{
    (void)state;
    char text[2 * CONSOLE_PRINT_SIZE] = {0};

    memset(text, 'x', sizeof(text) - 1);
    print("%s\n", text);
    const char *out = fake_uart_output();

    assert_int_equal(strlen(out), strlen("[bulkhead] ") + CONSOLE_PRINT_SIZE - 1 + 1);
    assert_string_equal(out + strlen(out) - 6, "x...\r\n");
    // Long texts are in one piece, over several slots of the log.
    text[300] = '\0';
    print("%s|%s\n", text + 150, text + 150);
    out = fake_uart_output();
    assert_int_equal(strlen(out), strlen("[bulkhead] ") + 301 + 2);
}

static void one_drain_is_bounded(void **state)
{
    (void)state;
    // The device takes everything at once: yet one call leaves the flood to the interrupt.
    for (unsigned i = 0; i < ROOM; i++)
        console_put(2, i % 64 == 63 ? '\n' : 'b');
    console_drain();
    size_t first = strlen(fake_uart_output());

    assert_true(first > 1000 && first < 3000);
    assert_int_equal(fake_uart_registers().ier, 3);
    assert_true(fake_uart_edge());
    while (fake_uart_line())
        console_poll();
    size_t rest = strlen(fake_uart_output());

    assert_int_equal(first + rest, ROOM + ROOM / 64 * (strlen("[beta] ") + 1));
    assert_int_equal(fake_uart_registers().ier, 1);
}

// ---- keyboard
// -------------------------------------------------------------------------------------

static void keys_go_to_the_focus(void **state)
{
    (void)state;
    assert_int_equal(console_focus(), 1);
    struct console_events events = type("ls\r");

    assert_int_equal(events.input, 1u << 1);
    assert_int_equal(events.actions, 0);
    expect_input(1, "ls\r");
    expect_input(2, "");
    assert_string_equal(fake_uart_output(), "");
}

static void focus_moves(void **state)
{
    (void)state;
    write_text(1, "# ");
    write_text(2, "login: ");
    assert_string_equal(fake_uart_output(), "[alpha] # ");
    struct console_events events = type("\x1dn");

    assert_int_equal(events.input | events.actions, 0);
    assert_int_equal(console_focus(), 2);
    assert_string_equal(fake_uart_output(), "\r\n[bulkhead] keyboard: beta\r\n[beta] login: ");
    type("x");
    expect_input(2, "x");
    expect_input(1, "");
    // alpha's unfinished line comes back, whole, when it is finished.
    write_text(1, "done\n");
    assert_string_equal(fake_uart_output(), "\r\n[alpha] # done\r\n[beta] login: ");
    type("\x1d\x31");
    assert_string_equal(fake_uart_output(), "\r\n[bulkhead] keyboard: alpha\r\n");
    type("\x1dn\x1dn\x1dn");
    assert_int_equal(console_focus(), 1);
    type("\x1d\x33");
    assert_int_equal(console_focus(), 3);
    fake_uart_output();
    type("\x1d\x39");
    assert_int_equal(console_focus(), 3);
    assert_string_equal(fake_uart_output(), "[bulkhead] there is no partition 9\r\n");
}

static void escape_keys(void **state)
{
    (void)state;
    assert_int_equal(type("\x1d"
                          "c")
                         .actions,
                     CONSOLE_ACTION_COUNTERS);
    assert_string_equal(fake_uart_output(), "");
    assert_int_equal(type("\x1d?").actions, CONSOLE_ACTION_HELP);
    const char *help = fake_uart_output();

    assert_non_null(strstr(help, "n next partition"));
    assert_non_null(strstr(help, "1 alpha (has the keyboard)\r\n"));
    assert_non_null(strstr(help, "2 beta\r\n"));
    // The power button of the partition that has the keyboard; no byte of it is input.
    assert_int_equal(type("s").power, 0);
    assert_int_equal(type("\x1ds").power, 1u << 1);
    assert_int_equal(type("\x1dn\x1ds").power, 1u << 2);
    assert_int_equal(type("\x1d\x31").power, 0);
    expect_input(1, "s");
    // An unknown key explains the known ones; the state survives between interrupts.
    assert_int_equal(type("\x1d").actions, 0);
    assert_int_equal(type("z").actions, CONSOLE_ACTION_HELP);
    assert_int_equal(type("\x1d\x1d").input, 1u << 1);
    expect_input(1, "\x1d");
}

// Ctrl-] q leaves only with a y.
static void leaving_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(type("\x1dq").actions, CONSOLE_ACTION_ASK);
    assert_int_equal(type("y").actions, CONSOLE_ACTION_LEAVE);
    assert_int_equal(type("\x1dqY").actions, CONSOLE_ACTION_ASK | CONSOLE_ACTION_LEAVE);
    assert_string_equal(fake_uart_output(), "");
    for (const char *answer = "n\r \x1d"; *answer != '\0'; answer++) {
        char text[] = {*answer, '\0'};

        assert_int_equal(type("\x1dq").actions, CONSOLE_ACTION_ASK);
        assert_int_equal(type(text).actions, 0);
        assert_string_equal(fake_uart_output(), "[bulkhead] the machine goes on\r\n");
        assert_int_equal(type("y").input, 1u << 1); // what follows is the guest's
        expect_input(1, "y");
    }
    assert_int_equal(type("\x1dqn").actions, 0); // the answer came with the question
}

static void typed_text_of_64_kib_is_kept(void **state)
{
    (void)state;
    static char text[64 * 1024 + 101];
    uint8_t byte;

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = (char)('!' + i * 7 % 90);
    fake_uart_type(text, 64 * 1024);
    while (fake_uart_line())
        console_poll();
    assert_string_equal(fake_uart_output(), "");
    // From here on it is lost, which is said at once, and how much when it is read again.
    fake_uart_type(text + 64 * 1024, 100);
    while (fake_uart_line())
        console_poll();
    assert_string_equal(
        fake_uart_output(),
        "[bulkhead] alpha does not read its input: what is typed now is dropped\r\n");
    for (size_t i = 0; i < 64 * 1024; i++) {
        assert_true(console_get(1, &byte));
        assert_int_equal(byte, (uint8_t)text[i]);
    }
    assert_false(console_get(1, &byte));
    type("again");
    expect_input(1, "again");
    assert_string_equal(
        fake_uart_output(),
        "[bulkhead] alpha reads its input again: 100 bytes that were typed are dropped\r\n");
    type("old");
    console_restart(1);
    expect_input(1, "");
}

// What the port itself lost is said, but not for each character.
static void lost_characters_are_told(void **state)
{
    (void)state;
    fake_ticker_reset(5000000);
    fake_uart_overrun();
    type("a");
    assert_string_equal(fake_uart_output(), "[bulkhead] the serial port was not read in time: "
                                            "typed characters were lost, 1 times\r\n");
    fake_time_pass(999999);
    for (unsigned i = 0; i < 3; i++) {
        fake_uart_overrun();
        type("a");
    }
    assert_string_equal(fake_uart_output(), "");
    fake_time_pass(1);
    type("a");
    assert_string_equal(fake_uart_output(), "[bulkhead] the serial port was not read in time: "
                                            "typed characters were lost, 3 times\r\n");
    fake_time_pass(9999999);
    type("a");
    assert_string_equal(fake_uart_output(), "");
}

// ---- other sinks and modes
// ------------------------------------------------------------------------

static void without_a_device_nobody_stalls(void **state)
{
    (void)state;
    start_on(FAKE_UART_ABSENT, false);
    assert_int_equal(console_state.sink, CONSOLE_SINK_NONE);
    for (unsigned i = 0; i < 3 * RING; i++)
        assert_true(console_put(1, 'x'));
    console_drain();
    print("nobody sees this\n");
    console_poll();
    console_panic();
    print("nor this\n");
    assert_string_equal(fake_uart_output(), "");
}

static void debug_port_is_the_second_choice(void **state)
{
    (void)state;
    fake_uart_reset(FAKE_UART_DEBUGCON, false);
    assert_int_equal(fake_uart_console(), CONSOLE_SINK_DEBUG_PORT);
    assert_int_equal(fake_uart_source("alpha", rings[0], RING), 1);
    assert_int_equal(fake_uart_source("beta", rings[1], RING), 2);
    print("early\n");
    console_start();
    for (unsigned i = 0; i < ROOM; i++)
        console_put(1, i == ROOM - 1 ? '\n' : 'x');
    console_drain();
    const char *out = fake_uart_output();

    assert_memory_equal(out, "[bulkhead] early\r\n[alpha] xxx", 29);
    assert_int_equal(strlen(out), strlen("[bulkhead] early\r\n[alpha] ") + ROOM + 1);
    console_poll();
}

static void late_device_shows_all(void **state)
{
    (void)state;
    struct uart_place place;

    fake_uart_reset(FAKE_UART_16550, false);
    console_init(&fake_wakers);
    print("first\nsecond\n");
    assert_int_equal(console_state.sink, CONSOLE_SINK_NONE);
    assert_string_equal(fake_uart_output(), "");
    place = fake_uart_memory(2, 4);
    assert_true(console_open_uart(&place, 1));
    assert_string_equal(fake_uart_output(), "[bulkhead] first\r\n[bulkhead] second\r\n");
    print("third\n");
    assert_string_equal(fake_uart_output(), "[bulkhead] third\r\n");
    console_start();
    assert_false(console_open_uart(&place, 1));
    assert_false(console_open_debug_port());
    assert_string_equal(fake_uart_output(), "");
}

// Who panics before a device was chosen takes the one there is, unless none was wanted.
static void panic_is_seen_early(void **state)
{
    (void)state;
    fake_uart_reset(FAKE_UART_16550, false);
    console_init(&fake_wakers);
    print("before\n");
    console_panic();
    print("why\n");
    assert_string_equal(fake_uart_output(), "[bulkhead] before\r\n[bulkhead] why\r\n");

    fake_uart_reset(FAKE_UART_16550, false);
    console_init(&fake_wakers);
    console_open_none();
    print("before\n");
    console_panic();
    print("why\n");
    assert_string_equal(fake_uart_output(), "");
}

// What the device has no room for is shown by whoever comes by the clock, or by those who said it.
static void without_an_interrupt(void **state)
{
    (void)state;
    for (int ticker = 0; ticker < 2; ticker++) {
        fake_uart_reset(FAKE_UART_16550, true);
        fake_ticker_reset(1000);
        fake_uart_console();
        console_set_interrupt(false);
        console_set_ticker(ticker != 0);
        assert_int_equal(fake_uart_source("alpha", rings[0], RING), 1);
        assert_int_equal(fake_uart_source("beta", rings[1], RING), 2);
        console_start();
        (void)fake_woken_sources();
        (void)fake_ticker_wakes();
        write_text(1, "0123456789012345678901234567890\n");
        for (unsigned i = 0; i < 10; i++) {
            fake_uart_transmit();
            if (ticker != 0 && console_tick_wanted())
                console_tick();
            else if (ticker == 0 && fake_woken_sources() != 0)
                console_drain();
        }
        assert_int_equal(fake_ticker_wakes() != 0, ticker);
        assert_string_equal(fake_uart_output(), "[alpha] 0123456789012345678901234567890\r\n");
        assert_int_equal(fake_uart_registers().ier, 1);
        // Typed text is found all the same.
        fake_uart_type("k", 1);
        assert_int_equal(console_poll().input, 1u << 1);
    }
}

static void early_print_is_synchronous(void **state)
{
    (void)state;
    fake_uart_reset(FAKE_UART_16550, false);
    fake_uart_console();
    assert_int_equal(console_state.sink, CONSOLE_SINK_UART);
    print("part ");
    assert_string_equal(fake_uart_output(), "[bulkhead] part ");
    print("two\n");
    assert_string_equal(fake_uart_output(), "two\r\n");
    assert_int_equal(fake_uart_registers().ier, 0);
    console_start();
    assert_int_equal(fake_uart_registers().ier, 1);
}

static void stuck_device_does_not_hang_print(void **state)
{
    (void)state;
    fake_uart_reset(FAKE_UART_16550, true); // and never transmits
    fake_uart_console();
    for (unsigned i = 0; i < 100; i++)
        print("into the void\n");
    fake_uart_transmit();
    assert_int_equal(fake_uart_overruns(), 0);
    assert_string_equal(fake_uart_output(), "[");
    // It comes round, slowly: nothing more is lost.
    fake_uart_lag(50);
    print("back\n");
    fake_uart_transmit();
    assert_string_equal(fake_uart_output(), "[bulkhead] back\r\n");
}

static void panic_writes_what_was_queued(void **state)
{
    (void)state;
    write_text(1, "# 0123456789abcdefghij");
    print("queued\n");
    print("unfinished");
    assert_string_equal(fake_uart_output(), "");
    fake_uart_lag(3);
    console_panic();
    print("PANIC\n");
    fake_uart_transmit();
    assert_string_equal(fake_uart_output(),
                        "[alpha] # 0123456789abcdefghij\r\n[bulkhead] queued\r\n"
                        "[bulkhead] unfinished\r\n"
                        "[bulkhead] PANIC\r\n");
    assert_int_equal(fake_uart_overruns(), 0);
}

static void panic_is_synchronous(void **state)
{
    (void)state;
    write_text(1, "# ");
    put_text(2, "never shown\n");
    console_panic();
    assert_string_equal(fake_uart_output(), "[alpha] # \r\n");
    print("PANIC: %s\n", "why");
    assert_string_equal(fake_uart_output(), "[bulkhead] PANIC: why\r\n");
    console_drain();
    console_poll();
    assert_string_equal(fake_uart_output(), "");
    console_panic();
    print("again\n");
    assert_string_equal(fake_uart_output(), "[bulkhead] again\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uart_is_detected),
        cmocka_unit_test(uart_is_set_up),
        cmocka_unit_test(uart_receives),
        cmocka_unit_test(uart_speed_is_set_or_kept),
        cmocka_unit_test(uart_in_memory),
        cmocka_unit_test(late_device_shows_all),
        cmocka_unit_test(panic_is_seen_early),
        cmocka_unit_test(without_an_interrupt),
        cmocka_unit_test_setup(lines_have_prefixes, start),
        cmocka_unit_test_setup(focus_shows_partial_lines, start),
        cmocka_unit_test_setup(cr_restarts_a_line, start),
        cmocka_unit_test_setup(long_lines_of_others_are_shown, start),
        cmocka_unit_test_setup(broken_line_is_shown_again_up_to_its_limit, start),
        cmocka_unit_test_setup(questions_to_the_terminal_are_asked_once, start),
        cmocka_unit_test(small_rings_never_block_for_good),
        cmocka_unit_test_setup(sources_take_turns, start),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test_setup(slow_device_is_never_waited_for, start_slow),
        cmocka_unit_test_setup(full_ring_stalls_and_is_told, start_slow),
        cmocka_unit_test_setup(lost_prints_are_told, start_slow),
        cmocka_unit_test_setup(long_prints_are_cut, start),
        cmocka_unit_test_setup(one_drain_is_bounded, start),
        cmocka_unit_test_setup(keys_go_to_the_focus, start),
        cmocka_unit_test_setup(focus_moves, start),
        cmocka_unit_test_setup(escape_keys, start),
        cmocka_unit_test_setup(leaving_is_asked_for, start),
        cmocka_unit_test_setup(typed_text_of_64_kib_is_kept, start),
        cmocka_unit_test_setup(lost_characters_are_told, start),
        cmocka_unit_test(without_a_device_nobody_stalls),
        cmocka_unit_test(debug_port_is_the_second_choice),
        cmocka_unit_test(early_print_is_synchronous),
        cmocka_unit_test(stuck_device_does_not_hang_print),
        cmocka_unit_test_setup(panic_writes_what_was_queued, start_slow),
        cmocka_unit_test_setup(panic_is_synchronous, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
