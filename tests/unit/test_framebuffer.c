// SPDX-License-Identifier: Apache-2.0
// Text on a framebuffer that is plain memory: which characters are where, which pixels they make,
// what is drawn and what is not; and the console with a screen, alone and beside a serial port.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/lib/types.h"
#include "drivers/console/console.h"
#include "drivers/console/framebuffer.h"
#include "drivers/console/state.h"
#include "font.h"
#include "tests/unit/fake_ticker.h"
#include "tests/unit/fake_uart.h"

#define INK     0x00b0b0b0u
#define COLUMNS 40u
#define ROWS    16u
#define UNSEEN  0x12345678u // in pixels that nobody draws

static uint32_t *pixels;
static void *characters;
static struct boot_framebuffer screen;

static void start_on(uint32_t width, uint32_t height, uint32_t extra)
{
    screen = (struct boot_framebuffer){.base = 0xfd000000,
                                       .pitch = (width + extra) * 4,
                                       .width = width,
                                       .height = height,
                                       .red_shift = 16,
                                       .green_shift = 8,
                                       .blue_shift = 0};
    size_t count = (size_t)(width + extra) * height;

    free(pixels);
    free(characters);
    pixels = malloc(count * sizeof(*pixels)); // exact: ASan sees each pixel beyond
    characters = calloc(1, framebuffer_memory(&screen));
    assert_non_null(pixels);
    assert_non_null(characters);
    for (size_t i = 0; i < count; i++)
        pixels[i] = UNSEEN;
    framebuffer_init(&screen, pixels, characters);
}

static int start(void **state)
{
    (void)state;
    start_on(COLUMNS * 8 + 5, ROWS * 16 + 9, 3);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    free(pixels);
    free(characters);
    pixels = NULL;
    characters = NULL;
    return 0;
}

static void put(const char *text)
{
    for (; *text != '\0'; text++)
        framebuffer_put((uint8_t)*text);
}

static bool is_glyph(unsigned row, unsigned column, unsigned glyph, unsigned scale)
{
    for (unsigned y = 0; y < 16 * scale; y++) {
        const uint32_t *line = pixels + (size_t)(row * 16 * scale + y) * (screen.pitch / 4);

        for (unsigned x = 0; x < 8 * scale; x++) {
            bool ink = (font[glyph][y / scale] & 0x80 >> x / scale) != 0;

            if (line[column * 8 * scale + x] != (ink ? INK : 0))
                return false;
        }
    }
    return true;
}

// What can be read on a row, with '#' for the glyph of what is not ASCII, without the blanks at its
// end.
static const char *row_text(unsigned row)
{
    static char text[FRAMEBUFFER_MAX_COLUMNS + 1];
    size_t length = 0;

    for (unsigned column = 0; column < COLUMNS; column++) {
        unsigned glyph = 0;

        while (glyph < ARRAY_SIZE(font) && !is_glyph(row, column, glyph, 1))
            glyph++;
        assert_true(glyph < ARRAY_SIZE(font));
        text[column] = (char)(glyph + FONT_FIRST <= FONT_LAST ? glyph + FONT_FIRST : '#');
        length = text[column] != ' ' ? column + 1 : length;
    }
    text[length] = '\0';
    return text;
}

// ---- characters ------------------------------------------------------------------------------

static void text_is_drawn(void **state)
{
    (void)state;
    put("[one] ~!@ Wj\r\nnext");
    assert_string_equal(row_text(0), "");
    assert_int_equal(framebuffer_show(UINT32_MAX),
                     strlen("[one]~!@Wjnext")); // blanks are there already
    assert_string_equal(row_text(0), "[one] ~!@ Wj");
    assert_string_equal(row_text(1), "next");
    assert_int_equal(framebuffer_show(UINT32_MAX), 0);
    // Beside the picture nothing is touched; its own rest is black.
    for (unsigned y = 0; y < screen.height; y++) {
        assert_int_equal(pixels[y * (screen.pitch / 4) + screen.width - 1], 0);
        assert_int_equal(pixels[y * (screen.pitch / 4) + screen.width], UNSEEN);
    }
}

