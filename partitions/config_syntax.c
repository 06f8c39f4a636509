// SPDX-License-Identifier: Apache-2.0
// The grammar of a configuration, and a message for each of the usual mistakes:
// partitions/config_syntax.h. It refuses a few things that some version of libconfig accepts,
// because another version does not, or because they are never intended: a comma before a closing
// bracket, texts without a comma in a list, a line break in a text.
#include "partitions/config_syntax.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arch/lib/types.h"
#include "partitions/config_scan.h"

#define LIST_FORM "( { ... }, { ... } )"

struct syntax {
    struct config_scanner scanner;
    struct config_token token;
    unsigned last_line; // line of the previous token
    unsigned opened;    // config_slip.opened of the next slip
    unsigned depth;
    size_t key_count; // number of keys of all open groups
    size_t key_room;
    struct config_token *keys;
    config_slip_fn *report;
    void *context;
    bool good;
};

// Reports a slip. Returns false, for the caller to return.
static bool slip(struct syntax *s, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool slip(struct syntax *s, unsigned line, const char *fmt, ...)
{
    struct config_slip found = {.line = line, .opened = s->opened};
    va_list args;

    va_start(args, fmt);
    vsnprintf(found.text, sizeof(found.text), fmt, args);
    va_end(args);
    s->report(s->context, &found);
    s->good = false;
    return false;
}

static void advance(struct syntax *s)
{
    s->last_line = s->token.line;
    s->token = config_scan(&s->scanner);
}

static bool at_mark(const struct syntax *s, char mark)
{
    return config_token_is_mark(&s->token, mark);
}

// For "%.*s": the part of a word for which a message has room.
static int shown(size_t length)
{
    return length < 60 ? (int)length : 60;
}

// ---- slips that can occur anywhere ------------------------------------------------------------

// Quotes that word processors use instead of plain ones.
static const char *const typographic_quotes[] = {
    "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xe2\x80\x9f", "\xe2\x80\x98", "\xe2\x80\x99",
    "\xe2\x80\x9a", "\xc2\xab",     "\xc2\xbb",     "\x93",         "\x94",
};

static bool is_typographic(const char *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(typographic_quotes); i++) {
        if (strncmp(p, typographic_quotes[i], strlen(typographic_quotes[i])) == 0)
            return true;
    }
    return false;
}

static bool stray_byte(struct syntax *s)
{
    const struct config_token *token = &s->token;
    unsigned char byte = (unsigned char)*token->start;

    if (is_typographic(token->start))
        return slip(s, token->line,
                    "these quotes are typographic ones; a text stands in plain double quotes: "
                    "\"...\"");
    if (byte == '\'')
        return slip(s, token->line, "a text stands in double quotes, not in single ones: \"...\"");
    if (byte == '-')
        return slip(s, token->line, "a list has no dashes; it is written " LIST_FORM);
    if (byte == '/')
        return slip(s, token->line, "a / begins nothing here; a comment begins with // or /*");
    if (byte == '@')
        return slip(
            s, token->line,
            "@include \"FILE\" stands on a line of its own, and nothing else begins with @");
    if (byte > ' ' && byte < 0x7f)
        return slip(s, token->line, "the character %c has no meaning here; remove it", byte);
    return slip(s, token->line,
                "the byte 0x%02x has no meaning here; only texts in quotes and comments may hold "
                "other characters than plain ones",
                byte);
}

// Reports bytes that form no token. True if the token is valid.
static bool is_sound(struct syntax *s)
{
    switch (s->token.kind) {
    case CONFIG_TOKEN_OPEN_TEXT:
        return slip(s, s->token.line,
                    "the text that begins here has no closing quote on its line; add the \" (texts "
                    "after one another are joined: \"a \" \"b\" is \"a b\")");
    case CONFIG_TOKEN_OPEN_COMMENT:
        return slip(s, s->token.line, "the comment that begins here with /* is not closed; add */");
    case CONFIG_TOKEN_OTHER:
        return stray_byte(s);
    case CONFIG_TOKEN_INCLUDE: // config_text_read() has replaced them
    default:
        return true;
    }
}

static char closing_of(char open)
{
    return open == '(' ? ')' : open == '[' ? ']' : '}';
}

