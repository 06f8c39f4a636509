// SPDX-License-Identifier: Apache-2.0
// Hashes of modules in bulkhead-config: those of files, those by hand, and what is said where they
// differ or there is none.
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

#include "partitions/config_value.h"
#include "tests/unit/config_fixture.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of "abc"

static char folder[32];
static struct config_messages messages;

static const char *path_of(const char *name)
{
    static char path[64];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// a/vmlinuz and b/vmlinuz differ; the former is that of good_config()'s alpha.
static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_config_hash.XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(path_of("a"), 0700), 0);
    assert_int_equal(mkdir(path_of("b"), 0700), 0);
    assert_int_equal(mkdir(path_of("a/one"), 0700), 0); // a folder is no module
    put("a/vmlinuz", "abc");
    put("b/vmlinuz", "other");
    put("b/initrd.gz", "");
    put("b/bench.elf", "b");
    put("b/mb.elf", "m");
    put("b/one", "1");
    put("b/two", "2");
    return 0;
}

static int teardown(void **state)
{
    static const char *const files[] = {"a/vmlinuz", "b/vmlinuz", "b/initrd.gz", "b/bench.elf",
                                        "b/mb.elf",  "b/one",     "b/two"};

    (void)state;
    config_messages_free(&messages);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        unlink(path_of(files[i]));
    rmdir(path_of("a/one"));
    rmdir(path_of("a"));
    rmdir(path_of("b"));
    return rmdir(folder);
}

static void hash_modules(struct config *config)
{
    static char a[64], b[64];
    struct config_folders folders = {2, {a, b}};

    strcpy(a, path_of("a"));
    strcpy(b, path_of("b"));
    config_messages_free(&messages);
    config->partitions[0].fields[BLOB_FIELD_IMAGE].line = 3;
    config->partitions[0].fields[BLOB_FIELD_IMAGE_SHA256].line = 4;
    config->partitions[2].modules[1].place.line = 9;
    config_hash_modules(config, &folders, &messages);
}

static void assert_hash(const struct blob_hash *hash, const char *text)
{
    uint8_t expected[SHA256_SIZE];

    assert_int_equal(config_parse_sha256(text, expected), STATUS_OK);
    assert_int_equal(hash->is_given, 1);
    assert_memory_equal(hash->sha256, expected, SHA256_SIZE);
}

static void assert_one_message(unsigned line, const char *part)
{
    assert_int_equal(messages.count, 1);
    assert_int_equal(messages.list[0].place.line, line);
    if (strstr(messages.list[0].text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, messages.list[0].text);
}

static void test_files(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[2].image = "vmlinuz"; // twice the same
    hash_modules(config);
    assert_int_equal(messages.count, 0);
    assert_hash(&config->partitions[0].image_hash, ABC);
    assert_hash(&config->partitions[2].image_hash, ABC);
    assert_hash(&config->partitions[0].initrd_hash,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(config->partitions[1].initrd_hash.is_given, 0); // it has none
    assert_hash(&config->partitions[2].modules[0].hash,
                "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b");
}

static void test_large_file(void **state)
{
    static char text[100001];
    struct config *config = good_config();

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    put("a/vmlinuz", text);
    hash_modules(config);
    assert_int_equal(messages.count, 0);
    assert_hash(&config->partitions[0].image_hash,
                "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee");
}

static void test_missing_file(void **state)
{
    struct config *config = good_config();

    (void)state;
    unlink(path_of("b/two"));
    hash_modules(config);
    assert_one_message(9, "partition \"gamma\": there is no file \"two\" in /tmp/");
    assert_non_null(strstr(messages.list[0].text, "/b; put it there or give its SHA-256 by hand"));

    // Said once for a module that several use; not at all where its hash is by hand, anywhere.
    config = good_config();
    config->partitions[1].image = config->partitions[2].image = "two";
    hash_modules(config);
    assert_one_message(0, "partition \"beta\": there is no file \"two\"");
    config->partitions[2].modules[1].hash.is_given = 1;
    hash_modules(config);
    assert_int_equal(messages.count, 0);
    assert_int_equal(config->partitions[1].image_hash.is_given, 0);

    // A bad name has its message elsewhere, and is not printed.
    config = good_config();
    config->partitions[2].name = "bad name";
    hash_modules(config);
    assert_one_message(9, "partition number 3: there is no file \"two\"");
    config->partitions[2].modules[1].name = "";
    hash_modules(config);
    assert_int_equal(messages.count, 0);
}

static void test_long_path(void **state)
{
    static char name[5000];
    struct config *config = good_config();

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    config->partitions[0].image = name;
    hash_modules(config);
    assert_one_message(3, "there is no file");
}

// A file that goes while it is read is simulated by one that can be opened, but not read.
static void test_unreadable_file(void **state)
{
    struct config *config = good_config();

    (void)state;
    unlink(path_of("a/vmlinuz"));
    assert_int_equal(symlink("/proc/self/mem", path_of("a/vmlinuz")), 0);
    hash_modules(config);
    assert_one_message(3, "a/vmlinuz can't be read: ");
    assert_int_equal(config->partitions[0].image_hash.is_given, 0);
}

static void test_by_hand(void **state)
{
    struct config *config = good_config();
    struct blob_hash *hash = &config->partitions[0].image_hash;

    (void)state;
    hash->is_given = 1;
    assert_int_equal(config_parse_sha256(ABC, hash->sha256), STATUS_OK);
    hash_modules(config);
    assert_int_equal(messages.count, 0);
    assert_hash(hash, ABC);

    hash->sha256[31] = 0xae;
    hash_modules(config);
    assert_one_message(
        4, "partition \"alpha\": the SHA-256 of module \"vmlinuz\" is given as "
           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ae, but /tmp/");
    assert_non_null(strstr(messages.list[0].text, "/a/vmlinuz has " ABC "; correct it"));
    assert_hash(hash, ABC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unreadable_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_hand, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
