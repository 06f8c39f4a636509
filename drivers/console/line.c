// SPDX-License-Identifier: Apache-2.0
// The line discipline of drivers/console/line.h. An unfinished line that was interrupted is shown
// again from its prefix on, so each line of up to CONSOLE_LINE_KEPT bytes is seen in one piece.
#include "drivers/console/line.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"

#define NO_COLOUR "\x1b[m"
#define CAN       0x18 // aborts a sequence that was begun

// The most output that one byte can cause: line break, prefix, colours, kept line; colours off, CR,
// prefix and colours; the piece, line end.
#define WORST_CASE                                                                                 \
    (6 + 2 * (CONSOLE_NAME_SIZE + 3 + CONSOLE_FILTER_SIZE) + CONSOLE_LINE_KEPT + 4 +               \
     CONSOLE_FILTER_SIZE + 2)

_Static_assert((CONSOLE_LINE_OUT & (CONSOLE_LINE_OUT - 1)) == 0, "indices are masked");
_Static_assert(CONSOLE_LINE_OUT >= 2 * WORST_CASE, "one byte's output fits well");
_Static_assert(CONSOLE_LINE_OUT >= 2 * CONSOLE_SCREEN_TEXT + 8, "so does a change of the view");

static void emit(struct console_lines *lines, uint8_t byte)
{
    lines->out[lines->head % CONSOLE_LINE_OUT] = byte;
    lines->head++;
}

static void emit_many(struct console_lines *lines, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        emit(lines, bytes[i]);
}

static void emit_text(struct console_lines *lines, const char *text)
{
    while (*text != '\0')
        emit(lines, (uint8_t)*text++);
}

void console_lines_init(struct console_lines *lines)
{
    memset(lines, 0, sizeof(*lines));
    lines->on_screen = CONSOLE_LINE_NONE;
    lines->alone = CONSOLE_LINE_NONE;
}

void console_lines_name(struct console_lines *lines, unsigned source, const char *name)
{
    struct console_line *line = &lines->line[source];
    uint8_t n = 0;

    line->prefix[n++] = '[';
    for (unsigned i = 0; i < CONSOLE_NAME_SIZE - 1 && name[i] != '\0'; i++)
        line->prefix[n++] = (uint8_t)(name[i] >= ' ' && name[i] <= '~' ? name[i] : '?');
    line->prefix[n++] = ']';
    line->prefix[n++] = ' ';
    line->prefix_length = n;
}

bool console_lines_ready(const struct console_lines *lines)
{
    return CONSOLE_LINE_OUT - (lines->head - lines->tail) >= WORST_CASE;
}

void console_lines_break(struct console_lines *lines)
{
    if (lines->on_screen == CONSOLE_LINE_NONE)
        return;
    struct console_line *line = &lines->line[lines->on_screen];
    bool alone = lines->on_screen == lines->alone;

    if (alone && console_filter_in_sequence(&line->filter) && !line->withheld) {
        emit(lines, CAN);
        line->filter = (struct console_filter){0};
    }
    if (line->colour.length > 0)
        emit_text(lines, NO_COLOUR);
    emit(lines, '\r');
    if (!alone || !line->at_start)
        emit(lines, '\n');
    lines->on_screen = CONSOLE_LINE_NONE;
}

// Puts the cursor at the end of the source's own line.
static void bring(struct console_lines *lines, unsigned source)
{
    struct console_line *line = &lines->line[source];

    if (lines->on_screen == source)
        return;
    console_lines_break(lines);
    if (lines->alone != source)
        emit_many(lines, line->prefix, line->prefix_length);
    emit_many(lines, line->before.bytes, line->before.length);
    if (!line->too_long)
        emit_many(lines, line->kept, line->kept_length);
    else
        line->column = line->widest = 0;
    lines->on_screen = source;
}

// Drops what was kept of a line that ended or starts over.
static void forget(struct console_line *line)
{
    line->cr = false;
    line->too_long = false;
    line->kept_length = 0;
    line->column = line->widest = 0;
    line->before = line->colour;
}

static void keep(struct console_line *line, const uint8_t *bytes, unsigned count)
{
    if (line->too_long || line->kept_length + count > CONSOLE_LINE_KEPT) {
        line->too_long = true;
        return;
    }
    memcpy(line->kept + line->kept_length, bytes, count);
    line->kept_length = (uint16_t)(line->kept_length + count);
}

// ---- colours and columns ---------------------------------------------------------------------

// Colours accumulate until ESC [ m, or a sequence whose parameters begin with 0, resets them
// (ECMA-48, 8.3.117).
static void remember_colour(struct console_line *line)
{
    const struct console_filter *f = &line->filter;
    struct console_colour *colour = &line->colour;
    bool starts_over = f->length == 3 || f->piece[2] == '0' || f->piece[2] == ';';
    bool is_plain = true;

    for (unsigned i = 2; i + 1 < f->length; i++)
        is_plain &= f->piece[i] == '0' || f->piece[i] == ';';
    if (starts_over || colour->length + f->length > CONSOLE_FILTER_SIZE)
        colour->length = 0;
    if (starts_over && is_plain)
        return;
    memcpy(colour->bytes + colour->length, f->piece, f->length);
    colour->length = (uint8_t)(colour->length + f->length);
}

