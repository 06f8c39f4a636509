// SPDX-License-Identifier: Apache-2.0
// The pieces of drivers/console/filter.h.
#include "drivers/console/filter.h"

#include "arch/lib/string.h"
#include "arch/lib/types.h"

#define ENQ    0x05
#define BEL    0x07
#define BS     0x08
#define TAB    0x09
#define LF     0x0a
#define SI     0x0f
#define CR     0x0d
#define CAN    0x18
#define SUB    0x1a
#define ESCAPE 0x1b
#define DELETE 0x7f

#define MOST 9999 // no screen has more columns

static bool is_one_of(uint8_t byte, const char *bytes)
{
    for (; *bytes != '\0'; bytes++) {
        if (byte == (uint8_t)*bytes)
            return true;
    }
    return false;
}

static void hold(struct console_filter *f, uint8_t byte)
{
    if (f->count < CONSOLE_FILTER_SIZE)
        f->held[f->count] = byte;
    if (f->count <= CONSOLE_FILTER_SIZE)
        f->count++;
}

static enum console_piece_kind single(struct console_filter *f, uint8_t byte,
                                      enum console_piece_kind kind)
{
    f->piece[0] = byte;
    f->length = 1;
    return kind;
}

// Completes a piece from the held bytes.
static enum console_piece_kind complete(struct console_filter *f, enum console_piece_kind kind)
{
    bool fits = f->count <= CONSOLE_FILTER_SIZE;

    f->state = CONSOLE_FILTER_TEXT;
    f->length = fits ? f->count : 0;
    memcpy(f->piece, f->held, f->length);
    return fits ? kind : CONSOLE_PIECE_OTHER;
}

// ---- sequences -------------------------------------------------------------------------------

// A control sequence: ESC [, parameters (0x30 to 0x3f), intermediate bytes (0x20 to 0x2f), a final
// byte (ECMA-48, 5.4).
static enum console_piece_kind control_kind(const uint8_t *params, unsigned count, uint8_t final)
{
    bool private = count > 0 && params[0] >= '<';

    if (final == 'n' || final == 'c')
        return CONSOLE_PIECE_QUESTION; // DSR and DA: 8.3.35 and 8.3.24
    for (unsigned i = 0; i < count; i++) {
        if (params[i] < '0')
            return CONSOLE_PIECE_OTHER;
    }
    if (private)
        return params[0] == '?' && is_one_of(final, "hlJK") ? CONSOLE_PIECE_SCREEN
                                                            : CONSOLE_PIECE_OTHER;
    switch (final) {
    case 'm':
        return CONSOLE_PIECE_COLOUR;
    case 'C':
        return CONSOLE_PIECE_RIGHT;
    case 'D':
        return CONSOLE_PIECE_LEFT;
    case 'J': // erase to the end of the screen or line; other parameters: to the beginning, or all
    case 'K':
        return count == 0 || (count == 1 && params[0] == '0') ? CONSOLE_PIECE_EDIT
                                                              : CONSOLE_PIECE_SCREEN;
    case 'P': // delete, insert, erase characters from the cursor on
    case '@':
    case 'X':
        return CONSOLE_PIECE_EDIT;
    default:
        return is_one_of(final, "ABEFGHILMSTZ`abdefghlrsu") ? CONSOLE_PIECE_SCREEN
                                                            : CONSOLE_PIECE_OTHER;
    }
}

// ESC, intermediate bytes, a final byte (ECMA-48, 5.3 and ECMA-35).
static enum console_piece_kind escape_kind(const uint8_t *bytes, unsigned count)
{
    uint8_t first = bytes[0];

    if (count == 1 && first == 'Z') // DECID
        return CONSOLE_PIECE_QUESTION;
    if (count == 1)
        return is_one_of(first, "78=>DEHMNOc") ? CONSOLE_PIECE_SCREEN : CONSOLE_PIECE_OTHER;
    return is_one_of(first, "()*+#") ? CONSOLE_PIECE_SCREEN : CONSOLE_PIECE_OTHER;
}

static enum console_piece_kind in_escape(struct console_filter *f, uint8_t byte)
{
    hold(f, byte);
    if (f->count == 2 && byte == '[') {
        f->state = CONSOLE_FILTER_CONTROL;
        return CONSOLE_PIECE_NONE;
    }
    if (f->count == 2 && is_one_of(byte, "]PX^_")) { // OSC, DCS, SOS, PM, APC
        f->state = CONSOLE_FILTER_STRING;
        return CONSOLE_PIECE_NONE;
    }
    if (byte < '0')
        return CONSOLE_PIECE_NONE;
    return complete(f, escape_kind(f->held + 1, f->count - 1u));
}

static enum console_piece_kind in_control(struct console_filter *f, uint8_t byte)
{
    hold(f, byte);
    if (byte < '@')
        return CONSOLE_PIECE_NONE;
    // A sequence that is too long has no known kind.
    if (f->count > CONSOLE_FILTER_SIZE)
        return complete(f, CONSOLE_PIECE_OTHER);
    return complete(f, control_kind(f->held + 2, f->count - 3u, byte));
}