// Reports what is there instead of an entry, a separator or the closing bracket of `open`.
static bool wrong_end(struct syntax *s, char open, unsigned line)
{
    if (s->token.kind == CONFIG_TOKEN_END)
        return slip(s, line, "the %c that stands here is not closed; add %c where it ends", open,
                    closing_of(open));
    s->opened = line;
    return slip(s, s->token.line, "a %c is closed by %c, not by %c", open, closing_of(open),
                *s->token.start);
}

static bool at_closing(const struct syntax *s)
{
    return at_mark(s, ')') || at_mark(s, ']') || at_mark(s, '}');
}

// ---- values -----------------------------------------------------------------------------------

// Words that people write as values and that are none.
static const struct {
    const char *word;
    const char *instead;
} words[] = {
    {"yes", "write true"},  {"on", "write true"},          {"no", "write false"},
    {"off", "write false"}, {"null", "leave the key out"}, {"none", "leave the key out"},
};

static bool is_truth(const struct config_token *token)
{
    static const char *const truths[] = {"true", "false"};

    // libconfig ignores case.
    for (size_t i = 0; i < ARRAY_SIZE(truths); i++) {
        if (token->kind == CONFIG_TOKEN_NAME && token->length == strlen(truths[i]) &&
            strncasecmp(token->start, truths[i], token->length) == 0)
            return true;
    }
    return false;
}

// Reports a word without quotes.
static bool bare_word(struct syntax *s)
{
    const struct config_token *token = &s->token;
    size_t length = config_word_length(token);

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (length == token->length && config_token_is_word(token, words[i].word))
            return slip(s, token->line, "%s is no value; %s, or \"%s\" in quotes for a text",
                        words[i].word, words[i].instead, words[i].word);
    }
    if (length < token->length)
        length = token->length;
    return slip(s, token->line, "%.*s needs quotes: \"%.*s\"", shown(length), token->start,
                shown(length), token->start);
}

static bool check_number(struct syntax *s, enum config_number kind)
{
    const struct config_token *token = &s->token;
    int length = shown(token->length);

    switch (kind) {
    case CONFIG_NUMBER_CUT:
        slip(s, token->line,
             "the number %.*s does not fit: 2147483647 is the largest (a size is a text in quotes, "
             "such as \"512M\")",
             length, token->start);
        return true; // report the next one too
    case CONFIG_NUMBER_OCTAL:
        return slip(s, token->line, "the number %.*s begins with 0; leave that out", length,
                    token->start);
    case CONFIG_NUMBER_NONE:
        return bare_word(s);
    default:
        return true;
    }
}

// Kinds of values; all entries of an array are of one kind.
enum value_kind { VALUE_NONE, VALUE_TEXT, VALUE_TRUTH, VALUE_INT, VALUE_INT64, VALUE_FRACTION };

static enum value_kind kind_of_number(enum config_number kind)
{
    return kind == CONFIG_NUMBER_INT64      ? VALUE_INT64
           : kind == CONFIG_NUMBER_FRACTION ? VALUE_FRACTION
                                            : VALUE_INT;
}

// Reads a text, number or truth value. VALUE_NONE, with a slip, if it is none of these.
static enum value_kind scalar(struct syntax *s)
{
    enum value_kind kind = VALUE_NONE;
    enum config_number number;

    if (!is_sound(s))
        return VALUE_NONE;
    if (s->token.kind == CONFIG_TOKEN_TEXT) {
        kind = VALUE_TEXT;
    } else if (s->token.kind == CONFIG_TOKEN_NUMBER) {
        number = config_number(&s->token);
        if (check_number(s, number))
            kind = kind_of_number(number);
    } else if (is_truth(&s->token)) {
        kind = VALUE_TRUTH;
    } else if (s->token.kind == CONFIG_TOKEN_NAME) {
        bare_word(s);
    }
    if (kind != VALUE_NONE)
        advance(s);
    return kind;
}

static bool is_scalar(const struct syntax *s)
{
    return s->token.kind != CONFIG_TOKEN_MARK && s->token.kind != CONFIG_TOKEN_END;
}

static bool value(struct syntax *s, const struct config_token *key);

static bool array_entry(struct syntax *s, enum value_kind *first)
{
    unsigned line = s->token.line;
    enum value_kind kind;

    if (at_mark(s, '{') || at_mark(s, '(') || at_mark(s, '['))
        return slip(s, line,
                    "[ ] holds only numbers, texts or truth values; a list of groups stands in "
                    "round brackets: " LIST_FORM);
    if (!is_scalar(s))
        return slip(s, line, "an entry of [ ] is missing before %c", *s->token.start);
    kind = scalar(s);
    if (kind == VALUE_NONE)
        return false;
    if (*first != VALUE_NONE && kind != *first)
        return slip(s, line,
                    "the entries of [ ] are all of one kind; put ones of different kinds into ( )");
    *first = kind;
    return true;
}

