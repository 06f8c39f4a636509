// SPDX-License-Identifier: Apache-2.0
// What a partition has made of a terminal that it has to itself: its modes, and whether it draws on
// the screen or writes lines. Pure state.
#ifndef DRIVERS_CONSOLE_SCREEN_H
#define DRIVERS_CONSOLE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/console/filter.h"

// So many lines without a movement of the cursor, and it is taken to write lines again.
#define CONSOLE_SCREEN_LINES 64

#define CONSOLE_SCREEN_TEXT 320 // longest text of console_screen_undo() and console_screen_redo()

struct console_screen {
    uint32_t modes; // those that are not as a terminal starts, as indices of the table
    uint8_t lines;  // since the cursor was last moved
    bool drawn;     // it draws: lines of others would stand in its picture
    bool touched;   // a sequence came after which the terminal may not be as it starts
};

// Takes the next piece of the partition's output.
void console_screen_piece(struct console_screen *screen, enum console_piece_kind kind,
                          const struct console_filter *filter);

// What makes the terminal as it starts, with the cursor at the left of the last line; and what
// gives it the partition's modes, on an empty screen. Both give the text's length.
size_t console_screen_undo(const struct console_screen *screen, char text[CONSOLE_SCREEN_TEXT]);
size_t console_screen_redo(const struct console_screen *screen, char text[CONSOLE_SCREEN_TEXT]);

#endif
