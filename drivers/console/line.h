// SPDX-License-Identifier: Apache-2.0
// The console's line discipline: turns the bytes of many sources into one stream of prefixed lines
// that never mix, or gives one source the terminal alone. Pure state and arithmetic. Only the
// holder of the console's output lock calls it.
#ifndef DRIVERS_CONSOLE_LINE_H
#define DRIVERS_CONSOLE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/filter.h"
#include "drivers/console/screen.h"
#include "drivers/console/sources.h"

#define CONSOLE_LINE_KEPT 256  // bytes kept of an unfinished line, to show it again
#define CONSOLE_LINE_OUT  2048 // power of two

// What a byte may do to the terminal. Among other sources' lines, no source moves left of the end
// of its own prefix or to another line, or makes the terminal send input.
enum console_show {
    CONSOLE_SHOW_LINES, // among other sources' lines: characters and colours
    CONSOLE_SHOW_EDIT,  // the same, with the keyboard: also what a shell's line editing needs
    CONSOLE_SHOW_RAW,   // alone on the terminal: everything, unchanged
    CONSOLE_SHOW_PAST, // alone, shown again: everything except what the terminal would answer again
};

// The active colours, as the sequences that turned them on.
struct console_colour {
    uint8_t length;
    uint8_t bytes[CONSOLE_FILTER_SIZE];
};

// The state of one source's current line.
struct console_line {
    uint8_t prefix[CONSOLE_NAME_SIZE + 3]; // "[name] "
    uint8_t prefix_length;
    bool cr;       // a CR came: the next byte shows whether it ends or restarts the line
    bool too_long; // the line outgrew `kept` and can't be shown again
    bool at_start; // alone: the cursor is in a line that this source has not written to
    bool withheld; // alone: the current sequence is from the past, and nothing of it was shown
    // Columns right of the prefix: the cursor's, and the highest so far. They are too low where a
    // character's width is not known, so a movement to the left never reaches the prefix.
    uint16_t column, widest;
    struct console_filter filter;
    struct console_screen screen;
    struct console_colour colour; // at the end of `kept`
    struct console_colour before; // at the beginning of `kept`
    uint16_t kept_length;
    uint8_t kept[CONSOLE_LINE_KEPT];
};

struct console_lines {
    struct console_line line[CONSOLE_SOURCES];
    unsigned on_screen;  // the source in whose unfinished line the cursor is, or CONSOLE_LINE_NONE
    unsigned alone;      // the source that has the terminal alone, or CONSOLE_LINE_NONE
    bool over;           // a line of the hypervisor's stands in what that source has drawn
    uint32_t head, tail; // of `out`, free running
    uint8_t out[CONSOLE_LINE_OUT];
};

#define CONSOLE_LINE_NONE CONSOLE_SOURCES

void console_lines_init(struct console_lines *lines);

// Names a source: its prefix becomes "[name] ". Bytes that don't print become question marks.
void console_lines_name(struct console_lines *lines, unsigned source, const char *name);

// Whether there is room for the output of one more byte, or of one console_lines_show().
bool console_lines_ready(const struct console_lines *lines);

// Takes one byte of a source; console_lines_ready() must hold. If another source's unfinished line
// is on the screen, it is broken off first, and this source's own unfinished line is shown again.
void console_lines_byte(struct console_lines *lines, unsigned source, uint8_t byte,
                        enum console_show show);

// Gives the terminal to one source, or with CONSOLE_LINE_NONE to all of them again, and puts the
// terminal into the state for that. `fresh`: the state is right already, because no source has used
// the terminal. console_lines_take() must have taken all output.
void console_lines_alone(struct console_lines *lines, unsigned source, bool fresh);

// A source restarts: undoes its changes to the terminal. console_lines_ready() must hold.
void console_lines_restart(struct console_lines *lines, unsigned source);

// Whether lines of other sources would stand in what a source has drawn.
bool console_lines_drawn(const struct console_lines *lines, unsigned source);

// Whether another source's output has displaced a source's unfinished line.
bool console_lines_hidden(const struct console_lines *lines, unsigned source);

// Shows a source's unfinished line again if it was displaced; console_lines_ready() must hold.
// Returns whether that made output.
bool console_lines_show(struct console_lines *lines, unsigned source);

// Ends the line on the screen, if any, so that the next one starts at the left.
void console_lines_break(struct console_lines *lines);

// The next byte for the device; false if there is none.
bool console_lines_take(struct console_lines *lines, uint8_t *byte);

bool console_lines_empty(const struct console_lines *lines);

#endif
