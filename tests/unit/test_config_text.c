// SPDX-License-Identifier: Apache-2.0
// A configuration's files as one text: what is included, byte order marks, and the place of each
// line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/lib/types.h"
#include "partitions/config_text.h"

static char folder[32];
static struct config_messages messages;

static const char *path_of(const char *name)
{
    static char path[2][96];
    static unsigned next;

    next ^= 1;
    snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
    return path[next];
}

static void put(const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_config_text.XXXXXX");
    assert_non_null(mkdtemp(folder));
    return mkdir(path_of("sub"), 0700);
}

static int teardown(void **state)
{
    static const char *const files[] = {"a", "b", "c", "sub/d", "q\"\\"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        unlink(path_of(files[i]));
    rmdir(path_of("sub"));
    return rmdir(folder);
}

static struct config_text *read_text(const char *name, bool expected)
{
    struct config_text *text = malloc(sizeof(*text));
    bool good;

    assert_non_null(text);
    good = config_text_read(text, path_of(name), &messages);
    assert_int_equal(good, expected);
    assert_int_equal(messages.count, expected ? 0 : 1);
    return text;
}

static void finish(struct config_text *text)
{
    config_messages_free(&messages);
    config_text_free(text);
}

// Line `line` of the text is `file_line` of the file.
static void expect_place(const struct config_text *text, unsigned line, const char *name,
                         unsigned file_line)
{
    struct config_place place = config_text_place(text, line);

    assert_string_equal(place.file, path_of(name));
    assert_int_equal(place.line, file_line);
}

static void expect_text(const char *contents, const char *expected)
{
    struct config_text *text;

    put_text("a", contents);
    text = read_text("a", true);
    assert_string_equal(text->bytes, expected);
    assert_int_equal(text->size, strlen(expected));
    finish(text);
}

static void test_one_file(void **state)
{
    (void)state;
    expect_text("a = 1;\n# end", "a = 1;\n# end\n");
    expect_text("", "\n");
    expect_text("a\n", "a\n");
    expect_text("\xef\xbb\xbf"
                "a = \"\xef\xbb\xbf\";\n",
                "a = \"\xef\xbb\xbf\";\n");
    // No directive: in a comment, a text, or behind something.
    expect_text("# @include \"x\"\n/*\n@include \"x\"\n*/ @include \"x\"\n",
                "# @include \"x\"\n/*\n@include \"x\"\n*/ @include \"x\"\n");
}

static void test_includes(void **state)
{
    struct config_text *text;

    (void)state;
    put_text("a", "one\n  @include \"b\" two\nthree\n@include\t\"sub/d\"\nfour");
    put_text("b", "\xef\xbb\xbfin b\n@include \"c\"\nstill b");
    put_text("c", "");
    put_text("sub/d", "in d\n");
    text = read_text("a", true);
    assert_string_equal(text->bytes, "one\n  \nin b\n\n\nstill b\n two\nthree\n\nin d\n\nfour\n");
    expect_place(text, 1, "a", 1);
    expect_place(text, 2, "a", 2);
    expect_place(text, 3, "b", 1);
    expect_place(text, 6, "b", 3);
    expect_place(text, 7, "a", 2);
    expect_place(text, 8, "a", 3);
    expect_place(text, 9, "a", 4);
    expect_place(text, 10, "sub/d", 1);
    expect_place(text, 12, "a", 5);
    expect_place(text, 0, "a", 0);
    finish(text);
}

static void test_names(void **state)
{
    char contents[128];

    (void)state;
    put_text("q\"\\", "x");
    expect_text("@include \"q\\\"\\\\\"", "\nx\n");
    put_text("b", "y\n");
    snprintf(contents, sizeof(contents), "@include \"%s\"\n", path_of("b"));
    expect_text(contents, "\ny\n\n");
}

// What is said, and on which line of which file.
static void expect_refused(const char *name, const char *file, unsigned line, const char *part)
{
    struct config_text *text = read_text(name, false);

    if (strstr(messages.list[0].text, part) == NULL)
        fail_msg("%s: %s", part, messages.list[0].text);
    assert_string_equal(messages.list[0].place.file, path_of(file));
    assert_int_equal(messages.list[0].place.line, line);
    finish(text);
}

static void test_refused(void **state)
{
    static char large[CONFIG_MAX_FILE_SIZE + 1];

    (void)state;
    expect_refused("none", "none", 0, "can't be read: No such file");
    expect_refused("sub", "sub", 0, "can't be read: Is a directory");
    put_text("a", "\n@include \"none\"\n");
    expect_refused("a", "a", 2, "none\" can't be read: No such file");
    put_text("a", "\n@include \"sub\"\n");
    expect_refused("a", "a", 2, "sub\" can't be read: Is a directory");
    put_text("a", "x\n@include b\n");
    expect_refused("a", "a", 2, "after @include the file's name must stand in quotes");
    put_text("a", "\n\n@include \"a\"\n");
    expect_refused("a", "a", 3, "deeper than 10 files; does a file include itself?");
    put("a",
        "\xff\xfe"
        "a\0",
        4);
    expect_refused("a", "a", 0, "is UTF-16; save it as UTF-8");
    put("a", "a = 1;\0", 7);
    expect_refused("a", "a", 0, "is no text: it has bytes that are 0");
    put_text("b", "@include \"a\"");
    expect_refused("b", "a", 0, "is no text");
    memset(large, '\n', sizeof(large));
    put("a", large, sizeof(large));
    expect_refused("a", "a", 0, "has more than 1 MiB");
    expect_refused("b", "a", 0, "has more than 1 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_includes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
