// SPDX-License-Identifier: Apache-2.0
// Console output, command line and memory map of a test guest, and the way from the entry in
// boot.asm to run_guest().

#include "tests/guests/guest.h"

#include <stdarg.h>

enum {
    MB_INFO_FLAGS = 0,
    MB_INFO_CMDLINE = 16,
    MB_INFO_MMAP_LENGTH = 44,
    MB_INFO_MMAP_ADDR = 48,
};

static const uint8_t *mb_info;
static unsigned checks_ok, checks_failed;

static uint32_t read32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof(value));
    return value;
}

static uint64_t read64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof(value));
    return value;
}

void *memset(void *to, int value, size_t n)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
    return (uint8_t *)to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

static void put_char(char c)
{
    // A machine without the device reads all ones, so this doesn't hang there.
    while (!(inb(COM1 + 5) & 0x20))
        pause();
    outb(COM1, (uint8_t)c);
}

static void put_number(uint64_t value, unsigned base, int width, char pad)
{
    char digits[24];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (int i = n; i < width; i++)
        put_char(pad);
    while (n)
        put_char(digits[--n]);
}

void vprint(const char *fmt, va_list args)
{
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            if (*fmt == '\n')
                put_char('\r');
            put_char(*fmt);
            continue;
        }
        char pad = ' ';
        int width = 0, longs = 0;
        fmt++;
        if (*fmt == '0')
            pad = *fmt++;
        while (*fmt >= '0' && *fmt <= '9')
            width = width * 10 + (*fmt++ - '0');
        while (*fmt == 'l' || *fmt == 'z') {
            longs++;
            fmt++;
        }
        switch (*fmt) {
        case 'c':
            put_char((char)va_arg(args, int));
            break;
        case 's':
            for (const char *s = va_arg(args, const char *); *s; s++)
                put_char(*s);
            break;
        case 'd': {
            int64_t value = longs ? va_arg(args, int64_t) : va_arg(args, int);
            if (value < 0)
                put_char('-');
            put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, width, pad);
            break;
        }
        case 'u':
        case 'x':
            put_number(longs ? va_arg(args, uint64_t) : va_arg(args, unsigned),
                       *fmt == 'x' ? 16 : 10, width, pad);
            break;
        default:
            put_char(*fmt);
            break;
        }
    }
}

void print(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vprint(fmt, args);
    va_end(args);
}

void check(bool good, const char *fmt, ...)
{
    va_list args;
    if (good)
        checks_ok++;
    else
        checks_failed++;
    print(good ? "ok " : "FAIL ");
    va_start(args, fmt);
    vprint(fmt, args);
    va_end(args);
    print("\n");
}

void check_summary(void)
{
    print("checks: %u ok, %u failed\n", checks_ok, checks_failed);
}

const uint8_t *multiboot_info(void)
{
    return mb_info;
}

const char *command_line(void)
{
    if (!mb_info || !(read32(mb_info + MB_INFO_FLAGS) & 4))
        return "";
    return (const char *)(uintptr_t)read32(mb_info + MB_INFO_CMDLINE);
}

bool option(const char *name, char *value, size_t size)
{
    const char *word = command_line();
    while (*word) {
        const char *n = name;
        const char *p = word;
        while (*n && *p == *n) {
            p++;
            n++;
        }
        if (!*n && *p == '=') {
            size_t i = 0;
            for (p++; *p && *p != ' ' && i + 1 < size; p++)
                value[i++] = *p;
            value[i] = '\0';
            return true;
        }
        while (*word && *word != ' ')
            word++;
        while (*word == ' ')
            word++;
    }
    return false;
}

uint64_t option_number(const char *name, uint64_t otherwise)
{
    char text[24];
    uint64_t value = 0;
    unsigned base = 10;
    const char *p = text;
    if (!option(name, text, sizeof(text)))
        return otherwise;
    if (p[0] == '0' && p[1] == 'x') {
        base = 16;
        p += 2;
    }
    for (; *p; p++) {
        unsigned digit = *p >= 'a' ? (unsigned)(*p - 'a') + 10 : (unsigned)(*p - '0');
        value = value * base + digit;
    }
    return value;
}

bool option_is(const char *name, const char *value)
{
    char text[32];
    size_t i = 0;
    if (!option(name, text, sizeof(text)))
        return false;
    while (text[i] && text[i] == value[i])
        i++;
    return text[i] == value[i];
}

static uint64_t ram_sum(uint64_t limit, bool want_end)
{
    uint64_t sum = 0, end = 0;
    if (!mb_info || !(read32(mb_info + MB_INFO_FLAGS) & 0x40))
        return 0;
    const uint8_t *entry = (const uint8_t *)(uintptr_t)read32(mb_info + MB_INFO_MMAP_ADDR);
    const uint8_t *last = entry + read32(mb_info + MB_INFO_MMAP_LENGTH);
    for (; entry < last; entry += read32(entry) + 4) {
        uint64_t base = read64(entry + 4), length = read64(entry + 12);
        if (read32(entry + 20) != 1 || base >= limit)
            continue;
        sum += length;
        if (base + length > end)
            end = base + length;
    }
    return want_end ? end : sum;
}

uint64_t ram_end_low(void)
{
    return ram_sum(1ull << 32, true);
}

uint64_t ram_total(void)
{
    return ram_sum(UINT64_MAX, false);
}

void guest_main(uint32_t magic, uint64_t info)
{
    mb_info = magic == 0x2badb002 ? (const uint8_t *)info : NULL;
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x03);
    outb(COM1 + 2, 0x07);
    outb(COM1 + 4, 0x0b);
    // The firmware of a bare PC leaves its timer running through the 8259s.
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    trap_install();
    if (!mb_info)
        print("not started by a Multiboot loader: eax 0x%x\n", magic);
    run_guest();
    finish();
}
