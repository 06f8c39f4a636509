// SPDX-License-Identifier: Apache-2.0
// The 8259A's command words, priorities and cascade. Relies on nothing.
#include "hv/vdev/vpic.h"

#include "arch/lib/string.h"
#include "hv/vdev/vdev.h"

#define PORT_FIRST  0x20
#define PORT_SECOND 0xa0
#define PORT_ELCR   0x4d0

// Inputs 0, 1, 2, 8 and 13 are edge-triggered on every PC.
static const uint8_t elcr_writable[2] = {0xf8, 0xde};

#define ICW1        0x10 // distinguishes it from OCW2 and OCW3
#define ICW1_ICW4   0x01
#define ICW1_SINGLE 0x02
#define ICW2_BASE   0xf8
#define ICW4_AEOI   0x02
#define ICW4_NEST   0x10

#define OCW3             0x08 // distinguishes it from OCW2
#define OCW3_READ_MASK   0x03
#define OCW3_READ_IRR    0x02
#define OCW3_READ_ISR    0x03
#define OCW3_POLL        0x04
#define OCW3_SPECIAL     0x60 // both bits set: special mask mode on
#define OCW3_SPECIAL_SET 0x60
#define OCW3_SPECIAL_OFF 0x40
#define OCW2_COMMAND(v)  ((v) >> 5)
#define OCW2_INPUT(v)    ((v)&7)
#define POLL_INTERRUPT   0x80
#define SPURIOUS_INPUT   7
#define NO_INPUT         8

enum ocw2 {
    OCW2_AUTO_ROTATE_OFF = 0,
    OCW2_EOI = 1,
    OCW2_NOTHING = 2,
    OCW2_EOI_SPECIFIC = 3,
    OCW2_AUTO_ROTATE_ON = 4,
    OCW2_EOI_ROTATE = 5,
    OCW2_SET_PRIORITY = 6,
    OCW2_EOI_SPECIFIC_ROTATE = 7,
};

// The distance of an input from the highest priority, 0 to 7.
static unsigned rank(const struct vpic_chip *c, unsigned input)
{
    return (input - c->lowest - 1u) & 7;
}

// The input with the highest priority among `inputs`; NO_INPUT if there is none.
static unsigned highest(const struct vpic_chip *c, uint8_t inputs)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned input = (c->lowest + 1u + i) & 7;
        if (inputs >> input & 1)
            return input;
    }
    return NO_INPUT;
}

// The input that requests an interrupt; NO_INPUT if there is none.
static unsigned asking(const struct vpic_chip *c, bool first)
{
    unsigned input = highest(c, c->requests & (uint8_t)~c->mask);
    uint8_t service = c->service;

    if (input == NO_INPUT)
        return NO_INPUT;
    // In special mask mode masked inputs in service block no others (data sheet, "Special mask
    // mode").
    if (c->special_mask)
        service &= (uint8_t)~c->mask;
    // A new request from the second chip passes the one in service, because it is another input
    // there.
    if (first && c->special_nest && input == VPIC_CASCADE)
        service &= (uint8_t) ~(1u << VPIC_CASCADE);
    unsigned serving = highest(c, service);
    return serving == NO_INPUT || rank(c, input) < rank(c, serving) ? input : NO_INPUT;
}

static void set_input(struct vpic_chip *c, unsigned input, bool high)
{
    uint8_t bit = (uint8_t)(1u << input);

    if (c->level & bit)
        c->requests = (uint8_t)(high ? c->requests | bit : c->requests & ~bit);
    else if (high && !(c->lines & bit))
        c->requests |= bit;
    c->lines = (uint8_t)(high ? c->lines | bit : c->lines & ~bit);
}

// The second chip's output is an input of the first: a level, whatever the trigger mode.
static void cascade(struct vpic *p)
{
    uint8_t bit = 1u << VPIC_CASCADE;
    bool high = asking(&p->chip[1], false) != NO_INPUT;
    uint8_t requests = p->chip[0].requests & (uint8_t)~bit;

    p->chip[0].requests = (uint8_t)(high ? requests | bit : requests);
}