static unsigned distance(const struct console_filter *filter)
{
    return (unsigned)max_u64(console_filter_number(filter, 1), 1);
}

static void move_right(struct console_line *line)
{
    line->column = (uint16_t)min_u64(line->column + distance(&line->filter), line->widest);
}

static void advance(struct console_line *line, uint8_t byte)
{
    if (byte >= ' ' && byte <= '~' && line->column < UINT16_MAX)
        line->column++;
    line->widest = (uint16_t)max_u64(line->widest, line->column);
}

// ---- among other sources' lines --------------------------------------------------------------

// Puts the cursor where the source continues.
static void place(struct console_lines *lines, unsigned source)
{
    struct console_line *line = &lines->line[source];

    if (line->cr) {
        // A CR without LF: the line starts over, as progress bars do.
        if (lines->on_screen == source) {
            if (line->colour.length > 0)
                emit_text(lines, NO_COLOUR);
            emit(lines, '\r');
            emit_many(lines, line->prefix, line->prefix_length);
            emit_many(lines, line->colour.bytes, line->colour.length);
        }
        forget(line);
    }
    bring(lines, source);
}

static void put(struct console_lines *lines, unsigned source, const uint8_t *bytes, unsigned count)
{
    place(lines, source);
    emit_many(lines, bytes, count);
    keep(&lines->line[source], bytes, count);
}

static void put_character(struct console_lines *lines, unsigned source, uint8_t byte)
{
    struct console_line *line = &lines->line[source];

    if (byte == '\r') {
        line->cr = true;
    } else if (byte == '\n') {
        bring(lines, source);
        console_lines_break(lines);
        forget(line);
    } else {
        put(lines, source, &byte, 1);
        advance(line, byte);
    }
}

static void put_left(struct console_lines *lines, unsigned source)
{
    struct console_line *line = &lines->line[source];
    char text[16];

    place(lines, source);
    unsigned count = (unsigned)min_u64(distance(&line->filter), line->column);

    if (count == 0)
        return;
    size_t length = format(text, sizeof(text), "\x1b[%uD", count);

    put(lines, source, (const uint8_t *)text, (unsigned)length);
    line->column = (uint16_t)(line->column - count);
}

// Shows what a partition with the keyboard may do in its line, and others may not in theirs.
static void put_edit(struct console_lines *lines, unsigned source, enum console_piece_kind kind)
{
    struct console_line *line = &lines->line[source];

    switch (kind) {
    case CONSOLE_PIECE_LEFT:
        put_left(lines, source);
        break;
    case CONSOLE_PIECE_RIGHT:
        put(lines, source, line->filter.piece, line->filter.length);
        move_right(line);
        break;
    case CONSOLE_PIECE_EDIT:
        put(lines, source, line->filter.piece, line->filter.length);
        break;
    case CONSOLE_PIECE_QUESTION:
        // Not kept, because the terminal would answer it again when it is shown again.
        place(lines, source);
        emit_many(lines, line->filter.piece, line->filter.length);
        break;
    default:
        break;
    }
}

static void put_piece(struct console_lines *lines, unsigned source, enum console_piece_kind kind,
                      enum console_show show)
{
    struct console_line *line = &lines->line[source];

    switch (kind) {
    case CONSOLE_PIECE_TEXT:
        for (unsigned i = 0; i < line->filter.length; i++)
            put_character(lines, source, line->filter.piece[i]);
        break;
    case CONSOLE_PIECE_COLOUR:
        put(lines, source, line->filter.piece, line->filter.length);
        remember_colour(line);
        break;
    case CONSOLE_PIECE_BACK:
        place(lines, source);
        if (line->column == 0)
            break;
        put(lines, source, line->filter.piece, 1);
        line->column--;
        break;
    default:
        if (show == CONSOLE_SHOW_EDIT)
            put_edit(lines, source, kind);
        break;
    }
}

// ---- alone -----------------------------------------------------------------------------------

static void keep_character(struct console_line *line, uint8_t byte)
{
    line->at_start = byte == '\n';
    if (byte == '\r') {
        line->cr = true;
        return;
    }
    if (byte == '\n' || line->cr)
        forget(line);
    if (byte == '\n')
        return;
    keep(line, &byte, 1);
    advance(line, byte);
}

