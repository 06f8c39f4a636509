// SPDX-License-Identifier: Apache-2.0
// The text of outcomes and the names of checks.

#include "tests/guests/equiv/device.h"

static void put(struct line *line, char c)
{
    const unsigned room = sizeof(line->text) - 1;
    if (line->used < room)
        line->text[line->used++] = c;
    else
        line->text[room - 1] = '~'; // cut off
    line->text[line->used] = '\0';
}

void line_word(struct line *line, const char *word)
{
    if (line->used)
        put(line, ' ');
    while (*word)
        put(line, *word++);
}

static void put_hex(struct line *line, uint64_t value)
{
    int shift = 60;
    put(line, '0');
    put(line, 'x');
    while (shift && !(value >> shift & 15))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put(line, "0123456789abcdef"[value >> shift & 15]);
}

void line_hex(struct line *line, uint64_t value)
{
    if (line->used)
        put(line, ' ');
    put_hex(line, value);
}

void line_field(struct line *line, const char *name, uint64_t value)
{
    line_word(line, name);
    line_hex(line, value);
}

// The next of some buffers in turn, so that a name can be made of earlier ones.
static struct line *next_name(void)
{
    static struct line names[4];
    static unsigned turn;
    struct line *line = &names[turn++ % COUNT(names)];
    line->used = 0;
    return line;
}

static void put_all(struct line *line, const char *text)
{
    while (*text)
        put(line, *text++);
}

const char *name_of(const char *prefix, const char *name)
{
    struct line *line = next_name();
    put_all(line, prefix);
    put(line, '.');
    put_all(line, name);
    return line->text;
}

const char *name_number(const char *prefix, unsigned number, const char *name)
{
    struct line *line = next_name();
    put_all(line, prefix);
    put_hex(line, number);
    return name_of(line->text, name);
}

const char *apic_mode(void)
{
    return x2apic_on() ? "apic.x2apic" : "apic.xapic";
}

const char *smp_mode(void)
{
    return x2apic_on() ? "smp.x2apic" : "smp.xapic";
}

const char *attempt(int vector)
{
    switch (vector) {
    case -1:
        return "ok";
    case 6:
        return "#UD";
    case 13:
        return "#GP";
    case 14:
        return "#PF";
    default:
        return "another exception";
    }
}