static void end_service(struct vpic_chip *c, unsigned input, bool rotate)
{
    if (input == NO_INPUT)
        return;
    c->service &= (uint8_t) ~(1u << input);
    if (rotate)
        c->lowest = (uint8_t)input;
}

// A processor takes this input's interrupt.
static void take(struct vpic_chip *c, unsigned input)
{
    uint8_t bit = (uint8_t)(1u << input);

    c->service |= bit;
    if (!(c->level & bit))
        c->requests &= (uint8_t)~bit;
    if (c->auto_eoi)
        end_service(c, input, c->rotates);
}

// ---- command words ---------------------------------------------------------------------------

static void initialise(struct vpic_chip *c, uint8_t value)
{
    uint8_t level = c->level, lines = c->lines;

    memset(c, 0, sizeof(*c));
    c->level = level;
    c->lines = lines;
    c->requests = lines & level; // earlier edges are forgotten
    c->lowest = SPURIOUS_INPUT;
    c->single = (value & ICW1_SINGLE) != 0;
    c->wants_icw4 = (value & ICW1_ICW4) != 0;
    c->expects = VPIC_ICW2;
}

// In the order of the data sheet: ICW2, ICW3 unless there is only one chip, ICW4 if ICW1 says so.
static void initialise_further(struct vpic_chip *c, uint8_t value)
{
    switch (c->expects) {
    case VPIC_ICW2:
        c->base = value & ICW2_BASE;
        c->expects = !c->single ? VPIC_ICW3 : c->wants_icw4 ? VPIC_ICW4 : VPIC_READY;
        break;
    case VPIC_ICW3: // the cascade's input: fixed by the wiring
        c->expects = c->wants_icw4 ? VPIC_ICW4 : VPIC_READY;
        break;
    default:
        c->auto_eoi = (value & ICW4_AEOI) != 0;
        c->special_nest = (value & ICW4_NEST) != 0;
        c->expects = VPIC_READY;
    }
}

static void command_eoi(struct vpic_chip *c, uint8_t value)
{
    uint8_t service = c->service;

    switch ((enum ocw2)OCW2_COMMAND(value)) {
    case OCW2_AUTO_ROTATE_OFF:
    case OCW2_AUTO_ROTATE_ON:
        c->rotates = OCW2_COMMAND(value) == OCW2_AUTO_ROTATE_ON;
        break;
    case OCW2_EOI:
    case OCW2_EOI_ROTATE:
        // A non-specific EOI ignores inputs that special mask mode excludes.
        if (c->special_mask)
            service &= (uint8_t)~c->mask;
        end_service(c, highest(c, service), OCW2_COMMAND(value) == OCW2_EOI_ROTATE);
        break;
    case OCW2_EOI_SPECIFIC:
    case OCW2_EOI_SPECIFIC_ROTATE:
        end_service(c, OCW2_INPUT(value), OCW2_COMMAND(value) == OCW2_EOI_SPECIFIC_ROTATE);
        break;
    case OCW2_SET_PRIORITY:
        c->lowest = OCW2_INPUT(value);
        break;
    case OCW2_NOTHING:
        break;
    }
}

static void command_read(struct vpic_chip *c, uint8_t value)
{
    if ((value & OCW3_READ_MASK) == OCW3_READ_IRR)
        c->shows_service = false;
    else if ((value & OCW3_READ_MASK) == OCW3_READ_ISR)
        c->shows_service = true;
    c->polled = (value & OCW3_POLL) != 0;
    if ((value & OCW3_SPECIAL) == OCW3_SPECIAL_SET)
        c->special_mask = true;
    else if ((value & OCW3_SPECIAL) == OCW3_SPECIAL_OFF)
        c->special_mask = false;
}

static void write_chip(struct vpic *p, unsigned n, bool odd, uint8_t value)
{
    struct vpic_chip *c = &p->chip[n];

    if (!odd && (value & ICW1)) {
        initialise(c, value);
        p->programmed |= 1u << n;
    } else if (!odd && (value & OCW3)) {
        command_read(c, value);
    } else if (!odd) {
        command_eoi(c, value);
    } else if (c->expects != VPIC_READY) {
        initialise_further(c, value);
    } else {
        c->mask = value;
    }
    cascade(p);
}

