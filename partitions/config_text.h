// SPDX-License-Identifier: Apache-2.0
// The text of a configuration: the file and all that it includes in one piece, and which line of
// which file each of its lines is. Host only.
#ifndef PARTITIONS_CONFIG_TEXT_H
#define PARTITIONS_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "partitions/config_messages.h"

#define CONFIG_MAX_FILE_SIZE MIB(1) // bytes of a file, and of all together
#define CONFIG_MAX_INCLUDES  10     // files open at once; libconfig has the same limit

// Lines of the text from `line` on are those of `file` from `file_line` on.
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

// Reads the file at `path`. An @include is replaced by its file, which is looked for in the folder
// of `path`; a byte order mark is left out. False, with a message, if a file can't be read or is no
// text. The caller frees what is returned with config_text_free() in any case.
bool config_text_read(struct config_text *text, const char *path, struct config_messages *messages);

// Where line `line` of the text, from 1, was written. The file's name lives as long as the text.
struct config_place config_text_place(const struct config_text *text, unsigned line);

// Frees what `text`, a struct config_text of malloc(), holds, and itself.
void config_text_free(void *text);

#endif
