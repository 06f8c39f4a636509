// SPDX-License-Identifier: Apache-2.0
// The 8254's registers (Intel 8254 data sheet, "Mode definitions" and "Programming") and port 0x61.
// A channel doesn't run by itself: its state is computed from the ticks since its count was loaded.
// Relies on nothing.
#include "hv/vdev/vpit.h"

#include "arch/lib/string.h"
#include "hv/vdev/vdev.h"

#define PORT_CHANNEL0 0x40
#define PORT_CONTROL  0x43

#define CONTROL_BCD          0x01
#define CONTROL_MODE_SHIFT   1
#define CONTROL_MODE_MASK    7
#define CONTROL_ACCESS       0x30 // both bits 0: latch command
#define CONTROL_ACCESS_LOW   0x10
#define CONTROL_ACCESS_HIGH  0x20
#define CONTROL_ACCESS_BOTH  0x30
#define CONTROL_BITS         0x3f // all except the channel
#define CONTROL_SELECT_SHIFT 6
#define SELECT_READ_BACK     3

#define READ_BACK_NO_COUNT  0x20
#define READ_BACK_NO_STATUS 0x10
#define READ_BACK_CHANNEL0  0x02

#define STATUS_OUT        0x80
#define STATUS_NULL_COUNT 0x40

#define PORT61_GATE2    0x01
#define PORT61_WRITABLE 0x0f // gate, speaker, and enables of two checks that never trigger
#define PORT61_REFRESH  0x10
#define PORT61_OUT2     0x20
#define GATED_CHANNEL   2
#define REFRESH_TICKS   18 // ticks between two refreshes, 15.09 microseconds
#define NEVER           UINT64_MAX
#define FULL_COUNT      0x10000u
#define FULL_COUNT_BCD  10000u

static uint32_t full_count(const struct vpit_channel *c)
{
    return c->control & CONTROL_BCD ? FULL_COUNT_BCD : FULL_COUNT;
}

// Converts a written count to 1..full_count(). Zero means the largest.
static uint32_t decode_count(const struct vpit_channel *c, uint16_t written)
{
    uint32_t count = written;
    if (c->control & CONTROL_BCD)
        count = (written >> 12 & 0xfu) * 1000u + (written >> 8 & 0xfu) * 100u +
                (written >> 4 & 0xfu) * 10u + (written & 0xfu);
    // Digits above 9 are invalid; the result must only stay in range.
    count %= full_count(c);
    return count == 0 ? full_count(c) : count;
}

static uint16_t encode_count(const struct vpit_channel *c, uint32_t count)
{
    count %= full_count(c);
    if (c->control & CONTROL_BCD)
        count = count / 1000 << 12 | count / 100 % 10 << 8 | count / 10 % 10 << 4 | count % 10;
    return (uint16_t)count;
}

// Modes that repeat: 2, rate generator, and 3, square wave.
static bool is_periodic(const struct vpit_channel *c)
{
    return c->mode == 2 || c->mode == 3;
}

// Modes in which a rising gate starts the count, and the gate's level is ignored.
static bool is_triggered(const struct vpit_channel *c)
{
    return c->mode == 1 || c->mode == 5;
}

static uint64_t elapsed(const struct vpit_channel *c, uint64_t ticks)
{
    if (!c->running)
        return c->elapsed;
    return ticks > c->start ? ticks - c->start : 0;
}

// A count is loaded with the clock after the write or trigger.
static void start(struct vpit_channel *c, uint64_t ticks)
{
    c->loaded = true;
    c->running = true;
    c->start = ticks + 1;
    c->elapsed = 0;
}

static void stop(struct vpit_channel *c, uint64_t ticks)
{
    c->elapsed = elapsed(c, ticks);
    c->running = false;
}

static void resume(struct vpit_channel *c, uint64_t ticks)
{
    c->start = ticks > c->elapsed ? ticks - c->elapsed : 0;
    c->running = true;
}

static void take_next(struct vpit_channel *c)
{
    if (c->has_next)
        c->count = c->next;
    c->has_next = false;
}

// Carries out what was due before `ticks`: a periodic channel takes its next count. Call it before
// reading a channel's state.
static void settle(struct vpit_channel *c, uint64_t ticks)
{
    if (is_periodic(c) && c->running && c->has_next && ticks >= c->next_start) {
        c->start = c->next_start;
        take_next(c);
    }
}

// Clocks for which mode 3's output is high. For an odd count that is one more than the low half.
static uint32_t high_half(const struct vpit_channel *c)
{
    return (c->count + 1) / 2;
}

