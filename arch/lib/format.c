// SPDX-License-Identifier: Apache-2.0
// Text formatting, described in arch/lib/format.h. No state, no allocation, no dependency.
#include "arch/lib/format.h"

#include <stdbool.h>
#include <stdint.h>

// Where the text goes: bytes beyond the end are counted, not written.
struct output {
    char *buf;
    size_t size;
    size_t length;
};

// One conversion specification, parsed.
struct spec {
    bool left;
    bool zero;
    bool has_precision;
    size_t width;
    size_t precision;
    int length; // -2 hh, -1 h, 0, 1 l, 2 ll or z
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buf[out->length] = c;
    out->length++;
}

static void put_many(struct output *out, char c, size_t count)
{
    while (count-- > 0)
        put(out, c);
}

// `sign` goes before the zeros and after the spaces of the padding.
static void put_padded(struct output *out, const struct spec *spec, const char *sign,
                       size_t sign_length, const char *text, size_t length)
{
    size_t total = sign_length + length;
    size_t padding = spec->width > total ? spec->width - total : 0;

    if (!spec->left && !spec->zero)
        put_many(out, ' ', padding);
    for (size_t i = 0; i < sign_length; i++)
        put(out, sign[i]);
    if (!spec->left && spec->zero)
        put_many(out, '0', padding);
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
    if (spec->left)
        put_many(out, ' ', padding);
}

static void put_number(struct output *out, const struct spec *spec, const char *sign,
                       size_t sign_length, uint64_t value, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[20]; // UINT64_MAX has 20 decimal digits
    size_t start = sizeof(text);

    do {
        text[--start] = digits[value % base];
        value /= base;
    } while (value != 0);
    put_padded(out, spec, sign, sign_length, text + start, sizeof(text) - start);
}

static void put_string(struct output *out, struct spec *spec, const char *text)
{
    size_t length = 0;

    if (text == NULL)
        text = "(null)";
    while ((!spec->has_precision || length < spec->precision) && text[length] != '\0')
        length++;
    spec->zero = false;
    put_padded(out, spec, "", 0, text, length);
}

static const char *parse_number(const char *p, size_t *value)
{
    *value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        // Stops adding digits beyond any sensible width, so that the value can't overflow.
        if (*value < 100000)
            *value = *value * 10 + (size_t)(*p - '0');
    }
    return p;
}

static const char *parse_flags(const char *p, struct spec *spec)
{
    for (;; p++) {
        if (*p == '0')
            spec->zero = true;
        else if (*p == '-')
            spec->left = true;
        else
            return p;
    }
}

static const char *parse_length(const char *p, struct spec *spec)
{
    if (*p == 'z') {
        spec->length = 2;
        return p + 1;
    }
    while (*p == 'l' && spec->length >= 0 && spec->length < 2) {
        spec->length++;
        p++;
    }
    while (*p == 'h' && spec->length <= 0 && spec->length > -2) {
        spec->length--;
        p++;
    }
    return p;
}

// long, long long and size_t are all 64 bits here.
_Static_assert(sizeof(long) == 8 && sizeof(long long) == 8 && sizeof(size_t) == 8,
               "format() takes l, ll and z for the same");

static int64_t narrow_signed(int64_t value, int length)
{
    if (length == -1)
        return (int16_t)value;
    if (length == -2)
        return (int8_t)value;
    return value;
}

static uint64_t narrow_unsigned(uint64_t value, int length)
{
    if (length == -1)
        return (uint16_t)value;
    if (length == -2)
        return (uint8_t)value;
    return value;
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
{
    struct output out = {.buf = buf, .size = size};

    for (const char *p = fmt; *p != '\0'; p++) {
        if (*p != '%') {
            put(&out, *p);
            continue;
        }

        const char *start = p;
        struct spec spec = {0};

        p = parse_flags(p + 1, &spec);
        if (*p == '*') {
            int width = va_arg(args, int);
            // As in C, a negative width means the flag '-' and the absolute width.
            if (width < 0)
                spec.left = true;
            spec.width = (size_t)(width < 0 ? -(int64_t)width : width);
            p++;
        } else {
            p = parse_number(p, &spec.width);
        }
        if (*p == '.') {
            spec.has_precision = true;
            if (p[1] == '*') {
                int precision = va_arg(args, int);
                // As in C, a negative precision counts as absent.
                spec.has_precision = precision >= 0;
                spec.precision = precision >= 0 ? (size_t)precision : 0;
                p += 2;
            } else {
                p = parse_number(p + 1, &spec.precision);
            }
        }
        p = parse_length(p, &spec);

        switch (*p) {
        case 'd':
        case 'i': {
            int64_t value = spec.length > 0 ? va_arg(args, long) : va_arg(args, int);
            value = narrow_signed(value, spec.length);
            uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
            put_number(&out, &spec, "-", value < 0 ? 1 : 0, magnitude, 10, false);
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            uint64_t value =
                spec.length > 0 ? va_arg(args, unsigned long) : va_arg(args, unsigned int);
            value = narrow_unsigned(value, spec.length);
            put_number(&out, &spec, "", 0, value, *p == 'u' ? 10 : 16, *p == 'X');
            break;
        }
        case 'p': {
            struct spec digits = {.zero = true, .width = 18};
            put_number(&out, &digits, "0x", 2, (uintptr_t)va_arg(args, void *), 16, false);
            break;
        }
        case 'c': {
            char c = (char)va_arg(args, int);
            spec.zero = false;
            put_padded(&out, &spec, "", 0, &c, 1);
            break;
        }
        case 's':
            put_string(&out, &spec, va_arg(args, const char *));
            break;
        case '%':
            put(&out, '%');
            break;
        default:
            // Unknown: show the specification itself, so that the mistake is seen.
            for (; start < p; start++)
                put(&out, *start);
            if (*p == '\0')
                p--; // the loop's step stops at the terminator
            else
                put(&out, *p);
            break;
        }
    }
    if (size > 0)
        buf[out.length < size ? out.length : size - 1] = '\0';
    return out.length;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    size_t length = vformat(buf, size, fmt, args);
    va_end(args);
    return length;
}