// A poll acknowledges, and returns the input (data sheet, "Poll command").
static uint8_t poll(struct vpic *p, unsigned n)
{
    struct vpic_chip *c = &p->chip[n];
    unsigned input = asking(c, n == 0);

    c->polled = false;
    if (input == NO_INPUT)
        return 0;
    take(c, input);
    cascade(p);
    return (uint8_t)(POLL_INTERRUPT | input);
}

static uint8_t read_chip(struct vpic *p, unsigned n, bool odd)
{
    const struct vpic_chip *c = &p->chip[n];

    if (c->polled)
        return poll(p, n);
    if (odd)
        return c->mask;
    return c->shows_service ? c->service : c->requests;
}

static void write_elcr(struct vpic *p, unsigned n, uint8_t value)
{
    struct vpic_chip *c = &p->chip[n];

    // Edges are kept. A level's request lasts as long as the level and the mode.
    uint8_t edges = c->requests & (uint8_t)~c->level;

    c->level = value & elcr_writable[n];
    c->requests = (uint8_t)((edges & ~c->level) | (c->lines & c->level));
    cascade(p);
}

// ---- interface -------------------------------------------------------------------------------

void vpic_reset(struct vpic *p)
{
    memset(p, 0, sizeof(*p));
    p->chip[0].base = 0x08;
    p->chip[1].base = 0x70;
    for (unsigned n = 0; n < 2; n++) {
        p->chip[n].mask = 0xff;
        p->chip[n].lowest = SPURIOUS_INPUT;
    }
}

uint32_t vpic_read(struct vpic *p, uint16_t port, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size && i < 4; i++) {
        unsigned at = port + i;
        uint8_t byte = 0xff;
        if (at - PORT_FIRST < 2)
            byte = read_chip(p, 0, at & 1);
        else if (at - PORT_SECOND < 2)
            byte = read_chip(p, 1, at & 1);
        else if (at - PORT_ELCR < 2)
            byte = p->chip[at & 1].level;
        value |= vdev_byte_at(byte, i);
    }
    return value;
}

void vpic_write(struct vpic *p, uint16_t port, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size && i < 4; i++) {
        unsigned at = port + i;
        uint8_t byte = (uint8_t)(value >> (8 * i));
        if (at - PORT_FIRST < 2)
            write_chip(p, 0, at & 1, byte);
        else if (at - PORT_SECOND < 2)
            write_chip(p, 1, at & 1, byte);
        else if (at - PORT_ELCR < 2)
            write_elcr(p, at & 1, byte);
    }
}

void vpic_set_line(struct vpic *p, unsigned input, bool high)
{
    if (input >= VPIC_INPUTS || input == VPIC_CASCADE)
        return;
    set_input(&p->chip[input / 8], input % 8, high);
    cascade(p);
}

bool vpic_listens(const struct vpic *p, unsigned input)
{
    const struct vpic_chip *first = &p->chip[0];
    const struct vpic_chip *c = &p->chip[input / 8 & 1];

    return c->expects == VPIC_READY && !(c->mask >> input % 8 & 1) &&
           (c == first || !(first->mask >> VPIC_CASCADE & 1));
}

bool vpic_waits(const struct vpic *p, unsigned input)
{
    return (p->chip[input / 8 & 1].requests >> input % 8 & 1) != 0;
}

bool vpic_pending(const struct vpic *p)
{
    return p->chip[0].expects == VPIC_READY && asking(&p->chip[0], true) != NO_INPUT;
}

uint8_t vpic_acknowledge(struct vpic *p)
{
    struct vpic_chip *first = &p->chip[0], *second = &p->chip[1];
    unsigned input = asking(first, true);

    if (input == NO_INPUT)
        return first->base | SPURIOUS_INPUT;
    take(first, input);
    if (input != VPIC_CASCADE)
        return (uint8_t)(first->base | input);

    unsigned behind = asking(second, false);
    if (behind == NO_INPUT)
        return second->base | SPURIOUS_INPUT;
    take(second, behind);
    cascade(p);
    return (uint8_t)(second->base | behind);
}
