// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vhpet.c against the HPET specification: registers, one-shot and periodic comparators,
// both widths, edges and levels.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vdev/vhpet.h"

static struct vhpet h;
static uint64_t now;

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(h); i++)
        ((uint8_t *)&h)[i] = 1;
    vhpet_reset(&h);
    now = 5000;
    return 0;
}

static void wr(uint32_t offset, uint64_t value)
{
    vhpet_write(&h, offset, 8, value, now);
}

static void wr32(uint32_t offset, uint32_t value)
{
    vhpet_write(&h, offset, 4, value, now);
}

static uint64_t rd(uint32_t offset)
{
    return vhpet_read(&h, offset, 8, now);
}

static unsigned matches(unsigned n, uint64_t until)
{
    unsigned count = 0;
    for (; now < until; now++)
        count += vhpet_settle(&h, n, now);
    return count;
}

static void registers(void **state)
{
    (void)state;
    assert_int_equal((uint32_t)rd(0), 0x8086a201);
    assert_int_equal(rd(0) >> 32, 69841278); // 14.318180 MHz
    assert_int_equal(vhpet_read(&h, 4, 4, now), 69841278);
    assert_int_equal(rd(0xf0), 0);
    now += 100;
    assert_int_equal(rd(0xf0), 0); // stopped
    wr(0x10, UINT64_MAX);
    assert_int_equal(rd(0x10), 3);
    assert_true(vhpet_is_legacy(&h));
    now += 100;
    assert_int_equal(rd(0xf0), 100);
    wr32(0xf4, 7);
    assert_int_equal(rd(0xf0), 7ull << 32 | 100);
    wr(0x10, 0);
    now += 100;
    assert_int_equal(vhpet_read(&h, 0xf0, 4, now), 100); // keeps its value
    assert_int_equal(rd(0x100), (uint64_t)VHPET_GSIS << 32 | 0x30);
    wr(0x100, UINT64_MAX);
    assert_int_equal((uint32_t)rd(0x100), 0x10e | 0x30); // no GSI 31, no message
    wr(0x120, 20 << 9 | 4);
    assert_int_equal(vhpet_gsi(&h, 1), 20);
    assert_int_equal(rd(0x108), UINT32_MAX); // 32 bits
    assert_int_equal(rd(0x128), UINT64_MAX);
    assert_int_equal(rd(0x110), 0);
    assert_int_equal(rd(0x160), 0); // no fourth
    wr(0x160, 4);
    assert_int_equal(vhpet_read(&h, 0x101, 4, now), UINT64_MAX);
    assert_int_equal(vhpet_read(&h, 0x100, 1, now), UINT64_MAX);
    assert_int_equal(vhpet_read(&h, 0x400, 8, now), UINT64_MAX);
    vhpet_write(&h, 0x12, 2, 1, now);
    assert_int_equal(rd(0x10), 0);
}

static void once(void **state)
{
    (void)state;
    struct vhpet_edge edge;
    wr(0x100, 4);
    wr(0x108, 300);
    assert_false(vhpet_next_edge(&h, 0, now, &edge)); // stopped
    wr(0x10, 1);
    assert_true(vhpet_next_edge(&h, 0, now, &edge));
    assert_int_equal(edge.at, 5300);
    assert_int_equal(edge.period, 0);
    assert_int_equal(matches(0, 5300), 0);
    assert_int_equal(matches(0, 5301), 1);
    assert_int_equal(matches(0, 20000), 0);
    assert_false(vhpet_next_edge(&h, 0, now, &edge)); // not within 2^63
    wr(0x108, 10);                                    // has passed
    assert_int_equal(matches(0, 30000), 0);
    // In one stride.
    wr(0x108, rd(0xf0) + 50);
    now += 1000;
    assert_true(vhpet_settle(&h, 0, now));
    assert_false(vhpet_settle(&h, 0, now));
    wr(0x100, 0); // matches, but tells nobody
    wr(0x108, rd(0xf0) + 50);
    assert_int_equal(matches(0, now + 100), 0);
}

static void once_with_32_bits(void **state)
{
    (void)state;
    struct vhpet_edge edge;
    wr(0xf0, 0x1fffffff0ull);
    wr(0x140, 0x104);
    wr32(0x148, 0x10);
    wr(0x10, 1);
    assert_true(vhpet_next_edge(&h, 2, now, &edge));
    assert_int_equal(edge.at, now + 0x20); // over the counter's carry
    assert_int_equal(matches(2, now + 0x20), 0);
    assert_int_equal(matches(2, now + 1), 1);
    wr32(0x148, 0x0f); // has just passed: a whole round
    assert_true(vhpet_next_edge(&h, 2, now, &edge));
    assert_int_equal(edge.at, now + 0xffffffffull - 1);
}

// As Linux programs it: the value and then the period.
static void periodic(void **state)
{
    (void)state;
    struct vhpet_edge edge;
    wr(0x10, 1);
    wr32(0x100, 0x14c); // enabled, periodic, value, 32 bits
    wr32(0x108, 1000);
    wr32(0x108, 200);
    assert_true(vhpet_next_edge(&h, 0, now, &edge));
    assert_int_equal(edge.at, 6000);
    assert_int_equal(edge.period, 200);
    assert_int_equal(matches(0, 6001), 1);
    assert_int_equal(matches(0, 7001), 5);
    assert_int_equal(rd(0x108), 2200);
    now += 950; // four of them in one stride
    assert_true(vhpet_settle(&h, 0, now));
    assert_int_equal(rd(0x108), 3000);
    assert_int_equal(matches(0, 8000), 0);
    assert_int_equal(matches(0, 8001), 1);
    wr32(0x108, 0); // no period: it stays where it is
    assert_int_equal(matches(0, 8300), 1);
    wr(0x10, 0);
    assert_int_equal(matches(0, 9000), 0);
}

static void halves(void **state)
{
    (void)state;
    wr(0x120, 4);
    wr32(0x128, 0x11);
    wr32(0x12c, 0x22);
    assert_int_equal(rd(0x128), 0x2200000011ull);
    wr32(0x128, 0x33);
    assert_int_equal(rd(0x128), 0x2200000033ull);
    assert_int_equal(vhpet_read(&h, 0x12c, 4, now), 0x22);
}

static void level(void **state)
{
    (void)state;
    wr(0x10, 1);
    wr(0x140, 20 << 9 | 6);
    wr(0x148, 100);
    assert_true(vhpet_is_level(&h, 2));
    assert_int_equal(matches(2, now + 101), 1);
    assert_true(vhpet_is_asserted(&h, 2));
    assert_int_equal(rd(0x20), 4);
    wr32(0x20, 3); // others'
    assert_true(vhpet_is_asserted(&h, 2));
    wr32(0x20, 4);
    assert_false(vhpet_is_asserted(&h, 2));
    assert_int_equal(rd(0x20), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers, setup),
        cmocka_unit_test_setup(once, setup),
        cmocka_unit_test_setup(once_with_32_bits, setup),
        cmocka_unit_test_setup(periodic, setup),
        cmocka_unit_test_setup(halves, setup),
        cmocka_unit_test_setup(level, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
