// SPDX-License-Identifier: Apache-2.0
// See fake_hpet.h.
#include "tests/unit/fake_hpet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/clock/hpet.h"

enum {
    LEVEL = 1 << 1,
    ENABLED = 1 << 2,
    PERIODIC = 1 << 3,
    CAN_REPEAT = 1 << 4,
    IS_64BIT = 1 << 5,
    SET_VALUE = 1 << 6,
    MODE_32BIT = 1 << 8,
    ROUTE = 0x1f << 9,
    FSB = 1 << 14,
    CAN_FSB = 1 << 15,
};

struct fake_hpet fake_hpet;

void fake_hpet_reset(void)
{
    fake_hpet = (struct fake_hpet){.timers = 3, .period = FAKE_HPET_PERIOD, .read_takes = 1};
    for (unsigned n = 0; n < FAKE_HPET_TIMERS; n++)
        fake_hpet.timer[n] =
            (struct fake_hpet_timer){.gsis = 0xf00000, .repeats = true, .value = UINT64_MAX};
}

void fake_hpet_forget(void)
{
    for (unsigned n = 0; n < FAKE_HPET_TIMERS; n++)
        fake_hpet.timer[n].came = 0;
}

unsigned fake_hpet_gsi(unsigned n)
{
    return (fake_hpet.timer[n].config & ROUTE) >> 9;
}

// ---- time --------------------------------------------------------------------------------------

// How far it is to the comparator's match: 0 is a whole round.
static uint64_t distance(const struct fake_hpet_timer *t)
{
    uint64_t far = t->value - fake_hpet.counter;
    if (t->config & MODE_32BIT)
        far = (uint32_t)far == 0 ? 1ull << 32 : (uint32_t)far;
    return far == 0 ? UINT64_MAX : far;
}

static void match(unsigned n)
{
    struct fake_hpet_timer *t = &fake_hpet.timer[n];
    bool level = (t->config & LEVEL) != 0;
    if (t->config & PERIODIC)
        t->value += t->period;
    if (!(t->config & ENABLED))
        return;
    if (t->config & FSB)
        fail_msg("timer %u sends a message that nobody has asked for", n);
    if (level)
        fake_hpet.status |= 1u << n;
    t->first = t->came == 0 ? fake_hpet.counter : t->first;
    t->last = fake_hpet.counter;
    t->came++;
    if (fake_hpet.interrupt != NULL)
        fake_hpet.interrupt(n, fake_hpet_gsi(n), level);
}

static uint64_t nearest(uint64_t ticks)
{
    for (unsigned n = 0; n < fake_hpet.timers; n++) {
        uint64_t far = distance(&fake_hpet.timer[n]);
        ticks = far < ticks ? far : ticks;
    }
    return ticks;
}

void fake_hpet_pass(uint64_t ticks)
{
    while ((fake_hpet.config & 1) && ticks != 0) {
        uint64_t step = nearest(ticks);
        bool matches[FAKE_HPET_TIMERS];
        for (unsigned n = 0; n < fake_hpet.timers; n++)
            matches[n] = distance(&fake_hpet.timer[n]) == step;
        fake_hpet.counter += step;
        ticks -= step;
        for (unsigned n = 0; n < fake_hpet.timers; n++) {
            if (matches[n])
                match(n);
        }
    }
}

// ---- registers ---------------------------------------------------------------------------------

static uint32_t read_counter(bool upper)
{
    uint64_t counter = fake_hpet.counter;
    fake_hpet_pass(fake_hpet.read_takes);
    return (uint32_t)(upper ? counter >> 32 : counter);
}

static uint32_t read_timer(const struct fake_hpet_timer *t, unsigned offset)
{
    switch (offset) {
    case 0:
        return t->config | IS_64BIT | CAN_FSB | (t->repeats ? CAN_REPEAT : 0);
    case 4:
        return t->gsis;
    default:
        return (uint32_t)(offset == 8 ? t->value : t->value >> 32);
    }
}

uint32_t hpet_read(volatile uint32_t *regs, unsigned offset)
{
    assert_ptr_equal(regs, &fake_hpet);
    if (fake_hpet.gone)
        return UINT32_MAX;
    switch (offset) {
    case 0x00:
        return 0x8086a001u | (fake_hpet.timers - 1) << 8;
    case 0x04:
        return fake_hpet.period;
    case 0x10:
        return fake_hpet.config;
    case 0x20:
        return fake_hpet.status;
    case 0xf0:
    case 0xf4:
        return read_counter(offset == 0xf4);
    default:
        assert_in_range(offset, 0x100, 0x100 + 0x20 * fake_hpet.timers - 1);
        return read_timer(&fake_hpet.timer[(offset - 0x100) / 0x20], offset % 0x20);
    }
}

static void write_value(struct fake_hpet_timer *t, uint32_t value)
{
    bool periodic = (t->config & PERIODIC) != 0;
    if (periodic && !t->sets_value)
        t->period = value;
    else
        t->value = value;
    t->sets_value = false;
}

static void write_config(struct fake_hpet_timer *t, uint32_t value)
{
    uint32_t takes = LEVEL | ENABLED | MODE_32BIT | ROUTE | FSB | (t->repeats ? PERIODIC : 0u);
    t->config = value & takes;
    t->sets_value = (value & SET_VALUE) != 0;
    if ((value & ENABLED) && (t->gsis >> fake_hpet_gsi((unsigned)(t - fake_hpet.timer)) & 1) == 0)
        fail_msg("a timer is brought to an input that it has not");
}

void hpet_write(volatile uint32_t *regs, unsigned offset, uint32_t value)
{
    assert_ptr_equal(regs, &fake_hpet);
    fake_hpet.writes++;
    if (offset == 0x10) {
        fake_hpet.config = value & 3;
    } else if (offset == 0x20) {
        fake_hpet.status &= ~value;
    } else if (offset == 0xf0 || offset == 0xf4) {
        if (fake_hpet.config & 1)
            fail_msg("the counter is written while it runs");
        uint64_t kept = offset == 0xf0 ? ~0ull << 32 : UINT32_MAX;
        fake_hpet.counter =
            (fake_hpet.counter & kept) | (offset == 0xf0 ? value : (uint64_t)value << 32);
    } else {
        assert_in_range(offset, 0x100, 0x100 + 0x20 * fake_hpet.timers - 1);
        struct fake_hpet_timer *t = &fake_hpet.timer[(offset - 0x100) / 0x20];
        if (offset % 0x20 == 0)
            write_config(t, value);
        else if (offset % 0x20 == 8)
            write_value(t, value);
        else
            fail_msg("write of register 0x%x", offset);
    }
}