static void control_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"abc\rX", "Xbc"},
        {"abc\b\bX", "aXc"},
        {"\b\bX", "X"},
        {"a\tb\tc", "a       b       c"},
        {"\x1b[1;31mred\x1b[0m", "red"},
        {"\x1b[?25l\x1b[2Jx\x1b(y\x1b"
         "Mz",
         "xz"},
        {"a\x1b]0;title\x07"
         "b\x1bPq\x1b\\c",
         "abc"}, // strings
        {"a\x1b\x1b[mb", "ab"},
        {"\x1b[12\rab", "ab"}, // cut by the line's end
        {"a\x07\x01\x7f"
         "b",
         "ab"}, // no place taken
        {"\xc3\xa4=\xe2\x82\xac", "#=#"},
        {"\x80\xbf", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        start(state);
        put(rows[i].text);
        framebuffer_show(UINT32_MAX);
        assert_string_equal(row_text(0), rows[i].shown);
    }
}

// No terminal: what is drawn at places becomes rows.
static void movements_begin_rows(void **state)
{
    (void)state;
    put("$ vi\r\n\x1b[H\x1b[Jone\x1b[2;1Htwo\x1b[3d\x1b[5;9Hthree\x1b[24;1H\r\nfour");
    framebuffer_show(UINT32_MAX);
    static const char *const shown[] = {"$ vi", "one", "two", "three", "four"};

    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        assert_string_equal(row_text((unsigned)i), shown[i]);
}

static void long_lines_wrap(void **state)
{
    (void)state;
    char line[COLUMNS + 1] = {0};

    memset(line, 'w', COLUMNS);
    put(line);
    put("\r\n"); // exactly full: no empty row
    put("\t\t\t\t\t\tt\r\n");
    put(line);
    put("xy");
    framebuffer_show(UINT32_MAX);
    assert_string_equal(row_text(0), line);
    assert_string_equal(row_text(1), "");
    assert_string_equal(row_text(2), "t");
    assert_string_equal(row_text(3), line);
    assert_string_equal(row_text(4), "xy");
}

static void full_screens_move_up(void **state)
{
    (void)state;
    char text[16];

    for (unsigned i = 0; i < ROWS - 1; i++) {
        snprintf(text, sizeof(text), "line %u\r\n", i);
        put(text);
    }
    put("last");
    framebuffer_show(UINT32_MAX);
    assert_string_equal(row_text(0), "line 0");
    assert_string_equal(row_text(ROWS - 1), "last");
    // By a quarter, four rows: the next lines that come move nothing.
    put("\r\nmore");
    unsigned drawn = framebuffer_show(UINT32_MAX);

    assert_string_equal(row_text(0), "line 4");
    assert_string_equal(row_text(ROWS - 5), "last");
    assert_string_equal(row_text(ROWS - 4), "more");
    assert_string_equal(row_text(ROWS - 3), "");
    put("\r\n12345");
    assert_int_equal(framebuffer_show(UINT32_MAX), 5);
    // Characters that stay the same where they are were not drawn again.
    assert_true(drawn < ROWS * strlen("line 0"));
    // However much comes between, one look draws each place once.
    for (unsigned i = 0; i < 10000; i++)
        put("0123456789012345678901234567890123456789\r\n");
    assert_true(framebuffer_show(UINT32_MAX) <= COLUMNS * ROWS);
    assert_string_equal(row_text(0), "0123456789012345678901234567890123456789");
}

static void drawing_goes_on_where_it_stopped(void **state)
{
    (void)state;
    put("abcdef\r\n\nghi");
    assert_int_equal(framebuffer_show(4), 4);
    assert_string_equal(row_text(0), "abcd");
    put("\r\x1b[mA"); // meanwhile: the g becomes another
    assert_int_equal(framebuffer_show(4), 4);
    assert_string_equal(row_text(0), "abcdef");
    assert_string_equal(row_text(2), "Ah");
    put("XY");
    assert_int_equal(framebuffer_show(4), 2);
    assert_string_equal(row_text(2), "AXY");
    assert_int_equal(framebuffer_show(0), 0);
}