// Reads what follows an entry of a list or an array: a comma and the next entry, or the end.
// `*more` says which.
static bool after_entry(struct syntax *s, char open, unsigned line, bool *more)
{
    const struct config_token *token = &s->token;

    *more = false;
    if (at_mark(s, closing_of(open)))
        return true;
    if (at_mark(s, ',')) {
        advance(s);
        if (at_closing(s))
            return slip(s, s->last_line, "there is a comma too many before %c; remove it",
                        *token->start);
        if (at_mark(s, ','))
            return slip(s, token->line, "there is a comma too many; remove it");
        *more = true;
        return true;
    }
    if (token->kind == CONFIG_TOKEN_END || at_closing(s))
        return wrong_end(s, open, line);
    if (!is_sound(s))
        return false;
    if (at_mark(s, ';'))
        return slip(s, token->line, "a comma, not a ;, stands between the entries of a list");
    if (at_mark(s, '=') || at_mark(s, ':'))
        return slip(s, token->line,
                    "the entries of a list have no keys; keys stand in a group: { name = ...; }");
    return slip(s, s->last_line, "a comma is missing between this entry and the next");
}

// Reads a list or an array, from its opening bracket on.
static bool entries(struct syntax *s, char open)
{
    unsigned line = s->token.line;
    enum value_kind kind = VALUE_NONE;
    bool more;

    advance(s);
    if (at_mark(s, ','))
        return slip(s, s->token.line, "there is a comma too many; remove it");
    for (more = !at_mark(s, closing_of(open)); more;) {
        if (s->token.kind == CONFIG_TOKEN_END || at_closing(s))
            return wrong_end(s, open, line);
        if (open == '[' ? !array_entry(s, &kind) : !value(s, NULL))
            return false;
        if (!after_entry(s, open, line, &more))
            return false;
    }
    advance(s);
    return true;
}

static bool settings(struct syntax *s, unsigned line, bool is_group);

static bool bracketed(struct syntax *s)
{
    unsigned line = s->token.line;
    bool good;

    if (s->depth == CONFIG_MAX_DEPTH)
        return slip(s, line, "more than %d brackets stand in one another", CONFIG_MAX_DEPTH);
    s->depth++;
    if (at_mark(s, '{')) {
        advance(s);
        good = settings(s, line, true);
    } else {
        good = entries(s, *s->token.start);
    }
    s->depth--;
    return good;
}

// Reports what is there instead of the value of `key`, or instead of an entry of a list (NULL).
static bool no_value(struct syntax *s, const struct config_token *key)
{
    unsigned line = s->token.kind == CONFIG_TOKEN_END ? s->last_line : s->token.line;

    if (at_mark(s, '='))
        return slip(s, line, "there is an = too many; one stands between key and value");
    if (key == NULL)
        return slip(s, line, "an entry is missing before %c", *s->token.start);
    return slip(s, s->last_line, "there is no value after %.*s =", shown(key->length), key->start);
}

static bool value(struct syntax *s, const struct config_token *key)
{
    bool is_text = s->token.kind == CONFIG_TOKEN_TEXT;

    if (at_mark(s, '{') || at_mark(s, '(') || at_mark(s, '['))
        return bracketed(s);
    if (!is_scalar(s))
        return no_value(s, key);
    if (scalar(s) == VALUE_NONE)
        return false;
    // Adjacent texts are joined. In a list a forgotten comma is more likely.
    while (is_text && key != NULL && s->token.kind == CONFIG_TOKEN_TEXT)
        advance(s);
    return true;
}

// ---- keys -------------------------------------------------------------------------------------

static bool remember_key(struct syntax *s, const struct config_token *key, size_t first)
{
    for (size_t i = first; i < s->key_count; i++) {
        if (s->keys[i].length == key->length &&
            strncmp(s->keys[i].start, key->start, key->length) == 0)
            return slip(s, key->line,
                        "duplicate key %.*s: its group has one already; leave one out",
                        shown(key->length), key->start);
    }
    if (s->key_count == s->key_room) {
        s->key_room = 2 * s->key_room + 16;
        s->keys = realloc(s->keys, s->key_room * sizeof(*s->keys));
        if (s->keys == NULL) {
            fputs("bulkhead-config: out of memory\n", stderr);
            exit(1);
        }
    }
    s->keys[s->key_count++] = *key;
    return true;
}

