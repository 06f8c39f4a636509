// SPDX-License-Identifier: Apache-2.0
// The screen of drivers/console/framebuffer.h. A panic may interrupt any function here, so indices
// are valid at every moment.
#include "drivers/console/framebuffer.h"

#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "font.h"

#define FOREGROUND  0xb0u // for each colour
#define SCROLL_PART 4u
#define TAB         8u
#define ESCAPE      0x1b
#define BEL         0x07
#define BLANK       0 // index of the space in `font`
#define OTHER       (FONT_LAST + 1 - FONT_FIRST)

enum sequence {
    SEQUENCE_NONE,
    SEQUENCE_ESCAPE,  // ESC came
    SEQUENCE_CONTROL, // ESC [ came; ends with a byte from 0x40 on (ECMA-48, 5.4)
    SEQUENCE_STRING,  // a title or similar; ends with BEL or the next ESC (ECMA-48, 5.6)
};

// The part of a row that may differ from what was drawn.
struct stale {
    uint8_t from, to; // columns, `to` exclusive; empty unless from < to
};

static struct {
    uint8_t *pixels; // write-combining memory
    uint32_t pitch;
    uint32_t ink;
    uint32_t pairs[4][2]; // the pixels of two dots
    unsigned scale;       // pixels per dot of a glyph, in both directions
    unsigned columns, rows;
    unsigned column, row; // of the cursor; `column` may equal `columns`: the next character wraps
    enum sequence sequence;
    bool moved; // a sequence moved the cursor: the next characters don't belong to this row
    bool drawing;
    uint8_t *wanted; // indices in `font`, row by row
    uint8_t *drawn;
    struct stale stale[FRAMEBUFFER_MAX_ROWS];
} fb;

_Static_assert(FRAMEBUFFER_MAX_COLUMNS <= UINT8_MAX, "columns fit into struct stale");
_Static_assert(ARRAY_SIZE(font) == OTHER + 1, "ASCII and one more");

// ---- geometry --------------------------------------------------------------------------------

// The smallest scale at which columns and rows fit into their limits.
static unsigned scale_of(const struct boot_framebuffer *screen)
{
    unsigned scale = 1;

    while (screen->width / (FRAMEBUFFER_GLYPH_WIDTH * scale) > FRAMEBUFFER_MAX_COLUMNS ||
           screen->height / (FRAMEBUFFER_GLYPH_HEIGHT * scale) > FRAMEBUFFER_MAX_ROWS)
        scale++;
    return scale;
}

static unsigned columns_of(const struct boot_framebuffer *screen)
{
    return screen->width / (FRAMEBUFFER_GLYPH_WIDTH * scale_of(screen));
}

static unsigned rows_of(const struct boot_framebuffer *screen)
{
    return screen->height / (FRAMEBUFFER_GLYPH_HEIGHT * scale_of(screen));
}

size_t framebuffer_memory(const struct boot_framebuffer *screen)
{
    return (size_t)2 * columns_of(screen) * rows_of(screen);
}

void framebuffer_init(const struct boot_framebuffer *screen, void *pixels, void *memory)
{
    memset(&fb, 0, sizeof(fb));
    fb.pixels = pixels;
    fb.pitch = screen->pitch;
    fb.ink = FOREGROUND << screen->red_shift | FOREGROUND << screen->green_shift |
             FOREGROUND << screen->blue_shift;
    for (unsigned i = 0; i < ARRAY_SIZE(fb.pairs); i++) {
        fb.pairs[i][0] = (i & 2) != 0 ? fb.ink : 0;
        fb.pairs[i][1] = (i & 1) != 0 ? fb.ink : 0;
    }
    fb.scale = scale_of(screen);
    fb.columns = columns_of(screen);
    fb.rows = rows_of(screen);
    fb.wanted = memory;
    fb.drawn = fb.wanted + fb.columns * fb.rows;
    for (uint32_t y = 0; y < screen->height; y++)
        memset(fb.pixels + (size_t)y * fb.pitch, 0, (size_t)screen->width * sizeof(uint32_t));
}

// ---- characters ------------------------------------------------------------------------------

static void touch(unsigned row, unsigned from, unsigned to)
{
    struct stale *s = &fb.stale[row];
    bool empty = s->from >= s->to;

    s->from = (uint8_t)(empty ? from : min_u64(s->from, from));
    s->to = (uint8_t)(empty ? to : max_u64(s->to, to));
}

static void scroll(void)
{
    unsigned step = (unsigned)max_u64(fb.rows / SCROLL_PART, 1);
    size_t moved = (size_t)fb.columns * (fb.rows - step);

    fb.row = fb.rows - 1 - step;
    memmove(fb.wanted, fb.wanted + (size_t)fb.columns * step, moved);
    memset(fb.wanted + moved, BLANK, (size_t)fb.columns * step);
    for (unsigned row = 0; row < fb.rows; row++)
        touch(row, 0, fb.columns);
}

static void next_row(void)
{
    fb.moved = false;
    if (fb.row + 1 >= fb.rows)
        scroll();
    fb.row = (unsigned)min_u64(fb.row + 1, fb.rows - 1);
}

