// SPDX-License-Identifier: Apache-2.0
// The terminal's modes of drivers/console/screen.h. The numbers are those of xterm's control
// sequences, "DEC Private Mode Set".
#include "drivers/console/screen.h"

#include "arch/lib/format.h"
#include "arch/lib/types.h"

enum mode_kind {
    MODE_OFF,       // off in a terminal's initial state
    MODE_ON,        // on in a terminal's initial state
    MODE_ALTERNATE, // off; on selects another screen; leaving it restores the first one
};

static const struct {
    uint16_t number;
    uint8_t kind;
} modes[] = {
    {1, MODE_OFF},          // cursor keys send ESC O
    {5, MODE_OFF},          // reverse video
    {6, MODE_OFF},          // origin
    {7, MODE_ON},           // lines wrap
    {9, MODE_OFF},          // mouse
    {25, MODE_ON},          // cursor
    {47, MODE_ALTERNATE},   //
    {1000, MODE_OFF},       // mouse, and the modes below it
    {1002, MODE_OFF},       //
    {1003, MODE_OFF},       //
    {1004, MODE_OFF},       // focus
    {1005, MODE_OFF},       // coordinates of the mouse
    {1006, MODE_OFF},       //
    {1015, MODE_OFF},       //
    {1047, MODE_ALTERNATE}, //
    {1049, MODE_ALTERNATE}, //
    {2004, MODE_OFF},       // pasted text is marked
};

#define KEYPAD ARRAY_SIZE(modes) // ESC =, stored as one more mode

_Static_assert(KEYPAD < 32, "a bit for each");

static void set_mode(struct console_screen *s, unsigned number, bool on)
{
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        if (modes[i].number != number)
            continue;
        if (on == (modes[i].kind == MODE_ON))
            s->modes &= ~(1u << i);
        else
            s->modes |= 1u << i;
        if (modes[i].kind == MODE_ALTERNATE)
            s->drawn = on;
    }
}

static bool on_other_screen(const struct console_screen *s)
{
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        if (modes[i].kind == MODE_ALTERNATE && (s->modes & 1u << i) != 0)
            return true;
    }
    return false;
}

// ESC [ ? n ; n ... h or l
static void set_modes(struct console_screen *s, const struct console_filter *f, bool on)
{
    unsigned number = 0;

    for (unsigned i = 3; i < f->length; i++) {
        uint8_t byte = f->piece[i];

        if (byte >= '0' && byte <= '9') {
            number = (unsigned)min_u64(number * 10u + byte - '0', UINT16_MAX);
            continue;
        }
        set_mode(s, number, on);
        number = 0;
    }
}

static void start_over(struct console_screen *s)
{
    s->modes = 0;
    s->drawn = false;
}

static void draws(struct console_screen *s)
{
    s->drawn = true;
    s->lines = 0;
}

static void control(struct console_screen *s, const struct console_filter *f)
{
    uint8_t final = f->piece[f->length - 1];

    if (f->piece[2] == '?' && (final == 'h' || final == 'l')) {
        set_modes(s, f, final == 'h');
        return;
    }
    switch (final) {
    case 'H': // move the cursor to another place
    case 'f':
    case 'd':
    case 'E':
    case 'F':
    case 'L': // insert or delete lines, or scroll a part of the screen
    case 'M':
    case 'S':
    case 'T':
    case 'r':
        draws(s);
        break;
    default:
        break;
    }
}

static void sequence(struct console_screen *s, const struct console_filter *f)
{
    if (f->length < 2 || f->piece[0] != 0x1b)
        return;
    switch (f->piece[1]) {
    case '[':
        control(s, f);
        break;
    case 'c':
        start_over(s);
        break;
    case '=':
        s->modes |= 1u << KEYPAD;
        break;
    case '>':
        s->modes &= ~(1u << KEYPAD);
        break;
    default:
        break;
    }
}

void console_screen_piece(struct console_screen *s, enum console_piece_kind kind,
                          const struct console_filter *f)
{
    if (kind == CONSOLE_PIECE_TEXT && f->piece[f->length - 1] == '\n') {
        if (s->lines < CONSOLE_SCREEN_LINES)
            s->lines++;
        if (s->lines == CONSOLE_SCREEN_LINES && !on_other_screen(s))
            s->drawn = false;
    }
    if (kind < CONSOLE_PIECE_SCREEN)
        return;
    s->touched = true;
    if (kind == CONSOLE_PIECE_SCREEN)
        sequence(s, f);
}

size_t console_screen_undo(const struct console_screen *s, char text[CONSOLE_SCREEN_TEXT])
{
    // CAN and ST end a sequence that may have been begun. Then: soft reset, replace mode, numeric
    // keypad, first character set. At the end: the whole screen scrolls, no attributes.
    size_t used = format(text, CONSOLE_SCREEN_TEXT, "\x18\x1b\\\x1b[!p\x1b[4l\x1b>\x1b(B\x0f");

    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        // Leaving a screen that was not entered would move the cursor.
        if (modes[i].kind != MODE_ALTERNATE || (s->modes & 1u << i) != 0)
            used += format(text + used, CONSOLE_SCREEN_TEXT - used, "\x1b[?%u%c", modes[i].number,
                           modes[i].kind == MODE_ON ? 'h' : 'l');
    }
    used += format(text + used, CONSOLE_SCREEN_TEXT - used, "\x1b[r\x1b[m\x1b[999;1H");
    return used;
}

size_t console_screen_redo(const struct console_screen *s, char text[CONSOLE_SCREEN_TEXT])
{
    size_t used = format(text, CONSOLE_SCREEN_TEXT, "\x1b[m\x1b[H\x1b[2J");

    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        if ((s->modes & 1u << i) != 0)
            used += format(text + used, CONSOLE_SCREEN_TEXT - used, "\x1b[?%u%c", modes[i].number,
                           modes[i].kind == MODE_ON ? 'l' : 'h');
    }
    if ((s->modes & 1u << KEYPAD) != 0)
        used += format(text + used, CONSOLE_SCREEN_TEXT - used, "\x1b=");
    return used;
}
