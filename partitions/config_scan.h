// SPDX-License-Identifier: Apache-2.0
// The words and marks of a configuration's text, in libconfig's syntax, each with its line. Host
// only. Knows neither files nor grammar.
#ifndef PARTITIONS_CONFIG_SCAN_H
#define PARTITIONS_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum config_token_kind {
    CONFIG_TOKEN_END,
    CONFIG_TOKEN_NAME,         // a key, or true or false
    CONFIG_TOKEN_NUMBER,       // begins like a number; config_number() says what it is
    CONFIG_TOKEN_TEXT,         // including its quotes
    CONFIG_TOKEN_INCLUDE,      // @include at the start of a line
    CONFIG_TOKEN_MARK,         // one of = : ; , ( ) [ ] { }
    CONFIG_TOKEN_OTHER,        // a byte that is valid only in texts and comments
    CONFIG_TOKEN_OPEN_TEXT,    // no closing quote on its line
    CONFIG_TOKEN_OPEN_COMMENT, // no */ up to the end of the file
};

struct config_token {
    enum config_token_kind kind;
    const char *start;
    size_t length;
    unsigned line; // from 1
};

struct config_scanner {
    const char *next; // the text from here on ends with a NUL
    unsigned line;
    bool fresh; // only blanks precede `next` on its line
};

// `text` ends with a NUL and must outlive the tokens.
struct config_scanner config_scanner_at(const char *text);

// The next token, after blanks and comments. At the end of the text CONFIG_TOKEN_END, again and
// again.
struct config_token config_scan(struct config_scanner *scanner);

enum config_number {
    CONFIG_NUMBER_INT,
    CONFIG_NUMBER_INT64, // followed by an L
    CONFIG_NUMBER_FRACTION,
    CONFIG_NUMBER_CUT,   // an integer that doesn't fit, and that libconfig would cut
    CONFIG_NUMBER_OCTAL, // a leading 0: some versions of libconfig read it as octal
    CONFIG_NUMBER_NONE,  // no number
};

// Classifies a token that begins like a number. An integer has 32 bits, or 64 if an L follows.
// libconfig silently keeps only the low bits of a larger one.
enum config_number config_number(const struct config_token *token);

// Whether the token is this mark, or this word.
bool config_token_is_mark(const struct config_token *token, char mark);
bool config_token_is_word(const struct config_token *token, const char *word);

// Bytes of the word that begins at the token, as the writer probably meant it: up to a blank or a
// mark that ends a value.
size_t config_word_length(const struct config_token *token);

#endif
