// SPDX-License-Identifier: Apache-2.0
// Reads a configuration's files into one text: partitions/config_text.h. So the checks before
// libconfig see all of it, and differences between versions of libconfig don't matter.
#include "partitions/config_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arch/lib/types.h"
#include "partitions/config_scan.h"

static const char utf8_mark[] = "\xef\xbb\xbf";

// State of reading a file and all that it includes.
struct reader {
    struct config_text *text;
    size_t folder_length; // bytes of the folder in the first file's name, including the slash
    unsigned depth;
    struct config_messages *messages;
};

static void *or_die(void *memory)
{
    if (memory == NULL) {
        fputs("bulkhead-config: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

// ---- building the text -----------------------------------------------------------------------

static void append(struct config_text *text, const char *bytes, size_t size)
{
    text->bytes = or_die(realloc(text->bytes, text->size + size + 1));
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
    for (size_t i = 0; i < size; i++)
        text->line_count += bytes[i] == '\n';
}

// The text that is appended next comes from this line of this file.
static void begin_run(struct config_text *text, const char *file, unsigned file_line)
{
    text->runs = or_die(realloc(text->runs, (text->run_count + 1) * sizeof(*text->runs)));
    text->runs[text->run_count++] = (struct config_run){text->line_count + 1, file, file_line};
}

static const char *keep_name(struct config_text *text, const char *name, size_t length)
{
    text->files = or_die(realloc(text->files, (text->file_count + 1) * sizeof(*text->files)));
    text->files[text->file_count] = or_die(strndup(name, length));
    return text->files[text->file_count++];
}

// ---- one file --------------------------------------------------------------------------------

// The file's bytes and a NUL; the caller frees them. NULL, with errno, if the file can't be read.
static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    char *bytes;
    int error;

    if (file == NULL)
        return NULL;
    bytes = or_die(malloc(CONFIG_MAX_FILE_SIZE + 2));
    *size = fread(bytes, 1, CONFIG_MAX_FILE_SIZE + 1, file);
    bytes[*size] = '\0';
    error = ferror(file) ? errno : 0;
    if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode))
        error = EISDIR;
    fclose(file);
    if (error == 0)
        return bytes;
    free(bytes);
    errno = error;
    return NULL;
}

// Why the bytes are not a text; NULL if they are.
static const char *why_no_text(const struct reader *reader, const char *bytes, size_t size)
{
    if (reader->text->size + size > CONFIG_MAX_FILE_SIZE)
        return "has more than 1 MiB, with all that it includes; no configuration needs that much";
    if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return "is UTF-16; save it as UTF-8";
    if (strlen(bytes) != size)
        return "is no text: it has bytes that are 0; write the configuration's source here, which "
               "the blob is built from";
    return NULL;
}

static bool append_file(struct reader *reader, const char *path, struct config_place place,
                        const char *quote);

// The name of the file in a text with quotes.
static const char *included_name(struct reader *reader, const struct config_token *token)
{
    const char *first = reader->text->files[0];
    char *name = or_die(calloc(reader->folder_length + token->length, 1));
    size_t length = 0;
    const char *kept;

    if (token->start[1] != '/') {
        memcpy(name, first, reader->folder_length);
        length = reader->folder_length;
    }
    for (size_t i = 1; i + 1 < token->length; i++) {
        i += token->start[i] == '\\' && i + 2 < token->length;
        name[length++] = token->start[i];
    }
    kept = keep_name(reader->text, name, length);
    free(name);
    return kept;
}

static bool append_include(struct reader *reader, struct config_place place,
                           const struct config_token *token)
{
    if (token->kind != CONFIG_TOKEN_TEXT) {
        config_message(reader->messages, place,
                       "after @include the file's name must stand in quotes: @include "
                       "\"more.conf\"");
        return false;
    }
    if (reader->depth == CONFIG_MAX_INCLUDES) {
        config_message(reader->messages, place,
                       "@include goes deeper than %d files; does a file include itself?",
                       CONFIG_MAX_INCLUDES);
        return false;
    }
    return append_file(reader, included_name(reader, token), place, "@include ");
}

// Copies the bytes, and replaces each @include.
static bool append_bytes(struct reader *reader, const char *file, const char *bytes)
{
    struct config_scanner scanner = config_scanner_at(bytes);
    struct config_token token;
    const char *copied = bytes;

    begin_run(reader->text, file, 1);
    do {
        token = config_scan(&scanner);
        if (token.kind != CONFIG_TOKEN_INCLUDE)
            continue;
        append(reader->text, copied, (size_t)(token.start - copied));
        token = config_scan(&scanner);
        append(reader->text, "\n", 1);
        if (!append_include(reader, (struct config_place){file, token.line}, &token))
            return false;
        copied = scanner.next;
        begin_run(reader->text, file, scanner.line);
    } while (token.kind != CONFIG_TOKEN_END);
    append(reader->text, copied, strlen(copied));
    // libconfig 1.5 misreads a last line with a comment but no newline.
    if (reader->text->size == 0 || reader->text->bytes[reader->text->size - 1] != '\n')
        append(reader->text, "\n", 1);
    return true;
}

// `quote` precedes the file's name in messages, which are about `place`.
static bool append_file(struct reader *reader, const char *path, struct config_place place,
                        const char *quote)
{
    size_t size = 0;
    char *bytes = read_file(path, &size);
    const char *text = bytes;
    const char *why;
    bool good;

    if (bytes == NULL) {
        why = strerror(errno);
        if (place.line == 0)
            config_message(reader->messages, place, "can't be read: %s", why);
        else
            config_message(reader->messages, place, "%s\"%s\" can't be read: %s", quote, path, why);
        return false;
    }
    why = why_no_text(reader, bytes, size);
    if (why != NULL)
        config_message(reader->messages, (struct config_place){path, 0}, "the file %s", why);
    if (strncmp(text, utf8_mark, sizeof(utf8_mark) - 1) == 0)
        text += sizeof(utf8_mark) - 1;
    reader->depth++;
    good = why == NULL && append_bytes(reader, path, text);
    reader->depth--;
    free(bytes);
    return good;
}

// ---- the whole text --------------------------------------------------------------------------

bool config_text_read(struct config_text *text, const char *path, struct config_messages *messages)
{
    const char *slash = strrchr(path, '/');
    struct reader reader = {.text = text,
                            .folder_length = slash != NULL ? (size_t)(slash + 1 - path) : 0,
                            .messages = messages};
    const char *name;

    *text = (struct config_text){0};
    append(text, "", 0);
    name = keep_name(text, path, strlen(path));
    return append_file(&reader, name, (struct config_place){name, 0}, "");
}

struct config_place config_text_place(const struct config_text *text, unsigned line)
{
    size_t i = text->run_count;

    while (i > 0 && text->runs[i - 1].line > line)
        i--;
    if (i == 0)
        return (struct config_place){text->files[0], 0};
    return (struct config_place){text->runs[i - 1].file,
                                 text->runs[i - 1].file_line + line - text->runs[i - 1].line};
}

void config_text_free(void *memory)
{
    struct config_text *text = memory;

    for (size_t i = 0; i < text->file_count; i++)
        free(text->files[i]);
    free(text->files);
    free(text->runs);
    free(text->bytes);
    free(text);
}
