// SPDX-License-Identifier: Apache-2.0
// Checks the syntax of a configuration's text before libconfig does, because libconfig's only
// message is "syntax error". Host only; pure.
#ifndef PARTITIONS_CONFIG_SYNTAX_H
#define PARTITIONS_CONFIG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_MAX_DEPTH 32  // brackets in brackets
#define CONFIG_SLIP_SIZE 400 // of a message, including NUL

// What is wrong on a line, and what to write instead.
struct config_slip {
    unsigned line;
    unsigned opened; // line of the bracket that it is about; 0 if none
    char text[CONFIG_SLIP_SIZE];
};

// Receives each slip, in the order of the text.
typedef void config_slip_fn(void *context, const struct config_slip *slip);

// True if every version of libconfig from 1.5 on can parse `text`, which ends with a NUL, with the
// same meaning. Each number that does not fit is reported as a slip of its own. After any other
// slip the rest isn't checked.
bool config_syntax_check(const char *text, config_slip_fn *report, void *context);

#endif
