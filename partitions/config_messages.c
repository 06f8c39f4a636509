// SPDX-License-Identifier: Apache-2.0
// Collects, sorts and prints messages about a configuration file.
#include "partitions/config_messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
    if (memory == NULL) {
        fputs("bulkhead-config: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

void config_message(struct config_messages *messages, struct config_place place, const char *fmt,
                    ...)
{
    size_t size = (messages->count + 1) * sizeof(*messages->list);
    struct config_message *message;
    va_list args;
    int length;

    messages->list = or_die(realloc(messages->list, size));
    message = &messages->list[messages->count];

    va_start(args, fmt);
    length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    message->text = or_die(calloc((size_t)length + 1, 1));
    va_start(args, fmt);
    vsnprintf(message->text, (size_t)length + 1, fmt, args);
    va_end(args);

    message->place = place;
    message->order = messages->count++;
}

static int compare(const void *left, const void *right)
{
    const struct config_message *a = left;
    const struct config_message *b = right;
    int by_file = strcmp(a->place.file, b->place.file);

    if (by_file != 0)
        return by_file;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void config_messages_print(struct config_messages *messages)
{
    if (messages->count != 0)
        qsort(messages->list, messages->count, sizeof(*messages->list), compare);
    for (size_t i = 0; i < messages->count; i++) {
        const struct config_message *message = &messages->list[i];

        if (message->place.line == 0)
            fprintf(stderr, "%s: %s\n", message->place.file, message->text);
        else
            fprintf(stderr, "%s:%u: %s\n", message->place.file, message->place.line, message->text);
    }
}

void config_messages_free(struct config_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        free(messages->list[i].text);
    free(messages->list);
    *messages = (struct config_messages){0};
}
