// SPDX-License-Identifier: Apache-2.0
// Markdown: paragraphs with their lines broken, and tables.
#include "docs/tables/page.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define LINE  100
#define CELLS 128 // a list of 32 bits takes one for each

// Writes the words of `text`; `column` is where the first begins.
static void write_words(FILE *out, unsigned indent, unsigned column, const char *text)
{
    bool first = true;
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        unsigned length = (unsigned)strcspn(text, " ");
        if (!first && column + 1 + length > LINE) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)length, text);
        column += length;
        text += length;
        first = false;
    }
    fputc('\n', out);
}

void write_text(FILE *out, unsigned indent, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    write_words(out, indent, 0, text);
}

void page_begin(FILE *out, const char *title, const char *text)
{
    fprintf(out, "<!-- SPDX-License-Identifier: Apache-2.0 -->\n");
    fprintf(out, "<!-- Written by `make docs` from the tables in the code: change those. -->\n");
    fprintf(out, "# %s\n\n", title);
    write_text(out, 0, "%s", text);
}

// A cell must not end early.
static void write_cell(FILE *out, const char *text)
{
    fputs(" ", out);
    for (; *text != '\0'; text++) {
        fputs(*text == '|' ? "\\|" : (char[]){*text, '\0'}, out);
    }
    fputs(" |", out);
}

void write_row(FILE *out, const char *const *cells, unsigned columns)
{
    fputc('|', out);
    for (unsigned i = 0; i < columns; i++) {
        write_cell(out, cells[i]);
    }
    fputc('\n', out);
}

void write_header(FILE *out, const char *const *cells, unsigned columns)
{
    fputc('\n', out);
    write_row(out, cells, columns);
    fputc('|', out);
    for (unsigned i = 0; i < columns; i++) {
        fputs("---|", out);
    }
    fputc('\n', out);
}

const char *cell(const char *format, ...)
{
    static char buffers[CELLS][1024];
    static unsigned next;
    char *buffer = buffers[next++ % CELLS];
    va_list args;
    va_start(args, format);
    vsnprintf(buffer, sizeof(buffers[0]), format, args);
    va_end(args);
    return buffer;
}
