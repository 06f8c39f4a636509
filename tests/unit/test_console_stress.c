// SPDX-License-Identifier: Apache-2.0
// The console under threads: partitions, printing CPUs, a console CPU that serves the interrupt
// and a wire that empties the FIFO, all at once. Every line of every source must come out whole and
// in order, stalled writers must be woken by what the console reports and by nothing else, and
// nothing may stay behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/console/console.h"
#include "tests/unit/fake_ticker.h"
#include "tests/unit/fake_uart.h"

#define PARTITIONS 4
#define PRINTERS   2
#define LINES      1500
#define PRINTS     300

static uint8_t rings[PARTITIONS][256];
static uint32_t woken; // bit n: partition n has been told of room
static bool stop;
static unsigned stalls;

static void wake(uint32_t mask)
{
    __atomic_fetch_or(&woken, mask, __ATOMIC_SEQ_CST);
}

// Line `n` of a source: a length that varies, up to more than a ring at times, and an end mark.
static size_t make_line(unsigned source, unsigned n, char *text)
{
    size_t length = (size_t)sprintf(text, "%u:%u:", source, n);
    size_t fill = n % 97 == 0 ? 250 - length : (n * 7 + source) % 60;

    for (size_t i = 0; i < fill; i++)
        text[length++] = (char)('a' + (i + n) % 26);
    text[length++] = '.';
    text[length] = '\0';
    return length;
}

static void put(unsigned source, uint8_t byte)
{
    if (console_put(source, byte))
        return;
    __atomic_fetch_add(&stalls, 1, __ATOMIC_RELAXED);
    for (;;) {
        console_drain();
        wake(console_take_unstalled());
        // Only the console's word counts: a lost wake-up hangs here.
        if ((__atomic_fetch_and(&woken, ~(1u << source), __ATOMIC_SEQ_CST) & 1u << source) != 0 &&
            console_put(source, byte))
            return;
        sched_yield();
    }
}

static void *partition(void *arg)
{
    unsigned source = (unsigned)(uintptr_t)arg;
    char text[512];

    for (unsigned n = 0; n < LINES; n++) {
        size_t length = make_line(source, n, text);

        for (size_t i = 0; i < length; i++) {
            put(source, (uint8_t)text[i]);
            if ((i + n) % 5 == 0)
                console_drain();
        }
        put(source, '\n');
        console_drain();
        wake(console_take_unstalled());
    }
    return NULL;
}

static void *printer(void *arg)
{
    unsigned id = (unsigned)(uintptr_t)arg;
    char text[512];

    for (unsigned n = 0; n < PRINTS; n++) {
        make_line(id, n, text);
        print("%s\n", text);
        for (unsigned i = 0; i < 20; i++)
            sched_yield();
    }
    return NULL;
}

// The console CPU: asleep until the device's interrupt, the ticker's wake-up, or the tick that it
// has asked its timer for. Returns whether there was any of these.
static uint64_t next_tick; // 0: the timer is off

// What the changes of focus still have to show: each has a line, which may be lost too. Added to by
// the CPU that serves.
static unsigned focus_lines;

static bool changing; // the view changes now and then
static unsigned changes;

static bool serve(void)
{
    static unsigned focus, calls;

    if (changing && !stop && calls++ % 16 == 0) {
        fake_uart_type("\x1dr", 2);
        changes++;
    }
    uint64_t now = fake_time_pass(200);
    bool kicked = fake_ticker_wakes() > 0, edge = fake_uart_edge();

    if (!kicked && !edge && (next_tick == 0 || now < next_tick))
        return false;
    if (edge) {
        wake(console_poll().unstalled);
        if (++focus % 512 == 0) {
            fake_uart_type((char[]){0x1d, (char)('1' + focus / 512 % PARTITIONS)}, 2);
            wake(console_poll().unstalled);
            focus_lines++;
        }
    }
    console_tick();
    wake(console_take_unstalled());
    next_tick = console_tick_wanted() ? fake_time_pass(0) + CONSOLE_TICK_US : 0;
    return true;
}

static void *console_cpu(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        if (!serve())
            sched_yield();
    }
    return NULL;
}

static void *wire(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        if (!fake_uart_transmit())
            sched_yield();
    }
    return NULL;
}

// What is expected next of each source; sources after the partitions are the printers.
static unsigned next[PARTITIONS + 1 + PRINTERS];
static unsigned lost;