// Reports what is there instead of a key. `after_end`: it follows the ; or , of the previous
// setting.
static bool no_key(struct syntax *s, bool after_end)
{
    const struct config_token *token = &s->token;

    if (!is_sound(s))
        return false;
    if (after_end && (at_mark(s, ';') || at_mark(s, ',')))
        return slip(s, token->line, "there is a %c too many; remove it", *token->start);
    if (token->kind == CONFIG_TOKEN_TEXT)
        return slip(s, token->line, "a key has no quotes: %.*s = ...; not %.*s",
                    shown(token->length - 2), token->start + 1, shown(token->length), token->start);
    if (token->kind == CONFIG_TOKEN_NUMBER)
        return slip(s, token->line, "a key begins with a letter, not as %.*s does",
                    shown(token->length), token->start);
    if (at_mark(s, '{') || at_mark(s, '(') || at_mark(s, '['))
        return slip(s, token->line,
                    "a key must stand before this %c, as in partitions = " LIST_FORM ";",
                    *token->start);
    if (at_closing(s))
        return slip(s, token->line, "no bracket is open that this %c closes; remove it",
                    *token->start);
    return slip(s, token->line, "a key must stand before this %c, as in cpus = 2;", *token->start);
}

// Reports what follows a key instead of the =. `behind_value`: the key itself directly follows a
// value.
static bool no_equals(struct syntax *s, const struct config_token *key, bool behind_value)
{
    const struct config_token *token = &s->token;
    int length = shown(key->length);

    if (behind_value)
        return slip(s, key->line,
                    "%.*s stands behind a value; put all of the value in quotes, or look for a "
                    "quote that is missing before",
                    length, key->start);
    if (is_truth(key) && token->line != key->line)
        return slip(s, key->line, "a key must stand before %.*s, as in hpet = true;", length,
                    key->start);
    if (token->kind == CONFIG_TOKEN_OTHER && *token->start == '.')
        return slip(
            s, token->line,
            "a key has letters, digits, - and _ only; %.*s... needs quotes if it is a value",
            length, key->start);
    if (token->kind == CONFIG_TOKEN_OTHER && *token->start == '+')
        return slip(s, token->line, "there is no +=; write %.*s = with all of its value", length,
                    key->start);
    if (!is_sound(s))
        return false;
    if (config_token_is_word(key, "include"))
        return slip(s, key->line, "an include is written @include \"FILE\", on a line of its own");
    return slip(s, key->line, "there is no = after %.*s; write %.*s = VALUE;", length, key->start,
                length, key->start);
}

static bool setting(struct syntax *s, size_t first_key, bool ended)
{
    struct config_token key = s->token;
    bool behind_value = !ended && s->last_line == key.line;

    advance(s);
    if (!at_mark(s, '=') && !at_mark(s, ':'))
        return no_equals(s, &key, behind_value);
    if (!remember_key(s, &key, first_key))
        return false;
    advance(s);
    return value(s, &key);
}

// Reads the settings of a group, including its }, or those at the top level. The ; after a setting
// is optional, and may be a comma.
static bool settings(struct syntax *s, unsigned line, bool is_group)
{
    size_t first_key = s->key_count;
    bool first = true;
    bool ended = false; // ended by a ; or ,

    for (;; first = false) {
        if (s->token.kind == CONFIG_TOKEN_NAME) {
            if (!setting(s, first_key, first || ended))
                return false;
            ended = at_mark(s, ';') || at_mark(s, ',');
            if (ended)
                advance(s);
        } else if (is_group && (at_mark(s, '}'))) {
            break;
        } else if (s->token.kind == CONFIG_TOKEN_END && !is_group) {
            return true;
        } else if (is_group && (s->token.kind == CONFIG_TOKEN_END || at_closing(s))) {
            return wrong_end(s, '{', line);
        } else {
            return no_key(s, ended);
        }
    }
    s->key_count = first_key;
    advance(s);
    return true;
}

bool config_syntax_check(const char *text, config_slip_fn *report, void *context)
{
    struct syntax s = {
        .scanner = config_scanner_at(text), .report = report, .context = context, .good = true};

    advance(&s);
    settings(&s, 1, false);
    free(s.keys);
    return s.good;
}
