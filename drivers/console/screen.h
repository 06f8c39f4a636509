// SPDX-License-Identifier: Apache-2.0
// The state of a terminal that a partition has alone: its modes, and whether the partition draws on
// the screen or writes lines. Pure state.
#ifndef DRIVERS_CONSOLE_SCREEN_H
#define DRIVERS_CONSOLE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/console/filter.h"

// After this many lines without a movement of the cursor, the partition counts as writing lines
// again.
#define CONSOLE_SCREEN_LINES 64

#define CONSOLE_SCREEN_TEXT 320 // longest text of console_screen_undo() and console_screen_redo()

struct console_screen {
    uint32_t modes; // modes that differ from the initial state, as indices of the table
    uint8_t lines;  // since the cursor was last moved
    bool drawn;     // it draws: lines of other sources would stand in its picture
    bool touched;   // a sequence came that may have changed the terminal's initial state
};

// Takes the next piece of the partition's output.
void console_screen_piece(struct console_screen *screen, enum console_piece_kind kind,
                          const struct console_filter *filter);

// undo: the text that restores the terminal's initial state, with the cursor at the left of the
// last line. redo: the text that sets the partition's modes, on an empty screen. Both return the
// length.
size_t console_screen_undo(const struct console_screen *screen, char text[CONSOLE_SCREEN_TEXT]);
size_t console_screen_redo(const struct console_screen *screen, char text[CONSOLE_SCREEN_TEXT]);

#endif
