// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
// Gives bulkhead-config a configuration file of any content. What it has nothing to say against
// becomes a blob that the hypervisor's check accepts; what it refuses it refuses with a message
// that stands on a line of the file.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "partitions/config.h"
#include "tests/fuzz/fuzz.h"

// libconfig leaks the text that a syntax error interrupts.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static int file;
static char path[32];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    file = memfd_create("configuration", 0);
    CHECK(file >= 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    return 0;
}

static void check_messages(const struct config_messages *messages, unsigned lines)
{
    for (size_t i = 0; i < messages->count; i++) {
        CHECK(messages->list[i].text[0] != '\0');
        CHECK(strcmp(messages->list[i].place.file, path) == 0);
        CHECK(messages->list[i].place.line <= lines);
    }
}

// One line is printed for each.
static void check_printed(struct config_messages *messages)
{
    FILE *real = stderr;
    char *text;
    size_t size;
    size_t lines = 0;

    stderr = open_memstream(&text, &size);
    CHECK(stderr != NULL);
    config_messages_print(messages);
    fclose(stderr);
    stderr = real;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    CHECK(lines >= messages->count);
    free(text);
}

static void check_good(const struct blob_header *blob, size_t size)
{
    static struct blob_problems problems;
    struct blob seen;

    CHECK(blob_check(blob, size, &seen, &problems) == STATUS_OK && problems.count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    struct config_messages messages = {0};
    unsigned lines = 1;
    struct blob_header *blob;
    size_t blob_size;
    config_t tree;

    // Files of this machine are no input.
    if (size == 0 || memmem(data, size, "@include", 8) != NULL)
        return 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);

    config_init(&tree);
    config_parse(path, &tree, &config, &messages);
    blob = config_to_blob(&config, &blob_size);
    config_check(&config, blob, blob_size, &messages);
    check_messages(&messages, lines);
    check_printed(&messages);
    if (messages.count == 0)
        check_good(blob, blob_size);
    free(blob);
    config_messages_free(&messages);
    config_free(&config);
    config_destroy(&tree);
    return 0;
}
