// SPDX-License-Identifier: Apache-2.0
// Splits a configuration's text into tokens: partitions/config_scan.h. Where versions of libconfig
// differ, it accepts only what all of them read in the same way.
#include "partitions/config_scan.h"

#include <stdint.h>
#include <string.h>

#include "arch/lib/types.h"

#define MARKS "=:;,()[]{}"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '*';
}

// A character of a number, or of what looks like one: 512M, 0xf4-0xf7, 00:03.0.
static bool is_number_char(char c)
{
    return is_letter(c) || is_digit(c) || (c != '\0' && strchr("+-._:", c) != NULL);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

struct config_scanner config_scanner_at(const char *text)
{
    return (struct config_scanner){.next = text, .line = 1, .fresh = true};
}

static void skip_line(struct config_scanner *scanner)
{
    scanner->next += strcspn(scanner->next, "\n");
}

// Skips a comment. False if it does not end; then nothing is skipped.
static bool skip_comment(struct config_scanner *scanner)
{
    const char *end = strstr(scanner->next + 2, "*/");

    if (end == NULL)
        return false;
    for (; scanner->next < end + 2; scanner->next++)
        scanner->line += *scanner->next == '\n';
    scanner->fresh = false;
    return true;
}

// Skips blanks and comments. False at a comment that does not end.
static bool skip_blanks(struct config_scanner *scanner)
{
    for (;;) {
        const char *p = scanner->next;

        if (*p == '\n') {
            scanner->line++;
            scanner->fresh = true;
            scanner->next++;
        } else if (is_blank(*p)) {
            scanner->next++;
        } else if (*p == '#' || (p[0] == '/' && p[1] == '/')) {
            skip_line(scanner);
        } else if (p[0] == '/' && p[1] == '*') {
            if (!skip_comment(scanner))
                return false;
        } else {
            return true;
        }
    }
}

// Bytes of the text that begins at `p`, including its quotes; 0 if it does not end on its line.
static size_t text_length(const char *p)
{
    for (size_t i = 1; p[i] != '\0' && p[i] != '\n'; i++) {
        if (p[i] == '"')
            return i + 1;
        if (p[i] == '\\' && p[i + 1] != '\0' && p[i + 1] != '\n')
            i++;
    }
    return 0;
}

static bool begins_number(const char *p)
{
    if (*p == '+' || *p == '-')
        p++;
    if (*p == '.')
        p++;
    return is_digit(*p);
}

static size_t run_length(const char *p, bool (*belongs)(char))
{
    size_t length = 0;

    while (belongs(p[length]))
        length++;
    return length;
}

static bool begins_include(const char *p)
{
    static const char word[] = "@include";

    return strncmp(p, word, sizeof(word) - 1) == 0 && is_blank(p[sizeof(word) - 1]);
}

static void classify(struct config_token *token, bool fresh)
{
    const char *p = token->start;

    token->length = 1;
    if (*p == '"') {
        token->length = text_length(p);
        token->kind = token->length != 0 ? CONFIG_TOKEN_TEXT : CONFIG_TOKEN_OPEN_TEXT;
        if (token->length == 0)
            token->length = strcspn(p, "\n");
    } else if (fresh && begins_include(p)) {
        token->kind = CONFIG_TOKEN_INCLUDE;
        token->length = strlen("@include");
    } else if (begins_number(p)) {
        token->kind = CONFIG_TOKEN_NUMBER;
        token->length = run_length(p, is_number_char);
    } else if (is_letter(*p) || *p == '*') {
        token->kind = CONFIG_TOKEN_NAME;
        token->length = run_length(p, is_name_char);
    } else {
        token->kind = strchr(MARKS, *p) != NULL ? CONFIG_TOKEN_MARK : CONFIG_TOKEN_OTHER;
    }
}

struct config_token config_scan(struct config_scanner *scanner)
{
    bool ends = skip_blanks(scanner);
    struct config_token token = {.start = scanner->next, .line = scanner->line};

    if (!ends) {
        token.kind = CONFIG_TOKEN_OPEN_COMMENT;
        token.length = strlen(token.start);
    } else if (*token.start == '\0') {
        token.kind = CONFIG_TOKEN_END;
    } else {
        classify(&token, scanner->fresh);
    }
    scanner->next += token.length;
    scanner->fresh = false;
    return token;
}

// ---- numbers ---------------------------------------------------------------------------------

// Whether `value` with this sign doesn't fit into `bits`. libconfig reads a hexadecimal number as
// the bits of a signed one, so that one with the highest bit set would become negative.
static bool does_not_fit(uint64_t value, bool overflow, bool negative, unsigned bits)
{
    return overflow || value > BIT(bits - 1) - (negative ? 0u : 1u);
}

static unsigned hex_digit(char c)
{
    return is_digit(c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

// The integer of these digits, which may be followed only by one or two L.
static enum config_number integer(const char *digits, size_t length, bool negative, unsigned base)
{
    uint64_t value = 0;
    bool overflow = false;
    size_t i = 0;
    bool is_long;

    for (; i < length && (base == 16 ? is_hex_digit(digits[i]) : is_digit(digits[i])); i++) {
        overflow |= value > (UINT64_MAX - hex_digit(digits[i])) / base;
        value = value * base + hex_digit(digits[i]);
    }
    is_long = i < length && digits[i] == 'L';
    if (i == 0 || i + (is_long ? (i + 1 < length && digits[i + 1] == 'L' ? 2 : 1) : 0) != length)
        return CONFIG_NUMBER_NONE;
    if (base == 10 && i > 1 && digits[0] == '0')
        return CONFIG_NUMBER_OCTAL;
    if (does_not_fit(value, overflow, negative, is_long ? 64 : 32))
        return CONFIG_NUMBER_CUT;
    return is_long ? CONFIG_NUMBER_INT64 : CONFIG_NUMBER_INT;
}

static size_t skip_digits(const char *p, size_t i, size_t length)
{
    while (i < length && is_digit(p[i]))
        i++;
    return i;
}

// Whether it is digits with a point, and possibly an exponent.
static bool is_fraction(const char *p, size_t length)
{
    size_t i = skip_digits(p, 0, length);
    size_t digits;

    if (i == length || p[i] != '.')
        return false;
    i = skip_digits(p, i + 1, length);
    if (i == length)
        return true;
    if ((p[i] | 0x20) != 'e')
        return false;
    i++;
    i += i < length && (p[i] == '+' || p[i] == '-');
    digits = i;
    i = skip_digits(p, i, length);
    return i == length && i > digits;
}

enum config_number config_number(const struct config_token *token)
{
    const char *p = token->start;
    size_t length = token->length;
    bool negative = *p == '-';

    if (length > 2 && p[0] == '0' && (p[1] | 0x20) == 'x')
        return integer(p + 2, length - 2, false, 16);
    if (negative || *p == '+') {
        p++;
        length--;
    }
    if (is_fraction(p, length))
        return CONFIG_NUMBER_FRACTION;
    return integer(p, length, negative, 10);
}

// ---- questions about tokens ------------------------------------------------------------------

bool config_token_is_mark(const struct config_token *token, char mark)
{
    return token->kind == CONFIG_TOKEN_MARK && *token->start == mark;
}

bool config_token_is_word(const struct config_token *token, const char *word)
{
    return token->kind == CONFIG_TOKEN_NAME && strlen(word) == token->length &&
           strncmp(token->start, word, token->length) == 0;
}

size_t config_word_length(const struct config_token *token)
{
    size_t length = strcspn(token->start, " \t\n\r\f;,()[]{}\"=#");
    const char *comment = strstr(token->start, "//");

    if (comment != NULL && (size_t)(comment - token->start) < length)
        length = (size_t)(comment - token->start);
    return length;
}