static uint16_t counter(const struct vpit_channel *c, uint64_t ticks)
{
    uint64_t gone = elapsed(c, ticks);
    uint32_t phase;

    if (!c->loaded)
        return 0;
    switch (c->mode) {
    case 2:
        return encode_count(c, c->count - (uint32_t)(gone % c->count));
    case 3: // counts down by twos from the count rounded down to even, once in each half
        phase = (uint32_t)(gone % c->count);
        if (phase >= high_half(c))
            phase -= high_half(c);
        return encode_count(c, (c->count & ~1u) - 2 * phase);
    default: // after its end it continues from its largest value
        return encode_count(c, c->count + full_count(c) - (uint32_t)(gone % full_count(c)));
    }
}

static bool output(const struct vpit_channel *c, uint64_t ticks)
{
    uint64_t gone = elapsed(c, ticks);

    if (!c->loaded)
        return c->mode != 0;
    switch (c->mode) {
    case 0: // interrupt on terminal count
    case 1: // one-shot
        return gone >= c->count;
    case 2: // low for the cycle's last clock; a low gate sets it high
        return !c->running || gone % c->count != c->count - 1;
    case 3:
        return !c->running || gone % c->count < high_half(c);
    default: // 4 and 5, strobes: low for one clock
        return gone != c->count;
    }
}

// Prepares vpit_port61_read(), if the output is simply "high from some tick on".
static void update_out2(struct vpit *p, uint64_t ticks)
{
    const struct vpit_channel *c = &p->channel[GATED_CHANNEL];
    bool rises_once = c->running && (c->mode == 0 || c->mode == 1);

    p->out2_simple = !c->running || rises_once;
    if (rises_once)
        p->out2_rise = c->start + c->count;
    else
        p->out2_rise = output(c, ticks) ? 0 : NEVER;
}

static void load_count(struct vpit_channel *c, uint16_t written, uint64_t ticks)
{
    uint32_t count = decode_count(c, written);

    settle(c, ticks);
    if (is_triggered(c)) {
        c->next = count;
        c->has_next = true;
    } else if (is_periodic(c) && c->running) {
        // The current cycle is finished first. (Real mode 3 would also change in the middle of a
        // cycle.)
        uint64_t gone = elapsed(c, ticks);
        c->next = count;
        c->next_start = c->start + (gone / c->count + 1) * c->count;
        c->has_next = true;
    } else {
        c->count = count;
        start(c, ticks);
        if (!c->gate)
            stop(c, ticks);
    }
}

static void set_gate(struct vpit_channel *c, bool level, uint64_t ticks)
{
    if (level == c->gate)
        return;
    settle(c, ticks);
    c->gate = level;

    if (is_triggered(c)) {
        if (level && (c->loaded || c->has_next)) {
            take_next(c);
            start(c, ticks);
        }
    } else if (!level) {
        if (c->running)
            stop(c, ticks);
    } else if (c->loaded) {
        if (is_periodic(c)) {
            take_next(c);
            start(c, ticks);
        } else {
            resume(c, ticks);
        }
    }
}

static void write_channel(struct vpit_channel *c, uint8_t value, uint64_t ticks)
{
    switch (c->control & CONTROL_ACCESS) {
    case CONTROL_ACCESS_LOW:
        load_count(c, value, ticks);
        break;
    case CONTROL_ACCESS_HIGH:
        load_count(c, (uint16_t)(value << 8), ticks);
        break;
    default:
        if (c->write_high) {
            load_count(c, (uint16_t)(value << 8 | c->write_low), ticks);
        } else {
            c->write_low = value;
            // In mode 0 the first byte stops the count and sets the output low.
            if (c->mode == 0) {
                c->loaded = false;
                c->running = false;
            }
        }
        c->write_high = !c->write_high;
    }
}

static uint8_t read_channel(struct vpit_channel *c, uint64_t ticks)
{
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }

    settle(c, ticks);
    uint16_t value = counter(c, ticks);
    if (c->latch_bytes > 0) {
        value = c->latched;
        c->latch_bytes--;
    }
    bool high = (c->control & CONTROL_ACCESS) == CONTROL_ACCESS_HIGH;
    if ((c->control & CONTROL_ACCESS) == CONTROL_ACCESS_BOTH) {
        high = c->read_high;
        c->read_high = !c->read_high;
    }
    return (uint8_t)(high ? value >> 8 : value);
}

// A latched count stays latched until it has been read.
static void latch_count(struct vpit_channel *c, uint64_t ticks)
{
    if (c->latch_bytes > 0)
        return;
    settle(c, ticks);
    c->latched = counter(c, ticks);
    c->latch_bytes = (c->control & CONTROL_ACCESS) == CONTROL_ACCESS_BOTH ? 2 : 1;
}

static void latch_status(struct vpit_channel *c, uint64_t ticks)
{
    if (c->status_latched)
        return;
    settle(c, ticks);
    // The last written count can't be read back yet.
    bool null_count = !c->loaded || c->has_next || (c->running && ticks < c->start);
    c->status = c->control;
    if (output(c, ticks))
        c->status |= STATUS_OUT;
    if (null_count)
        c->status |= STATUS_NULL_COUNT;
    c->status_latched = true;
}