static void check_line(const char *line)
{
    char expected[600], body[512];
    unsigned source, n;

    if (strncmp(line, "[bulkhead] keyboard: ", 21) == 0) {
        focus_lines--;
        return;
    }
    if (sscanf(line, "[bulkhead] %u messages lost", &n) == 1 && strstr(line, "lost") != NULL) {
        lost += n;
        return;
    }
    const char *text = strchr(line, ']');

    assert_int_equal(line[0], '[');
    assert_non_null(text);
    text += 2;
    if (strncmp(line, "[bulkhead] ", 11) == 0) {
        assert_int_equal(sscanf(text, "%u:%u:", &source, &n), 2);
        assert_in_range(source, PARTITIONS + 1, PARTITIONS + PRINTERS);
        assert_true(n >= next[source]); // those between were lost
        lost -= n - next[source];
        make_line(source, n, body);
        assert_string_equal(text, body);
        next[source] = n + 1;
        return;
    }
    assert_int_equal(sscanf(line, "[p%u] ", &source), 1);
    assert_in_range(source, 1, PARTITIONS);
    make_line(source, next[source], body);
    snprintf(expected, sizeof(expected), "[p%u] %s", source, body);
    if (strcmp(line, expected) == 0) {
        next[source]++;
        return;
    }
    // A line that had to give way: its beginning, and it will be shown again. If all but its line
    // end had been shown by then, it has been counted above, and this is it once more.
    if (next[source] > 0 && strncmp(line, expected, strlen(line)) != 0) {
        make_line(source, next[source] - 1, body);
        snprintf(expected, sizeof(expected), "[p%u] %s", source, body);
    }
    assert_memory_equal(line, expected, strlen(line));
}

// Lets all threads run, and then what is left come out.
static void play(bool slow, bool ticker)
{
    pthread_t threads[PARTITIONS + PRINTERS], cpu, line;
    char name[8];

    fake_uart_reset(FAKE_UART_16550, slow);
    fake_uart_console();
    for (unsigned i = 0; i < PARTITIONS; i++) {
        snprintf(name, sizeof(name), "p%u", i + 1);
        assert_int_equal(fake_uart_source(name, rings[i], sizeof(rings[i])), i + 1);
    }
    console_set_ticker(ticker);
    fake_ticker_reset(1);
    next_tick = 0;
    console_start();
    woken = 0;
    stop = false;
    stalls = 0;
    lost = focus_lines = 0;
    memset(next, 0, sizeof(next));

    pthread_create(&cpu, NULL, console_cpu, NULL);
    pthread_create(&line, NULL, wire, NULL);
    for (uintptr_t i = 0; i < PARTITIONS; i++)
        pthread_create(&threads[i], NULL, partition, (void *)(i + 1));
    for (uintptr_t i = 0; i < PRINTERS; i++)
        pthread_create(&threads[PARTITIONS + i], NULL, printer, (void *)(PARTITIONS + 1 + i));
    for (unsigned i = 0; i < PARTITIONS + PRINTERS; i++)
        pthread_join(threads[i], NULL);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(cpu, NULL);
    pthread_join(line, NULL);

    // From here on only the interrupt, the wire and the timer: they alone must bring out all that
    // is left.
    for (bool busy = true; busy;) {
        busy = fake_uart_transmit();
        busy |= serve() || next_tick != 0;
    }
}

static void run(bool slow, bool ticker)
{
    play(slow, ticker);
    char *out = strdup(fake_uart_output());
    char *rest = out;

    assert_non_null(out);
    for (char *end; (end = strstr(rest, "\r\n")) != NULL; rest = end + 2) {
        *end = '\0';
        check_line(rest);
    }
    assert_string_equal(rest, "");
    free(out);
    for (unsigned i = 1; i <= PARTITIONS; i++)
        assert_int_equal(next[i], LINES);
    for (unsigned i = PARTITIONS + 1; i <= PARTITIONS + PRINTERS; i++)
        lost -= PRINTS - next[i];
    assert_int_equal(lost, focus_lines);
    assert_int_equal(fake_uart_overruns(), 0);
    assert_false(fake_uart_line());
    if (slow)
        assert_true(stalls > 0);
}

static void fast_device(void **state)
{
    (void)state;
    run(false, false);
}

static void slow_device(void **state)
{
    (void)state;
    run(true, false);
}

static void fast_device_with_ticker(void **state)
{
    (void)state;
    run(false, true);
}

static void slow_device_with_ticker(void **state)
{
    (void)state;
    run(true, true);
}

// Whatever is hidden when: nobody hangs, and the last line of each comes out in the end.
static void changing_view(void **state)
{
    (void)state;
    char text[512];

    changing = true;
    for (int slow = 0; slow < 2; slow++) {
        changes = 0;
        play(slow != 0, slow != 0);
        changing = false;
        if (changes % 2 != 0)
            fake_uart_type("\x1dr", 2);
        for (bool busy = true; busy;) {
            busy = fake_uart_transmit();
            busy |= serve() || next_tick != 0;
        }
        changing = true;
        const char *out = fake_uart_output();

        for (unsigned i = 1; i <= PARTITIONS; i++) {
            make_line(i, LINES - 1, text);
            assert_non_null(strstr(out, text));
        }
        assert_int_equal(fake_uart_overruns(), 0);
    }
    changing = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_device),
        cmocka_unit_test(slow_device),
        cmocka_unit_test(fast_device_with_ticker),
        cmocka_unit_test(slow_device_with_ticker),
        cmocka_unit_test(changing_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