// ---- characters ------------------------------------------------------------------------------

static enum console_piece_kind control_character(struct console_filter *f, uint8_t byte)
{
    switch (byte) {
    case TAB:
    case LF:
    case CR:
        return single(f, byte, CONSOLE_PIECE_TEXT);
    case BS:
        return single(f, byte, CONSOLE_PIECE_BACK);
    case BEL:
        return single(f, byte, CONSOLE_PIECE_EDIT);
    case ENQ:
        return single(f, byte, CONSOLE_PIECE_QUESTION);
    default: // VT, FF, SO, SI: move the cursor, or choose a character set
        return single(f, byte,
                      byte > LF && byte <= SI ? CONSOLE_PIECE_SCREEN : CONSOLE_PIECE_OTHER);
    }
}

// How many bytes follow the first byte of a UTF-8 character (RFC 3629, 4); 0: no character starts
// with it.
static uint8_t following(uint8_t byte)
{
    if (byte >= 0xc2 && byte <= 0xdf)
        return 1;
    if (byte >= 0xe0 && byte <= 0xef)
        return 2;
    return byte >= 0xf0 && byte <= 0xf4 ? 3 : 0;
}

static enum console_piece_kind in_text(struct console_filter *f, uint8_t byte)
{
    if (byte == ESCAPE) {
        f->state = CONSOLE_FILTER_ESCAPE;
        f->count = 0;
        hold(f, byte);
        return CONSOLE_PIECE_NONE;
    }
    if (byte < ' ' || byte == DELETE)
        return control_character(f, byte);
    if (byte < DELETE)
        return single(f, byte, CONSOLE_PIECE_TEXT);
    f->needed = following(byte);
    if (f->needed == 0)
        return single(f, '?', CONSOLE_PIECE_TEXT);
    f->state = CONSOLE_FILTER_CHARACTER;
    f->count = 0;
    hold(f, byte);
    return CONSOLE_PIECE_NONE;
}

// U+0080 to U+009F are the 8-bit control characters. One of them is CSI, which xterm obeys.
static bool is_control(const struct console_filter *f)
{
    return f->held[0] == 0xc2 && f->held[1] < 0xa0;
}

static enum console_piece_kind in_character(struct console_filter *f, uint8_t byte)
{
    enum console_piece_kind kind;

    if ((byte & 0xc0) == 0x80) {
        hold(f, byte);
        if (--f->needed > 0)
            return CONSOLE_PIECE_NONE;
        kind = complete(f, CONSOLE_PIECE_TEXT);
        return is_control(f) ? single(f, '?', CONSOLE_PIECE_TEXT) : kind;
    }
    // An incomplete character: a question mark, then the piece that this byte makes.
    f->state = CONSOLE_FILTER_TEXT;
    kind = in_text(f, byte);
    if (kind == CONSOLE_PIECE_TEXT) {
        f->piece[1] = f->piece[0];
        f->piece[0] = '?';
        f->length = 2;
        return kind;
    }
    return single(f, '?', CONSOLE_PIECE_TEXT);
}

static enum console_piece_kind in_string(struct console_filter *f, uint8_t byte)
{
    if (byte == BEL) {
        f->count = 0;
        return complete(f, CONSOLE_PIECE_OTHER);
    }
    return CONSOLE_PIECE_NONE;
}

enum console_piece_kind console_filter_byte(struct console_filter *f, uint8_t byte)
{
    if (f->state == CONSOLE_FILTER_TEXT)
        return in_text(f, byte);
    if (f->state == CONSOLE_FILTER_CHARACTER)
        return in_character(f, byte);
    // ESC starts a new sequence (ESC \ ends a string that way); CAN and SUB abort one. The end of a
    // line also aborts it: a partition that does not end its title would otherwise never be seen
    // again.
    if (byte == ESCAPE || byte == CAN || byte == SUB || byte == CR || byte == LF) {
        f->state = CONSOLE_FILTER_TEXT;
        return in_text(f, byte);
    }
    if (f->state == CONSOLE_FILTER_STRING)
        return in_string(f, byte);
    if (byte < ' ' || byte >= DELETE) {
        f->state = CONSOLE_FILTER_TEXT;
        return in_text(f, byte);
    }
    return f->state == CONSOLE_FILTER_ESCAPE ? in_escape(f, byte) : in_control(f, byte);
}

bool console_filter_in_sequence(const struct console_filter *f)
{
    return f->state >= CONSOLE_FILTER_ESCAPE;
}

unsigned console_filter_number(const struct console_filter *f, unsigned absent)
{
    unsigned number = 0;

    if (f->length <= 3)
        return absent;
    for (unsigned i = 2; i + 1 < f->length && f->piece[i] >= '0' && f->piece[i] <= '9'; i++)
        number = (unsigned)min_u64(number * 10u + f->piece[i] - '0', MOST);
    return number;
}
