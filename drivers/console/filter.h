// SPDX-License-Identifier: Apache-2.0
// Splits a partition's output into characters and terminal sequences, and classifies their effect
// on a terminal (ECMA-48, and xterm's control sequences). Pure state. drivers/console/line.c
// decides which source may send what.
#ifndef DRIVERS_CONSOLE_FILTER_H
#define DRIVERS_CONSOLE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_FILTER_SIZE                                                                        \
    32 // longest sequence that is known; a longer one is CONSOLE_PIECE_OTHER

enum console_piece_kind {
    CONSOLE_PIECE_NONE,     // nothing is complete yet
    CONSOLE_PIECE_TEXT,     // characters, tab, CR, LF; invalid UTF-8 has become a question mark
    CONSOLE_PIECE_COLOUR,   // ESC [ ... m
    CONSOLE_PIECE_BACK,     // a backspace
    CONSOLE_PIECE_LEFT,     // ESC [ n D
    CONSOLE_PIECE_RIGHT,    // ESC [ n C
    CONSOLE_PIECE_EDIT,     // changes only what is right of the cursor, or rings the bell
    CONSOLE_PIECE_QUESTION, // the terminal answers it, by sending input
    CONSOLE_PIECE_SCREEN,   // the other sequences of full-screen programs
    CONSOLE_PIECE_OTHER,    // everything else: titles, reports, unknown sequences
};

enum console_filter_state {
    CONSOLE_FILTER_TEXT,
    CONSOLE_FILTER_CHARACTER, // within a UTF-8 character
    CONSOLE_FILTER_ESCAPE,    // after ESC and intermediate bytes
    CONSOLE_FILTER_CONTROL,   // after ESC [
    CONSOLE_FILTER_STRING,    // in a string, up to ESC \, BEL or the end of the line
};

struct console_filter {
    enum console_filter_state state;
    uint8_t needed; // bytes that the UTF-8 character still needs
    uint8_t count;  // of `held`; one more than its size if more came
    uint8_t held[CONSOLE_FILTER_SIZE];
    uint8_t length; // of `piece`
    uint8_t piece[CONSOLE_FILTER_SIZE];
};

// Takes one byte. Unless it returns CONSOLE_PIECE_NONE, `piece` holds a complete piece.
enum console_piece_kind console_filter_byte(struct console_filter *filter, uint8_t byte);

// Whether the last byte was inside a terminal sequence.
bool console_filter_in_sequence(const struct console_filter *filter);

// The parameter n of ESC [ n and a letter: `absent` if there is none, at most 9999.
unsigned console_filter_number(const struct console_filter *filter, unsigned absent);

#endif
