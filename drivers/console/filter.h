// SPDX-License-Identifier: Apache-2.0
// Cuts a partition's output into characters and terminal sequences, and says what each of them can
// do to a terminal (ECMA-48, and xterm's control sequences). Pure state; who may send what is
// decided by drivers/console/line.c.
#ifndef DRIVERS_CONSOLE_FILTER_H
#define DRIVERS_CONSOLE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_FILTER_SIZE                                                                        \
    32 // longest sequence that is known; a longer one is CONSOLE_PIECE_OTHER

enum console_piece_kind {
    CONSOLE_PIECE_NONE,     // nothing is complete yet
    CONSOLE_PIECE_TEXT,     // characters, tab, CR, LF; what is no UTF-8 has become a question mark
    CONSOLE_PIECE_COLOUR,   // ESC [ ... m
    CONSOLE_PIECE_BACK,     // a backspace
    CONSOLE_PIECE_LEFT,     // ESC [ n D
    CONSOLE_PIECE_RIGHT,    // ESC [ n C
    CONSOLE_PIECE_EDIT,     // changes nothing but what is right of the cursor, or rings the bell
    CONSOLE_PIECE_QUESTION, // the terminal answers it, by typing
    CONSOLE_PIECE_SCREEN,   // what else full-screen programs draw with
    CONSOLE_PIECE_OTHER,    // everything else: titles, reports, what nobody knows
};

enum console_filter_state {
    CONSOLE_FILTER_TEXT,
    CONSOLE_FILTER_CHARACTER, // within a UTF-8 character
    CONSOLE_FILTER_ESCAPE,    // after ESC and intermediate bytes
    CONSOLE_FILTER_CONTROL,   // after ESC [
    CONSOLE_FILTER_STRING,    // in a string, up to ESC \ or BEL, or the end of the line
};

struct console_filter {
    enum console_filter_state state;
    uint8_t needed; // bytes that the UTF-8 character still has
    uint8_t count;  // of `held`, may be one more than fits
    uint8_t held[CONSOLE_FILTER_SIZE];
    uint8_t length; // of `piece`
    uint8_t piece[CONSOLE_FILTER_SIZE];
};

// Takes one byte. Unless it returns CONSOLE_PIECE_NONE, a piece is complete: it is in `piece`.
enum console_piece_kind console_filter_byte(struct console_filter *filter, uint8_t byte);

// Whether the last byte was within a terminal's sequence.
bool console_filter_in_sequence(const struct console_filter *filter);

// The parameter of ESC [ n and a letter: `absent` if it has none, at most 9999.
unsigned console_filter_number(const struct console_filter *filter, unsigned absent);

#endif
