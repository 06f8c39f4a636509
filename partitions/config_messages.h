// SPDX-License-Identifier: Apache-2.0
// Messages about a configuration file. They are collected, so that a user sees all of them at once,
// in the order of the file. Host only.
#ifndef PARTITIONS_CONFIG_MESSAGES_H
#define PARTITIONS_CONFIG_MESSAGES_H

#include <stddef.h>

// A line of a file; line 0 is the file as a whole.
struct config_place {
    const char *file;
    unsigned line;
};

struct config_message {
    struct config_place place;
    size_t order; // order of arrival
    char *text;
};

// Starts as all zeroes.
struct config_messages {
    size_t count;
    struct config_message *list;
};

void config_message(struct config_messages *messages, struct config_place place, const char *fmt,
                    ...) __attribute__((format(printf, 3, 4)));

// Prints the messages to standard error as FILE:LINE: TEXT, sorted.
void config_messages_print(struct config_messages *messages);

void config_messages_free(struct config_messages *messages);

#endif
