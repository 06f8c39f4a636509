// SPDX-License-Identifier: Apache-2.0
// bulkhead-config: checks a configuration file, makes the blob that the hypervisor loads, and shows
// a blob. This file is its command line; docs/configuration.md is its manual.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "partitions/config.h"
#include "version.h"

enum exit_code {
    EXIT_GOOD = 0,
    EXIT_BAD = 1,   // the configuration is wrong, or a file can't be read or written
    EXIT_USAGE = 2, // the command line is wrong
};

static const char usage[] =
    "usage: bulkhead-config check FILE          says all that is wrong with a configuration\n"
    "       bulkhead-config build FILE -o BLOB  checks it and writes what the hypervisor loads\n"
    "       bulkhead-config show BLOB           prints what such a file holds\n"
    "       bulkhead-config limits              prints what a configuration can't exceed, and why\n"
    "       bulkhead-config --help | --version\n"
    "\n"
    "  -m, --modules DIR  for check and build: where the modules' files are. The configuration "
    "gets\n"
    "                     their SHA-256, and other files are then not started. May be repeated.\n"
    "\n"
    "A configuration names the partitions of a machine; docs/configuration.md describes it.\n"
    "Exit status: 0 done, 1 the configuration is bad or a file can't be read or written,\n"
    "2 this command line is wrong.\n";

// Whether the path is a regular file with contents that no build has made: a configuration, or one
// of its modules.
static bool is_other_file(const char *path)
{
    char magic[BLOB_MAGIC_SIZE];
    struct stat info;

    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0)
        return false;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    bool is_blob = blob_has_magic(magic, fread(magic, 1, sizeof(magic), file));
    fclose(file);
    return !is_blob;
}

static enum exit_code write_file(const char *path, const void *data, size_t size)
{
    size_t written = 0;

    if (is_other_file(path)) {
        fprintf(
            stderr,
            "%s: is there, and is no compiled configuration: it is left as it was; remove it, or "
            "give another name with -o\n",
            path);
        return EXIT_BAD;
    }
    FILE *file = fopen(path, "wb");
    if (file != NULL) {
        written = fwrite(data, 1, size, file);
        // A full disk may be noticed only when the last bytes are written.
        if (fclose(file) == 0 && written == size)
            return EXIT_GOOD;
    }
    // blob_check() refuses an incomplete file, because its size and checksum are wrong.
    fprintf(stderr, "%s: can't be written: %s\n", path, strerror(errno));
    return EXIT_BAD;
}

// Does `check` if output is NULL, else `build`.
static enum exit_code compile(const char *path, const struct config_folders *folders,
                              const char *output)
{
    struct config config;
    struct config_messages messages = {0};
    enum exit_code code = EXIT_BAD;
    struct blob_header *blob;
    config_t tree;
    size_t size;

    config_init(&tree);
    config_parse(path, &tree, &config, &messages);
    if (folders->count != 0)
        config_hash_modules(&config, folders, &messages);
    blob = config_to_blob(&config, &size);
    config_check(&config, blob, size, &messages);

    if (messages.count != 0) {
        config_messages_print(&messages);
    } else if (output != NULL) {
        code = write_file(output, blob, size);
    } else {
        printf("%s: good, %u partition%s\n", path, config.partition_count,
               config.partition_count == 1 ? "" : "s");
        code = EXIT_GOOD;
    }
    free(blob);
    config_messages_free(&messages);
    config_free(&config);
    config_destroy(&tree);
    return code;
}

// Reads one byte more than a blob may have, so that blob_check() can see that it is too long.
static enum exit_code show(const char *path)
{
    static _Alignas(8) unsigned char data[BLOB_MAX_SIZE + 1];
    static struct blob_problems problems;
    struct blob blob;
    FILE *file = fopen(path, "rb");
    size_t size = 0;

    if (file != NULL)
        size = fread(data, 1, sizeof(data), file);
    if (file == NULL || ferror(file)) {
        fprintf(stderr, "%s: can't be read: %s\n", path, strerror(errno));
        if (file != NULL)
            fclose(file);
        return EXIT_BAD;
    }
    fclose(file);

    if (blob_check(data, size, &blob, &problems) != STATUS_OK) {
        for (unsigned i = 0; i < blob_problems_kept(&problems); i++)
            fprintf(stderr, "%s: %s\n", path, problems.list[i].text);
        return EXIT_BAD;
    }
    config_show(&blob);
    return EXIT_GOOD;
}

static enum exit_code bad_usage(const char *what, const char *which)
{
    fprintf(stderr, "bulkhead-config: %s%s\n%s", what, which, usage);
    return EXIT_USAGE;
}

static enum exit_code run(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"output", required_argument, NULL, 'o'},
        {"modules", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0},
    };
    struct config_folders folders = {0};
    const char *output = NULL;
    const char *command;
    bool is_build, is_show, is_limits;
    int option;

    while ((option = getopt_long(argc, argv, "ho:m:", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            fputs(usage, stdout);
            return EXIT_GOOD;
        case 'V':
            printf("bulkhead-config %s, blob version %d\n", BULKHEAD_VERSION, BLOB_VERSION);
            return EXIT_GOOD;
        case 'o':
            output = optarg;
            break;
        case 'm':
            if (folders.count == CONFIG_MAX_FOLDERS)
                return bad_usage("there are too many folders of modules, at ", optarg);
            folders.path[folders.count++] = optarg;
            break;
        default: // getopt_long() has printed what is wrong
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }

    if (optind == argc)
        return bad_usage("say what to do", "");
    command = argv[optind++];
    is_build = strcmp(command, "build") == 0;
    is_show = strcmp(command, "show") == 0;
    is_limits = strcmp(command, "limits") == 0;
    if (!is_build && strcmp(command, "check") != 0 && !is_show && !is_limits)
        return bad_usage("there is no command ", command);
    if (is_limits && (optind != argc || output != NULL || folders.count != 0))
        return bad_usage("nothing more is said to ", command);
    if (is_limits) {
        config_show_limits();
        return EXIT_GOOD;
    }
    if (optind + 1 != argc)
        return bad_usage("one file is needed by ", command);
    if (is_build && output == NULL)
        return bad_usage("say where to write with -o BLOB to ", command);
    if (!is_build && output != NULL)
        return bad_usage("-o is not for ", command);
    if (is_show && folders.count != 0)
        return bad_usage("--modules is not for ", command);

    if (is_show)
        return show(argv[optind]);
    return compile(argv[optind], &folders, output);
}

int main(int argc, char **argv)
{
    enum exit_code code = run(argc, argv);

    // Lost output is a failure too.
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "bulkhead-config: can't write: %s\n", strerror(errno));
        return EXIT_BAD;
    }
    return (int)code;
}