// Keeps what can be shown again, also among other sources' lines.
static void keep_piece(struct console_line *line, enum console_piece_kind kind)
{
    const struct console_filter *f = &line->filter;

    if (kind == CONSOLE_PIECE_NONE)
        return;
    if (kind == CONSOLE_PIECE_TEXT) {
        for (unsigned i = 0; i < f->length; i++)
            keep_character(line, f->piece[i]);
        return;
    }
    line->at_start = false;
    if (kind > CONSOLE_PIECE_EDIT || (kind == CONSOLE_PIECE_BACK && line->column == 0) ||
        (kind == CONSOLE_PIECE_LEFT && distance(f) > line->column))
        return;
    if (line->cr)
        forget(line);
    keep(line, f->piece, f->length);
    if (kind == CONSOLE_PIECE_COLOUR)
        remember_colour(line);
    else if (kind == CONSOLE_PIECE_BACK)
        line->column--;
    else if (kind == CONSOLE_PIECE_LEFT)
        line->column = (uint16_t)(line->column - distance(f));
    else if (kind == CONSOLE_PIECE_RIGHT)
        move_right(line);
}

// Passes a byte unchanged, after the bytes of its sequence that were withheld.
static void pass(struct console_lines *lines, unsigned source, uint8_t byte)
{
    struct console_line *line = &lines->line[source];

    bring(lines, source);
    if (line->withheld)
        emit_many(lines, line->filter.held,
                  (unsigned)min_u64(line->filter.count, CONSOLE_FILTER_SIZE));
    line->withheld = false;
    emit(lines, byte);
}

static void alone_byte(struct console_lines *lines, unsigned source, uint8_t byte,
                       enum console_show show)
{
    struct console_line *line = &lines->line[source];
    bool past = show == CONSOLE_SHOW_PAST ||
                (line->withheld && line->filter.state == CONSOLE_FILTER_STRING);

    if (!past)
        pass(lines, source, byte);
    enum console_piece_kind kind = console_filter_byte(&line->filter, byte);

    console_screen_piece(&line->screen, kind, &line->filter);
    if (past && kind != CONSOLE_PIECE_NONE && kind != CONSOLE_PIECE_QUESTION &&
        kind != CONSOLE_PIECE_OTHER) {
        bring(lines, source);
        emit_many(lines, line->filter.piece, line->filter.length);
    }
    line->withheld = past && line->filter.state != CONSOLE_FILTER_TEXT;
    keep_piece(line, kind);
}

void console_lines_byte(struct console_lines *lines, unsigned source, uint8_t byte,
                        enum console_show show)
{
    struct console_line *line = &lines->line[source];

    if (source == lines->alone) {
        alone_byte(lines, source, byte, show);
        return;
    }
    enum console_piece_kind kind = console_filter_byte(&line->filter, byte);

    console_screen_piece(&line->screen, kind, &line->filter);
    if (kind != CONSOLE_PIECE_NONE)
        put_piece(lines, source, kind, show);
}

// ---- who has the terminal --------------------------------------------------------------------

bool console_lines_drawn(const struct console_lines *lines, unsigned source)
{
    return lines->line[source].screen.drawn;
}

static void leave(struct console_lines *lines)
{
    struct console_line *line = &lines->line[lines->alone];
    char text[CONSOLE_SCREEN_TEXT];

    if (line->screen.touched) {
        console_screen_undo(&line->screen, text);
        emit_text(lines, text);
        emit_text(lines, "\r\n");
        lines->on_screen = CONSOLE_LINE_NONE;
    }
    console_lines_break(lines);
    if (line->screen.drawn || line->withheld)
        forget(line);
    line->withheld = false;
}

static void enter(struct console_lines *lines, unsigned source)
{
    struct console_line *line = &lines->line[source];
    char text[CONSOLE_SCREEN_TEXT];

    console_screen_redo(&line->screen, text);
    emit_text(lines, text);
    line->colour.length = 0;
    forget(line);
    line->filter = (struct console_filter){0};
    line->screen.touched = line->screen.modes != 0;
}

void console_lines_alone(struct console_lines *lines, unsigned source, bool fresh)
{
    if (lines->alone != CONSOLE_LINE_NONE)
        leave(lines);
    console_lines_break(lines);
    lines->alone = source;
    lines->over = false;
    if (source == CONSOLE_LINE_NONE)
        return;
    lines->line[source].at_start = true;
    if (!fresh)
        enter(lines, source);
}

void console_lines_restart(struct console_lines *lines, unsigned source)
{
    struct console_line *line = &lines->line[source];

    if (lines->alone == source && line->screen.touched) {
        leave(lines);
        line->at_start = true;
    }
    line->screen = (struct console_screen){0};
    line->filter = (struct console_filter){0};
}

// ---- what comes out --------------------------------------------------------------------------

bool console_lines_hidden(const struct console_lines *lines, unsigned source)
{
    return lines->on_screen != source && lines->line[source].kept_length > 0;
}

bool console_lines_show(struct console_lines *lines, unsigned source)
{
    if (!console_lines_hidden(lines, source))
        return false;
    bring(lines, source);
    return true;
}

bool console_lines_take(struct console_lines *lines, uint8_t *byte)
{
    if (console_lines_empty(lines))
        return false;
    *byte = lines->out[lines->tail % CONSOLE_LINE_OUT];
    lines->tail++;
    return true;
}

bool console_lines_empty(const struct console_lines *lines)
{
    return lines->head == lines->tail;
}