static void any_bytes_are_good(void **state)
{
    (void)state;
    srand(1);
    for (unsigned i = 0; i < 300000; i++) {
        framebuffer_put((uint8_t)(rand() % 4 == 0 ? rand() : rand() % 64));
        if (i % 5000 == 0)
            assert_true(framebuffer_show(UINT32_MAX) <= COLUMNS * ROWS);
    }
    for (unsigned row = 0; row < ROWS; row++)
        row_text(row); // glyphs, all of them
}

// ---- sizes -----------------------------------------------------------------------------------

static void sizes(void **state)
{
    (void)state;
    static const struct {
        uint32_t width, height;
        unsigned scale, columns, rows;
    } rows[] = {
        {160, 64, 1, 20, 4},      {1024, 768, 1, 128, 48},  {1920, 1080, 1, 240, 67},
        {1928, 1080, 2, 120, 33}, {3840, 2160, 2, 240, 67}, {160, 4000, 3, 6, 83},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        start_on(rows[i].width, rows[i].height, 0);
        assert_int_equal(framebuffer_memory(&screen), 2 * rows[i].columns * rows[i].rows);
        for (unsigned n = 0; n < rows[i].columns * rows[i].rows; n++)
            framebuffer_put('R');
        assert_int_equal(framebuffer_show(UINT32_MAX), rows[i].columns * rows[i].rows);
        unsigned last = rows[i].rows - 1, right = rows[i].columns - 1;

        assert_true(is_glyph(0, 0, 'R' - FONT_FIRST, rows[i].scale));
        assert_true(is_glyph(last, right, 'R' - FONT_FIRST, rows[i].scale));
    }
}

// ---- the console -----------------------------------------------------------------------------

static uint8_t rings[2][4096];

static void start_console(enum fake_uart_kind kind, bool ticker)
{
    static const char *const names[] = {"alpha", "beta"};

    start(NULL);
    fake_ticker_reset(0);
    fake_woken_sources();
    fake_uart_reset(kind, false);
    fake_uart_console();
    print("first\n");
    print("open ");
    console_add_screen();
    assert_string_equal(row_text(0), "[bulkhead] first");
    assert_string_equal(row_text(1), "[bulkhead] open");
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(fake_uart_source(names[i], rings[i], sizeof(rings[i])), i + 1);
    console_set_ticker(ticker);
}

static void write_text(unsigned source, const char *text)
{
    for (; *text != '\0'; text++)
        assert_true(console_put(source, (uint8_t)*text));
    console_drain();
}

static void the_screen_shows_what_the_port_does(void **state)
{
    (void)state;
    start_console(FAKE_UART_16550, false);
    print("early\n");
    assert_string_equal(row_text(2), "early");
    console_start();
    write_text(2, "hello\n");
    write_text(1, "$ ");
    assert_string_equal(fake_uart_output(), "[bulkhead] first\r\n[bulkhead] open early\r\n"
                                            "[beta] hello\r\n[alpha] $ ");
    assert_string_equal(row_text(3), "[beta] hello");
    assert_string_equal(row_text(4), "[alpha] $");
    print("x\n");
    assert_string_equal(row_text(5), "[bulkhead] x");
    assert_string_equal(row_text(6), "[alpha] $");
    console_panic();
    print("PANIC: why\n");
    assert_string_equal(row_text(7), "[bulkhead] PANIC: why");
    assert_int_equal(fake_woken_sources(), 0);
}

