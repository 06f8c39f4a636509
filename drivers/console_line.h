// SPDX-License-Identifier: Apache-2.0
// The console's line discipline: bytes of many sources become one stream of prefixed lines that
// never mix. Pure state and arithmetic; whoever holds the console's output lock calls it.
#ifndef DRIVERS_CONSOLE_LINE_H
#define DRIVERS_CONSOLE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console.h"

#define CONSOLE_LINE_KEPT 256  // bytes of an unfinished line kept for showing it again
#define CONSOLE_LINE_OUT  1024 // power of two

// What is known of one source's current line.
struct console_line {
    uint8_t prefix[CONSOLE_NAME_SIZE + 3]; // "[name] "
    uint8_t prefix_length;
    bool cr;       // a CR came: the next byte tells whether it ends or restarts the line
    bool too_long; // the line outgrew `kept` and can't be shown again
    uint16_t kept_length;
    uint8_t kept[CONSOLE_LINE_KEPT];
};

struct console_lines {
    struct console_line line[CONSOLE_SOURCES];
    unsigned on_screen;  // the source whose unfinished line the cursor is in, or CONSOLE_LINE_NONE
    uint32_t head, tail; // of `out`, free running
    uint8_t out[CONSOLE_LINE_OUT];
};

#define CONSOLE_LINE_NONE CONSOLE_SOURCES

void console_lines_init(struct console_lines *lines);

// Names a source: its prefix becomes "[name] ". Bytes that don't print become question marks.
void console_lines_name(struct console_lines *lines, unsigned source, const char *name);

// Whether there is room for whatever one more byte or one show makes.
bool console_lines_ready(const struct console_lines *lines);

// Takes one byte of a source; console_lines_ready() must hold. If another source's unfinished line
// is on the screen it is broken off first, and this source's own unfinished line is shown again.
void console_lines_byte(struct console_lines *lines, unsigned source, uint8_t byte);

// Whether a source has an unfinished line whose place on the screen another has taken.
bool console_lines_hidden(const struct console_lines *lines, unsigned source);

// Shows a source's unfinished line again if another has taken its place on the screen;
// console_lines_ready() must hold. Returns whether that made output.
bool console_lines_show(struct console_lines *lines, unsigned source);

// Ends whatever line is on the screen, so that the next one starts at the left.
void console_lines_break(struct console_lines *lines);

// The next byte for the device; false if there is none.
bool console_lines_take(struct console_lines *lines, uint8_t *byte);

bool console_lines_empty(const struct console_lines *lines);

#endif
