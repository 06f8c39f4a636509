// SPDX-License-Identifier: Apache-2.0
// The line discipline of drivers/console_line.h. An unfinished line that had to give way is shown
// again from its prefix on, so each line of up to CONSOLE_LINE_KEPT bytes is seen in one piece.
#include "drivers/console_line.h"

#include "arch/string.h"

// The most that one byte can make: line break, prefix, kept line, CR and prefix, line end.
#define WORST_CASE (2 + 2 * (CONSOLE_NAME_SIZE + 3) + CONSOLE_LINE_KEPT + 1 + 2)

#define ESCAPE 0x1b

_Static_assert((CONSOLE_LINE_OUT & (CONSOLE_LINE_OUT - 1)) == 0, "indices are masked");
_Static_assert(CONSOLE_LINE_OUT >= 2 * WORST_CASE, "one byte's output fits well");

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

void console_lines_init(struct console_lines *lines)
{
    memset(lines, 0, sizeof(*lines));
    lines->on_screen = CONSOLE_LINE_NONE;
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
    emit(lines, '\r');
    emit(lines, '\n');
    lines->on_screen = CONSOLE_LINE_NONE;
}

// Puts the cursor at the end of the source's own line.
static void bring(struct console_lines *lines, unsigned source)
{
    const struct console_line *line = &lines->line[source];

    if (lines->on_screen == source)
        return;
    console_lines_break(lines);
    emit_many(lines, line->prefix, line->prefix_length);
    if (!line->too_long)
        emit_many(lines, line->kept, line->kept_length);
    lines->on_screen = source;
}

static void forget(struct console_line *line)
{
    line->cr = false;
    line->too_long = false;
    line->kept_length = 0;
}

// A question to the terminal (CSI ... n: where is the cursor, CSI ... c: what are you; ECMA-48,
// 8.3.35 and 8.3.24), once asked, is not kept: shown again it would be answered again, and the
// answer is typed input. `byte` has not been kept yet.
static bool drop_question(struct console_line *line, uint8_t byte)
{
    unsigned at = line->kept_length;

    if (byte != 'n' && byte != 'c')
        return false;
    // Parameter bytes are 0x30 to 0x3f.
    while (at > 0 && line->kept[at - 1] >= '0' && line->kept[at - 1] <= '?')
        at--;
    if (at < 2 || line->kept[at - 1] != '[' || line->kept[at - 2] != ESCAPE)
        return false;
    line->kept_length = (uint16_t)(at - 2);
    return true;
}

void console_lines_byte(struct console_lines *lines, unsigned source, uint8_t byte)
{
    struct console_line *line = &lines->line[source];

    if (byte == '\r') {
        line->cr = true;
        return;
    }
    if (byte == '\n') {
        bring(lines, source);
        console_lines_break(lines);
        forget(line);
        return;
    }
    if (line->cr) {
        // A CR without LF: the line starts over, as progress bars do.
        forget(line);
        if (lines->on_screen == source) {
            emit(lines, '\r');
            emit_many(lines, line->prefix, line->prefix_length);
        }
    }
    bring(lines, source);
    emit(lines, byte);
    if (drop_question(line, byte))
        return;
    if (line->kept_length < CONSOLE_LINE_KEPT)
        line->kept[line->kept_length++] = byte;
    else
        line->too_long = true;
}

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
