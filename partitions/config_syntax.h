// SPDX-License-Identifier: Apache-2.0
// Checks the syntax of a configuration's text before libconfig does, whose only words for what is
// wrong are "syntax error". Host only; pure.
#ifndef PARTITIONS_CONFIG_SYNTAX_H
#define PARTITIONS_CONFIG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_MAX_DEPTH 32  // brackets in brackets
#define CONFIG_SLIP_SIZE 400 // of a message, with its NUL

// What is wrong on a line, and what to write instead.
struct config_slip {
    unsigned line;
    unsigned opened; // line of the bracket that it is about; 0: of none
    char text[CONFIG_SLIP_SIZE];
};

// Gets each slip in turn, in the order of the text.
typedef void config_slip_fn(void *context, const struct config_slip *slip);

// True if `text`, which ends with a NUL, can be parsed by every version of libconfig from 1.5 on,
// and means the same to all of them. Each number that does not fit is a slip of its own; after any
// other the rest is not looked at.
bool config_syntax_check(const char *text, config_slip_fn *report, void *context);

#endif