static void put_glyph(uint8_t glyph)
{
    if (fb.moved && fb.column > 0)
        fb.column = fb.columns;
    fb.moved = false;
    if (fb.column >= fb.columns) {
        fb.column = 0;
        next_row();
    }
    fb.wanted[fb.row * fb.columns + fb.column] = glyph;
    touch(fb.row, fb.column, fb.column + 1);
    fb.column++;
}

// The state after ESC and this byte; an intermediate byte keeps the state.
static enum sequence after_escape(uint8_t byte)
{
    if (byte == '[')
        return SEQUENCE_CONTROL;
    if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
        return SEQUENCE_STRING;
    return byte < '0' ? SEQUENCE_ESCAPE : SEQUENCE_NONE;
}

// Returns whether the byte belongs to a terminal sequence.
static bool in_sequence(uint8_t byte)
{
    if (byte == ESCAPE) {
        fb.sequence = SEQUENCE_ESCAPE;
        return true;
    }
    if (fb.sequence == SEQUENCE_NONE)
        return false;
    if (byte < ' ') { // a control character ends the sequence; BEL ends a string
        bool ends_string = fb.sequence == SEQUENCE_STRING && byte == BEL;

        fb.sequence = SEQUENCE_NONE;
        return ends_string;
    }
    switch (fb.sequence) {
    case SEQUENCE_ESCAPE:
        fb.sequence = after_escape(byte);
        break;
    case SEQUENCE_CONTROL:
        // The screen is only written row by row, so a movement of the cursor starts a new row.
        fb.moved |= byte == 'H' || byte == 'f' || byte == 'd' || byte == 'E' || byte == 'F';
        if (byte >= '@')
            fb.sequence = SEQUENCE_NONE;
        break;
    default: // in a string
        break;
    }
    return true;
}

void framebuffer_put(uint8_t byte)
{
    if (in_sequence(byte))
        return;
    if (byte == '\r')
        fb.column = 0;
    else if (byte == '\n')
        next_row();
    else if (byte == '\b')
        fb.column -= fb.column > 0;
    else if (byte == '\t')
        fb.column = (unsigned)min_u64(align_up(fb.column + 1, TAB), fb.columns);
    else if (byte >= FONT_FIRST && byte <= FONT_LAST)
        put_glyph((uint8_t)(byte - FONT_FIRST));
    else if (byte >= 0xc0) // starts a UTF-8 character; its other bytes are below 0xc0
        put_glyph(OTHER);
}

// ---- pixels ----------------------------------------------------------------------------------

// Draws one line of a glyph's dots; bit 7 is the leftmost.
static void draw_line(uint8_t *line, unsigned dots, unsigned scale, uint32_t ink)
{
    uint32_t *pixel = (uint32_t *)line;

    for (unsigned bit = 0x80; bit != 0; bit >>= 1) {
        uint32_t colour = (dots & bit) != 0 ? ink : 0;

        for (unsigned x = 0; x < scale; x++)
            *pixel++ = colour;
    }
}

// The same for one pixel per dot, two dots at a time.
static void draw_pairs(uint8_t *line, unsigned dots)
{
    __builtin_memcpy(line, fb.pairs[dots >> 6], 8);
    __builtin_memcpy(line + 8, fb.pairs[dots >> 4 & 3], 8);
    __builtin_memcpy(line + 16, fb.pairs[dots >> 2 & 3], 8);
    __builtin_memcpy(line + 24, fb.pairs[dots & 3], 8);
}

static void draw(unsigned row, unsigned column, const uint8_t *glyph)
{
    unsigned scale = fb.scale;
    uint32_t pitch = fb.pitch;
    size_t y = (size_t)row * FRAMEBUFFER_GLYPH_HEIGHT * scale;
    size_t x = (size_t)column * FRAMEBUFFER_GLYPH_WIDTH * scale;
    uint8_t *line = fb.pixels + y * pitch + x * sizeof(uint32_t);

    for (unsigned dots = 0; dots < FRAMEBUFFER_GLYPH_HEIGHT; dots++) {
        if (scale == 1) {
            draw_pairs(line, glyph[dots]);
            line += pitch;
            continue;
        }
        for (unsigned i = 0; i < scale; i++, line += pitch)
            draw_line(line, glyph[dots], scale, fb.ink);
    }
}

static unsigned show_row(unsigned row, unsigned most)
{
    struct stale part = fb.stale[row];
    const uint8_t *wanted = fb.wanted + row * fb.columns;
    uint8_t *drawn = fb.drawn + row * fb.columns;
    unsigned count = 0;

    for (; part.from < part.to && count < most; part.from++) {
        uint8_t glyph = wanted[part.from];

        if (glyph == drawn[part.from])
            continue;
        drawn[part.from] = glyph;
        draw(row, part.from, font[glyph]);
        count++;
    }
    fb.stale[row] = part;
    return count;
}

unsigned framebuffer_show(unsigned most)
{
    unsigned count = 0;

    // A fault in this function ends in a panic, whose messages must not fault again.
    if (fb.drawing)
        return 0;
    fb.drawing = true;
    for (unsigned row = 0; row < fb.rows && count < most; row++)
        count += show_row(row, most - count);
    fb.drawing = false;
    return count;
}

void framebuffer_break(void)
{
    fb.drawing = false;
}
