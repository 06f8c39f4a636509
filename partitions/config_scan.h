// SPDX-License-Identifier: Apache-2.0
// The words and marks of a configuration's text, in libconfig's syntax, each with its line. Host
// only; knows no file and no grammar.
#ifndef PARTITIONS_CONFIG_SCAN_H
#define PARTITIONS_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum config_token_kind {
    CONFIG_TOKEN_END,
    CONFIG_TOKEN_NAME,         // of a key, and true and false
    CONFIG_TOKEN_NUMBER,       // whatever begins as a number does; config_number() says what it is
    CONFIG_TOKEN_TEXT,         // with its quotes
    CONFIG_TOKEN_INCLUDE,      // @include at the start of a line
    CONFIG_TOKEN_MARK,         // one of = : ; , ( ) [ ] { }
    CONFIG_TOKEN_OTHER,        // a byte that has no meaning outside texts and comments
    CONFIG_TOKEN_OPEN_TEXT,    // no closing quote on its line
    CONFIG_TOKEN_OPEN_COMMENT, // no */ up to the end
};

struct config_token {
    enum config_token_kind kind;
    const char *start;
    size_t length;
    unsigned line; // from 1
};

struct config_scanner {
    const char *next; // ends with a NUL
    unsigned line;
    bool fresh; // nothing but blanks stands before `next` on its line
};

// `text` ends with a NUL and outlives the tokens.
struct config_scanner config_scanner_at(const char *text);

// The next token, past blanks and comments. After the end it is the end again.
struct config_token config_scan(struct config_scanner *scanner);

enum config_number {
    CONFIG_NUMBER_INT,
    CONFIG_NUMBER_INT64, // with an L behind it
    CONFIG_NUMBER_FRACTION,
    CONFIG_NUMBER_CUT,   // an integer that libconfig would cut: it does not fit
    CONFIG_NUMBER_OCTAL, // a leading 0: some versions of libconfig read it as octal
    CONFIG_NUMBER_NONE,  // no number
};

// What a token that begins as a number is. An integer has 32 bits, or 64 with an L behind it;
// libconfig keeps the low ones of any other without a word.
enum config_number config_number(const struct config_token *token);

// Is the token this mark? This word?
bool config_token_is_mark(const struct config_token *token, char mark);
bool config_token_is_word(const struct config_token *token, const char *word);

// Bytes of the word that begins at the token, as its writer may have meant it: up to a blank or to
// a mark that ends a value.
size_t config_word_length(const struct config_token *token);

#endif