static void set_control(struct vpit_channel *c, uint8_t value)
{
    bool gate = c->gate;
    uint8_t mode = value >> CONTROL_MODE_SHIFT & CONTROL_MODE_MASK;

    memset(c, 0, sizeof(*c));
    c->gate = gate;
    c->control = value & CONTROL_BITS;
    c->mode = mode > 5 ? mode - 4 : mode; // mode 6 is 2, mode 7 is 3
}

static void read_back(struct vpit *p, uint8_t value, uint64_t ticks)
{
    for (unsigned i = 0; i < VPIT_CHANNELS; i++) {
        if (!(value & READ_BACK_CHANNEL0 << i))
            continue;
        if (!(value & READ_BACK_NO_COUNT))
            latch_count(&p->channel[i], ticks);
        if (!(value & READ_BACK_NO_STATUS))
            latch_status(&p->channel[i], ticks);
    }
}

static void write_control(struct vpit *p, uint8_t value, uint64_t ticks)
{
    unsigned select = value >> CONTROL_SELECT_SHIFT;

    if (select == SELECT_READ_BACK)
        read_back(p, value, ticks);
    else if ((value & CONTROL_ACCESS) == 0)
        latch_count(&p->channel[select], ticks);
    else
        set_control(&p->channel[select], value);
}

void vpit_reset(struct vpit *p)
{
    memset(p, 0, sizeof(*p));
    p->channel[0].gate = true;
    p->channel[1].gate = true;

    set_control(&p->channel[0], CONTROL_ACCESS_BOTH | 3 << CONTROL_MODE_SHIFT);
    load_count(&p->channel[0], 0, 0);
    set_control(&p->channel[1], CONTROL_ACCESS_LOW | 2 << CONTROL_MODE_SHIFT);
    load_count(&p->channel[1], REFRESH_TICKS, 0);
    set_control(&p->channel[2], CONTROL_ACCESS_BOTH | 3 << CONTROL_MODE_SHIFT);
    update_out2(p, 0);
}

uint32_t vpit_read(struct vpit *p, uint16_t port, unsigned size, uint64_t ticks)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size && i < 4; i++) {
        unsigned at = port + i;
        uint8_t byte = 0xff; // the control register is write-only
        if (at >= PORT_CHANNEL0 && at < PORT_CONTROL)
            byte = read_channel(&p->channel[at - PORT_CHANNEL0], ticks);
        value |= vdev_byte_at(byte, i);
    }
    return value;
}

void vpit_write(struct vpit *p, uint16_t port, unsigned size, uint32_t value, uint64_t ticks)
{
    for (unsigned i = 0; i < size && i < 4; i++) {
        unsigned at = port + i;
        uint8_t byte = (uint8_t)(value >> (8 * i));
        if (at == PORT_CONTROL)
            write_control(p, byte, ticks);
        else if (at >= PORT_CHANNEL0 && at < PORT_CONTROL)
            write_channel(&p->channel[at - PORT_CHANNEL0], byte, ticks);
    }
    update_out2(p, ticks);
}

// Channel 0's gate is always high, so the modes that need a trigger (1 and 5) never run.
bool vpit_next_edge(struct vpit *p, uint64_t after, struct vpit_edge *out)
{
    struct vpit_channel *c = &p->channel[0];

    settle(c, after);
    if (!c->running)
        return false;
    *out = (struct vpit_edge){.at = c->start + c->count + (c->mode == 4 ? 1 : 0)};
    if (!is_periodic(c))
        return out->at > after;
    if (out->at <= after)
        out->at += ((after - out->at) / c->count + 1) * c->count;
    out->period = c->count;
    out->changes = c->has_next;
    return true;
}

uint8_t vpit_port61_read(struct vpit *p, uint64_t ticks)
{
    uint8_t value = p->port61;
    bool out2;

    if (__builtin_expect(p->out2_simple, true)) {
        out2 = ticks >= p->out2_rise;
    } else {
        settle(&p->channel[GATED_CHANNEL], ticks);
        out2 = output(&p->channel[GATED_CHANNEL], ticks);
    }
    if (out2)
        value |= PORT61_OUT2;
    if (ticks / REFRESH_TICKS % 2)
        value |= PORT61_REFRESH;
    return value;
}

void vpit_port61_write(struct vpit *p, uint8_t value, uint64_t ticks)
{
    p->port61 = value & PORT61_WRITABLE;
    set_gate(&p->channel[GATED_CHANNEL], (value & PORT61_GATE2) != 0, ticks);
    update_out2(p, ticks);
}
