// SPDX-License-Identifier: Apache-2.0
// The text of a configuration: the file and all that it includes in one piece, and for each line
// the file and line it comes from. Host only.
#ifndef PARTITIONS_CONFIG_TEXT_H
#define PARTITIONS_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "partitions/config_messages.h"

#define CONFIG_MAX_FILE_SIZE MIB(1) // bytes of a file, and of all files together
#define CONFIG_MAX_INCLUDES  10     // files open at once; libconfig has the same limit

// From line `line` on, the text has the lines of `file` from `file_line` on.
struct config_run {
    unsigned line;
    const char *file;
    unsigned file_line;
};

struct config_text {
    char *bytes; // ends with a newline and a NUL
    size_t size; // without the NUL
    unsigned line_count;
    size_t run_count;
    struct config_run *runs;
    size_t file_count;
    char **files; // names
};

// Reads the file at `path`. Each @include is replaced by its file, which is searched in the folder
// of `path`. A byte order mark is left out. False, with a message, if a file can't be read or is
// not a text. In any case the caller frees the text with config_text_free().
bool config_text_read(struct config_text *text, const char *path, struct config_messages *messages);

// The file and line of line `line` of the text (from 1). The file's name lives as long as the text.
struct config_place config_text_place(const struct config_text *text, unsigned line);

// Frees `text`, a struct config_text from malloc(), and what it holds.
void config_text_free(void *text);

#endif
