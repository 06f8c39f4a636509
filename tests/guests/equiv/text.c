// SPDX-License-Identifier: Apache-2.0
// A line that is put together from pieces.

#include "tests/guests/equiv/text.h"

static void add_char(struct text *t, char c)
{
    if (t->length + 1 < sizeof(t->s))
        t->s[t->length++] = c;
    t->s[t->length] = '\0';
}

void text_add(struct text *t, const char *s)
{
    while (*s)
        add_char(t, *s++);
}

void text_hex(struct text *t, uint64_t value)
{
    int shift = 60;
    text_add(t, "0x");
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        add_char(t, "0123456789abcdef"[value >> shift & 15]);
}

void text_decimal(struct text *t, int64_t value)
{
    char digits[24];
    int n = 0;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (value < 0)
        add_char(t, '-');
    do {
        digits[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    while (n)
        add_char(t, digits[--n]);
}

void text_item(struct text *t, const char *name, uint64_t value)
{
    text_add(t, " ");
    text_add(t, name);
    text_add(t, " ");
    text_hex(t, value);
}