static void the_screen_alone(void **state)
{
    (void)state;
    start_console(FAKE_UART_ABSENT, false);
    assert_int_equal(console_state.sink, CONSOLE_SINK_NONE);
    print("\n");
    console_start();
    write_text(1, "hello\n");
    assert_string_equal(row_text(3), "[alpha] hello");
    print("x\n");
    assert_string_equal(row_text(4), "[bulkhead] x");
    assert_int_equal(fake_woken_sources(), 0);
    // Its ring can be full now.
    for (unsigned i = 0; i < sizeof(rings[0]) / 2; i++)
        assert_true(console_put(1, 'x'));
    assert_false(console_put(1, 'x'));
}

// One drain draws a part of a large screen; the port's interrupt brings the rest.
static void a_large_screen_is_drawn_in_parts(void **state)
{
    (void)state;
    char line[102] = {0};
    unsigned polls = 0;

    start_on(1024, 768, 0);
    fake_uart_reset(FAKE_UART_16550, false);
    fake_uart_console();
    console_add_screen();
    assert_int_equal(fake_uart_source("alpha", rings[0], sizeof(rings[0])), 1);
    assert_int_equal(fake_uart_source("beta", rings[1], sizeof(rings[1])), 2);
    console_start();
    memset(line, 'a', 100);
    line[100] = '\n';
    for (unsigned i = 0; i < 15; i++) {
        for (unsigned n = 0; n < 101; n++)
            assert_true(console_put(1, (uint8_t)line[n]));
    }
    console_drain();
    assert_memory_equal(row_text(0), "[alpha] aaa", 11);
    assert_string_equal(row_text(14), "");
    while (fake_uart_edge()) {
        console_poll();
        polls++;
    }
    assert_memory_equal(row_text(14), "[alpha] aaa", 11);
    assert_in_range(polls, 1, 3);
    assert_int_equal(fake_uart_registers().ier, 1); // and that is the end of it
}

// Alone, it has no interrupt that would go on with what one drain leaves.
static void what_a_drain_leaves_is_continued(void **state)
{
    (void)state;
    char line[COLUMNS] = {0};

    memset(line, 'b', 29);
    line[29] = '\n';
    for (int ticker = 0; ticker <= 1; ticker++) {
        start_console(FAKE_UART_ABSENT, ticker);
        print("\n");
        console_start();
        for (unsigned i = 0; i < sizeof(rings[1]) / 2 / 30; i++) {
            for (unsigned n = 0; n < 30; n++)
                assert_true(console_put(2, (uint8_t)line[n]));
        }
        console_drain();
        unsigned rounds = 0;

        while (ticker ? console_tick_wanted() : fake_woken_sources() == (1u << 0 | 1u << 2)) {
            rounds++;
            if (ticker)
                console_tick();
            else
                console_drain();
        }
        assert_int_equal(fake_woken_sources(), 0);
        assert_in_range(rounds, 1, 10);
        assert_int_equal(fake_ticker_wakes() > 0, ticker);
        write_text(2, "end\n");
        unsigned row = 0;

        while (row < ROWS - 1 && strcmp(row_text(row), "[beta] end") != 0)
            row++;
        assert_string_equal(row_text(row), "[beta] end");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_is_drawn, start, finish),
        cmocka_unit_test_setup_teardown(control_characters, start, finish),
        cmocka_unit_test_setup_teardown(movements_begin_rows, start, finish),
        cmocka_unit_test_setup_teardown(long_lines_wrap, start, finish),
        cmocka_unit_test_setup_teardown(full_screens_move_up, start, finish),
        cmocka_unit_test_setup_teardown(drawing_goes_on_where_it_stopped, start, finish),
        cmocka_unit_test_setup_teardown(any_bytes_are_good, start, finish),
        cmocka_unit_test_setup_teardown(sizes, start, finish),
        cmocka_unit_test_setup_teardown(the_screen_shows_what_the_port_does, start, finish),
        cmocka_unit_test_setup_teardown(the_screen_alone, start, finish),
        cmocka_unit_test_setup_teardown(a_large_screen_is_drawn_in_parts, start, finish),
        cmocka_unit_test_setup_teardown(what_a_drain_leaves_is_continued, start, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
