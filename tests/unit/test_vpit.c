// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vpit.c: each mode against the data sheet, and the loops that Linux calibrates with.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vdev/vpit.h"

static struct vpit pit;
static uint64_t now;

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pit); i++)
        ((uint8_t *)&pit)[i] = 1;
    vpit_reset(&pit);
    now = 1000;
    return 0;
}

static void out(uint16_t port, uint8_t value)
{
    if (port == 0x61)
        vpit_port61_write(&pit, value, now);
    else
        vpit_write(&pit, port, 1, value, now);
}

static uint8_t in(uint16_t port)
{
    if (port == 0x61)
        return vpit_port61_read(&pit, now);
    return (uint8_t)vpit_read(&pit, port, 1, now);
}

static bool out2(void)
{
    return (in(0x61) & 0x20) != 0;
}

static unsigned latched(unsigned channel)
{
    out(0x43, (uint8_t)(channel << 6));
    unsigned low = in((uint16_t)(0x40 + channel));
    return (unsigned)in((uint16_t)(0x40 + channel)) << 8 | low;
}

static void program(unsigned channel, unsigned mode, unsigned count)
{
    out(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    out((uint16_t)(0x40 + channel), (uint8_t)count);
    out((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

static unsigned status(unsigned channel)
{
    out(0x43, (uint8_t)(0xe0 | 2 << channel));
    return in((uint16_t)(0x40 + channel));
}

// quick_pit_calibrate(): channel 2 counts down from 0xffff in mode 0; the most significant byte is
// watched through pairs of unlatched reads.
static void linux_quick_calibrate(void **state)
{
    (void)state;
    out(0x61, (uint8_t)((in(0x61) & ~0x02) | 0x01));
    out(0x43, 0xb0);
    out(0x42, 0xff);
    out(0x42, 0xff);
    now += 2;
    in(0x42);
    in(0x42);

    uint64_t begin = now;
    for (unsigned msb = 0xff; msb > 0xe0; msb--) {
        unsigned reads = 0;
        for (;;) {
            in(0x42);
            now++;
            if (in(0x42) != msb)
                break;
            now++;
            reads++;
        }
        assert_in_range(reads, 50, 129);
    }
    assert_in_range(now - begin, 0x1f * 256 - 8, 0x1f * 256 + 8);
}

// pit_calibrate_tsc(): mode 0, poll port 0x61 until the output rises.
static void linux_calibrate_by_output(void **state)
{
    (void)state;
    const unsigned latch = VPIT_HZ / (1000 / 50); // 50 ms

    out(0x61, (uint8_t)((in(0x61) & ~0x02) | 0x01));
    out(0x43, 0xb0);
    out(0x42, latch & 0xff);
    out(0x42, latch >> 8);
    uint64_t begin = now;
    unsigned polls = 0;
    while (!out2()) {
        now += 7;
        polls++;
    }
    assert_in_range(now - begin, latch + 1, latch + 1 + 7);
    assert_true(polls > 1000);
    // It stays high, for however long.
    now += 1ull << 40;
    assert_true(out2());
}

static void mode0(void **state)
{
    (void)state;
    out(0x61, 0x01);
    program(2, 0, 10);
    assert_int_equal(status(2), 0x40 | 0x30); // not in the counter before the next clock
    now++;
    assert_int_equal(latched(2), 10);
    assert_int_equal(status(2), 0x30);
    now += 9;
    assert_int_equal(latched(2), 1);
    assert_false(out2());
    now++;
    assert_int_equal(latched(2), 0);
    assert_true(out2());
    assert_int_equal(status(2), 0xb0);
    now++;
    assert_int_equal(latched(2), 0xffff);
    now += 0x10000;
    assert_int_equal(latched(2), 0xffff);
    assert_true(out2());

    // A new count starts over; its first byte already takes the output down.
    out(0x42, 20);
    assert_false(out2());
    now += 1000;
    assert_false(out2());
    out(0x42, 0);
    now += 20;
    assert_false(out2());
    now++;
    assert_true(out2());
    // And so does a control word.
    out(0x43, 0xb0);
    assert_false(out2());
}

static void mode0_gate(void **state)
{
    (void)state;
    out(0x61, 0x00);
    program(2, 0, 100);
    now += 500;
    assert_int_equal(latched(2), 100); // loaded, but not counting
    assert_false(out2());
    out(0x61, 0x01);
    now += 40;
    assert_int_equal(latched(2), 60);
    out(0x61, 0x00);
    now += 12345;
    assert_int_equal(latched(2), 60);
    assert_false(out2());
    out(0x61, 0x01);
    now += 59;
    assert_false(out2());
    now++;
    assert_true(out2());
    // Stopping it then changes nothing.
    out(0x61, 0x00);
    assert_true(out2());
}

static void mode1(void **state)
{
    (void)state;
    out(0x61, 0x01);
    program(2, 1, 30);
    now += 100;
    assert_true(out2()); // waits for a rising gate
    assert_int_equal(status(2), 0x80 | 0x40 | 0x30 | 1 << 1);
    out(0x61, 0x00);
    assert_true(out2());
    out(0x61, 0x01);
    assert_false(out2());
    now += 30;
    assert_false(out2());
    assert_int_equal(latched(2), 1);
    now++;
    assert_true(out2());
    // The level of the gate means nothing; a new count waits for the next trigger.
    out(0x61, 0x00);
    out(0x61, 0x01);
    now += 10;
    out(0x61, 0x00);
    out(0x42, 50);
    out(0x42, 0);
    now += 20;
    assert_false(out2());
    now++;
    assert_true(out2());
    out(0x61, 0x01);
    now += 50;
    assert_false(out2());
    // Retriggering starts over.
    out(0x61, 0x00);
    out(0x61, 0x01);
    now += 50;
    assert_false(out2());
    now++;
    assert_true(out2());
}

static void mode2(void **state)
{
    (void)state;
    out(0x61, 0x01);
    program(2, 2, 5);
    now++;
    for (unsigned i = 0; i < 23; i++, now++) {
        assert_int_equal(latched(2), 5 - i % 5);
        assert_int_equal(out2(), i % 5 != 4);
    }
    // Three into the cycle: the new count comes after its end.
    out(0x42, 8);
    out(0x42, 0);
    assert_int_equal(status(2), 0x80 | 0x40 | 0x34);
    assert_int_equal(latched(2), 2);
    now += 1;
    assert_int_equal(latched(2), 1);
    now += 1;
    for (unsigned i = 0; i < 20; i++, now++) {
        assert_int_equal(latched(2), 8 - i % 8);
        assert_int_equal(out2(), i % 8 != 7);
    }
    // Long after, without having looked in between.
    out(0x42, 3);
    out(0x42, 0);
    now += 4 + 3000;
    assert_int_equal(latched(2), 3);
    assert_int_equal(status(2), 0x80 | 0x34);

    // A low gate sets the output high and stops; a rising one starts over.
    now += 2;
    assert_false(out2());
    out(0x61, 0x00);
    assert_true(out2());
    now += 100;
    assert_true(out2());
    out(0x61, 0x01);
    now += 1;
    assert_int_equal(latched(2), 3);
    now += 2;
    assert_false(out2());
}

static void mode3(void **state)
{
    (void)state;
    static const unsigned even[6] = {6, 4, 2, 6, 4, 2};
    static const unsigned odd[5] = {4, 2, 0, 4, 2};

    out(0x61, 0x01);
    program(2, 3, 6);
    now++;
    for (unsigned i = 0; i < 20; i++, now++) {
        assert_int_equal(latched(2), even[i % 6]);
        assert_int_equal(out2(), i % 6 < 3);
    }
    program(2, 3, 5);
    now++;
    for (unsigned i = 0; i < 20; i++, now++) {
        assert_int_equal(latched(2), odd[i % 5]);
        assert_int_equal(out2(), i % 5 < 3);
    }
    // The don't-care bit of the mode: behaves as 2 or 3, is shown as written.
    program(2, 6, 5);
    now += 1 + 4;
    assert_int_equal(latched(2), 1);
    assert_false(out2());
    now++;
    assert_int_equal(latched(2), 5);
    program(2, 7, 6);
    now += 1 + 3;
    assert_false(out2());
    assert_int_equal(status(2), 0x30 | 7 << 1);
    out(0x61, 0x00);
    assert_true(out2());
}

static void modes4_and_5(void **state)
{
    (void)state;
    out(0x61, 0x01);
    program(2, 4, 10);
    assert_true(out2());
    now += 10;
    assert_true(out2());
    now++;
    assert_false(out2()); // the strobe, one clock
    now++;
    assert_true(out2());
    now += 0xffff;
    assert_true(out2()); // once only

    program(2, 5, 10);
    now += 50;
    assert_true(out2());
    out(0x61, 0x00);
    out(0x61, 0x01);
    now += 10;
    assert_true(out2());
    now++;
    assert_false(out2());
    now++;
    assert_true(out2());
}

static void access_modes(void **state)
{
    (void)state;
    out(0x43, 0x10); // channel 0, low byte only, mode 0
    out(0x40, 0x80);
    now += 1 + 0x10;
    assert_int_equal(in(0x40), 0x70);
    assert_int_equal(in(0x40), 0x70);
    out(0x43, 0x20); // high byte only
    out(0x40, 0x80);
    now += 1 + 0x1234;
    assert_int_equal(in(0x40), (0x8000 - 0x1234) >> 8);
    out(0x43, 0x00);
    now += 0x1000;
    assert_int_equal(in(0x40), (0x8000 - 0x1234) >> 8); // one byte was latched,
    assert_int_equal(in(0x40), (0x8000 - 0x2234) >> 8); // the next is live

    // A control word starts the byte order afresh.
    out(0x43, 0x30);
    out(0x40, 0x11);
    out(0x43, 0x30);
    out(0x40, 0x22);
    out(0x40, 0x33);
    now++;
    assert_int_equal(latched(0), 0x3322);

    // Wider accesses are bytes at neighbouring ports.
    vpit_write(&pit, 0x42, 2, 0x9055, now); // 0x55 to channel 2, then 0x43: channel 2, low, mode 0
    vpit_write(&pit, 0x42, 1, 0x44, now);
    now++;
    assert_int_equal(vpit_read(&pit, 0x42, 4, now), 0xffffff44);
}

static void latch(void **state)
{
    (void)state;
    program(0, 2, 0x8000);
    now += 1 + 0x10;
    out(0x43, 0x00);
    now += 0x1000;
    out(0x43, 0x00); // a second latch before the first is read does nothing
    assert_int_equal(in(0x40), 0xf0);
    now += 5;
    assert_int_equal(in(0x40), 0x7f);
    assert_int_equal(latched(0), 0x8000 - 0x1015);

    // Read-back of count and status of two channels at once: status comes first.
    program(2, 0, 0x1234);
    out(0x61, 0x01);
    now += 0x100;
    unsigned count0 = 0x8000 - 0x1015 - 0x100;
    out(0x43, 0xc0 | 2 << 0 | 2 << 2);
    now += 99;
    assert_int_equal(in(0x40), 0xb4);
    assert_int_equal(in(0x40), count0 & 0xff);
    assert_int_equal(in(0x40), count0 >> 8);
    assert_int_equal(in(0x42), 0x30);
    assert_int_equal(in(0x42), 0x34);
    assert_int_equal(in(0x42), 0x11);
    // Channel 1 was not asked: what it gives is its live count.
    assert_in_range(in(0x41), 1, 18);
}

static void bcd(void **state)
{
    (void)state;
    out(0x43, 0x31); // channel 0, mode 0, BCD
    out(0x40, 0x00);
    out(0x40, 0x10); // 1000
    now += 1 + 1;
    assert_int_equal(latched(0), 0x0999);
    now += 999;
    assert_int_equal(latched(0), 0);
    now++;
    assert_int_equal(latched(0), 0x9999);
    // Zero is the largest, and digits that are none do no harm.
    out(0x43, 0x35);
    out(0x40, 0);
    out(0x40, 0);
    now += 1;
    assert_int_equal(latched(0), 0);
    now += 1;
    assert_int_equal(latched(0), 0x9999);
    out(0x43, 0x35);
    out(0x40, 0xff);
    out(0x40, 0xff);
    now += 3;
    assert_int_equal(latched(0) & 0xf000, 0x6000); // 16665 - 10000
}

static void count_of_zero_is_the_largest(void **state)
{
    (void)state;
    out(0x61, 0x01);
    program(2, 0, 0);
    now += 0x10000;
    assert_false(out2());
    assert_int_equal(latched(2), 1);
    now++;
    assert_true(out2());
    // Counts that the periodic modes don't allow must not hurt.
    for (unsigned mode = 0; mode < 8; mode++) {
        program(2, mode, 1);
        now += 5;
        latched(2);
        out2();
        out(0x61, 0x00);
        out(0x61, 0x01);
        now += 5;
        latched(2);
        out2();
    }
}

static void after_reset(void **state)
{
    (void)state;
    // Channel 0 ticks at 18.2 Hz, channel 1 refreshes memory, channel 2 is off.
    assert_int_equal(status(0) & 0x3f, 0x36);
    assert_int_equal(status(1) & 0x3f, 0x14);
    assert_int_equal(in(0x61) & ~0x10, 0x20);
    unsigned first = latched(0);
    now += 100;
    assert_int_equal((first - latched(0)) & 0xffff, 200);
    now += 65536;
    assert_int_equal((first - latched(0)) & 0xffff, 200);
    // Gate without a count does nothing.
    out(0x61, 0x01);
    out(0x61, 0x00);
    assert_int_equal(latched(2), 0);
    assert_true(out2());
}

static void port61(void **state)
{
    (void)state;
    // What is written comes back in the low four bits, the rest is not for writing.
    for (unsigned v = 0; v < 256; v++) {
        out(0x61, (uint8_t)v);
        assert_int_equal(in(0x61) & 0xcf, v & 0x0f);
    }
    // The refresh bit toggles every 15 microseconds: delay loops count its edges.
    unsigned edges = 0;
    uint8_t last = in(0x61) & 0x10;
    for (unsigned i = 0; i < 18 * 1000; i++) {
        now++;
        uint8_t bit = in(0x61) & 0x10;
        edges += bit != last;
        last = bit;
    }
    assert_int_equal(edges, 1000);
}

// Where port 0x61 takes its short cut, the long way must have the same answer.
static void short_cut_agrees(void **state)
{
    (void)state;
    uint32_t seed = 12345;
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        unsigned r = seed >> 8;
        switch (r % 6) {
        case 0:
            out(0x43, (uint8_t)(0x80 | (r >> 4 & 0x3f)));
            break;
        case 1:
        case 2:
            out(0x42, (uint8_t)(r >> 4 & 0x1f));
            break;
        case 3:
            out(0x61, (uint8_t)(r >> 4 & 1));
            break;
        default:
            now += r >> 4 & 0x1f;
        }
        bool quick = out2();
        out(0x43, 0xe8);
        unsigned slow = in(0x42);
        assert_int_equal(quick, (slow & 0x80) != 0);
    }
}

static void undefined_accesses(void **state)
{
    (void)state;
    assert_int_equal(vpit_read(&pit, 0x43, 1, now), 0xff);
    assert_int_equal(vpit_read(&pit, 0x43, 2, now), 0xffff);
    assert_int_equal(vpit_read(&pit, 0xffff, 4, now), 0xffffffff);
    assert_int_equal(vpit_read(&pit, 0, 4, now), 0xffffffff);
    assert_int_equal(vpit_read(&pit, 0x43, 8, now), 0xffffffff);
    struct vpit before = pit;
    vpit_write(&pit, 0x44, 4, 0, now);
    vpit_write(&pit, 0xffff, 4, 0, now);
    assert_memory_equal(&before, &pit, sizeof(pit));
    // Time that goes back (a caller's mistake) is no more than a wrong count.
    program(0, 2, 100);
    vpit_read(&pit, 0x40, 1, 0);
    vpit_port61_write(&pit, 1, 0);
    vpit_port61_write(&pit, 0, UINT64_MAX);
    vpit_port61_write(&pit, 1, 0);
    vpit_port61_read(&pit, 0);
}

// The next edge as it is computed, against the output as status shows it from tick to tick.
static void edges(void **state)
{
    static const unsigned counts[] = {2, 3, 5, 16, 37};
    (void)state;
    for (unsigned mode = 0; mode < 6; mode++) {
        for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            struct vpit_edge edge;
            vpit_reset(&pit);
            now = 1000;
            program(0, mode, counts[i]);
            uint64_t begin = now;
            bool was = (status(0) & 0x80) != 0;
            for (; now < begin + 200; now++) {
                bool is = (status(0) & 0x80) != 0;
                bool rises = is && !was;
                bool found = vpit_next_edge(&pit, now - 1, &edge);
                if (now > begin)
                    assert_int_equal(found && edge.at == now, rises);
                if (rises)
                    assert_int_equal(edge.period, mode == 2 || mode == 3 ? counts[i] : 0);
                was = is;
            }
        }
    }
    // A new count of a running periodic channel takes effect with an edge.
    struct vpit_edge edge;
    vpit_reset(&pit);
    now = 1000;
    program(0, 2, 10);
    now = 1015;
    out(0x40, 20);
    out(0x40, 0);
    assert_true(vpit_next_edge(&pit, now, &edge));
    assert_int_equal(edge.at, 1021);
    assert_true(edge.changes);
    assert_true(vpit_next_edge(&pit, 1021, &edge));
    assert_int_equal(edge.at, 1041);
    assert_int_equal(edge.period, 20);
    assert_false(edge.changes);
    out(0x43, 0x30); // a control word alone stops it
    assert_false(vpit_next_edge(&pit, now, &edge));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(linux_quick_calibrate, setup),
        cmocka_unit_test_setup(linux_calibrate_by_output, setup),
        cmocka_unit_test_setup(mode0, setup),
        cmocka_unit_test_setup(mode0_gate, setup),
        cmocka_unit_test_setup(mode1, setup),
        cmocka_unit_test_setup(mode2, setup),
        cmocka_unit_test_setup(mode3, setup),
        cmocka_unit_test_setup(modes4_and_5, setup),
        cmocka_unit_test_setup(access_modes, setup),
        cmocka_unit_test_setup(latch, setup),
        cmocka_unit_test_setup(bcd, setup),
        cmocka_unit_test_setup(count_of_zero_is_the_largest, setup),
        cmocka_unit_test_setup(after_reset, setup),
        cmocka_unit_test_setup(port61, setup),
        cmocka_unit_test_setup(short_cut_agrees, setup),
        cmocka_unit_test_setup(undefined_accesses, setup),
        cmocka_unit_test_setup(edges, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
