// SPDX-License-Identifier: Apache-2.0
// The check of the loaded modules against the configuration's hashes: each once, to its last byte,
// and every one that differs is named.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/tsc.h"
#include "hv/machine/machine.h"
#include "hv/machine/module_hash.h"
#include "hv/memory/guest_mem.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/fake_print.h"

struct machine machine;

// ---- the modules, in memory -------------------------------------------------------------------

#define BASE_STEP MIB(1)

static uint8_t contents[3][3 * PAGE_SIZE];
static uint64_t bytes_read[3];
static bool unreadable;
static uint64_t now;

uint64_t time_us(void)
{
    return now += 50;
}

enum status module_read(const struct boot_module *m, uint64_t offset, void *buffer, size_t size)
{
    unsigned index = (unsigned)(m->base / BASE_STEP);

    assert_true(offset <= m->size && size <= m->size - offset);
    if (unreadable)
        return ERR_RANGE;
    memcpy(buffer, contents[index] + offset, size);
    bytes_read[index] += size;
    return STATUS_OK;
}

static struct blob_hash hash_of(unsigned index)
{
    const struct boot_module *m = &machine.boot.modules[index];
    struct blob_hash hash = {.is_given = 1};
    struct sha256 s;

    sha256_init(&s);
    sha256_update(&s, contents[index], m->size);
    sha256_final(&s, hash.sha256);
    return hash;
}

// "vmlinuz", "one" and "two" of three sizes, of which the first two are no whole number of pages.
static void load_modules(void)
{
    static const char *const names[] = {"vmlinuz", "one", "two"};
    static const uint64_t sizes[] = {2 * PAGE_SIZE + 17, 0, 3 * PAGE_SIZE};

    machine.boot.module_count = 3;
    for (unsigned i = 0; i < 3; i++) {
        struct boot_module *m = &machine.boot.modules[i];

        *m = (struct boot_module){i * BASE_STEP, sizes[i], names[i]};
        for (size_t k = 0; k < sizeof(contents[i]); k++)
            contents[i][k] = (uint8_t)(k * 3 + k / 255 + i);
    }
}

// What the configuration says is kept until the next call.
static enum status check(const struct config *config)
{
    machine.config = checked_blob(config);
    memset(bytes_read, 0, sizeof(bytes_read));
    fake_print_clear();
    enum status s = module_hashes_check();
    assert_int_equal(fake_heap_used(), 0);
    return s;
}

// Two partitions with the same image, of which each gives its hash; one of two modules has one.
static struct config *hashed_config(void)
{
    struct config *config = good_config();

    load_modules();
    config->partitions[1].image = "vmlinuz";
    config->partitions[0].image_hash = config->partitions[1].image_hash = hash_of(0);
    config->partitions[2].modules[1].hash = hash_of(2);
    return config;
}

static int setup(void **state)
{
    (void)state;
    fake_heap_reset();
    unreadable = false;
    return 0;
}

// ---- tests ------------------------------------------------------------------------------------

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(check(hashed_config()), STATUS_OK);
    assert_true(fake_printed("hashes of 2 modules checked in 50 us\n"));
    assert_int_equal(fake_print_count(), 1);
    assert_int_equal(bytes_read[0], 2 * PAGE_SIZE + 17); // once, though two use it
    assert_int_equal(bytes_read[1], 0);
    assert_int_equal(bytes_read[2], 3 * PAGE_SIZE);
}

static void test_no_hashes(void **state)
{
    (void)state;
    load_modules();
    assert_int_equal(check(good_config()), STATUS_OK);
    assert_int_equal(fake_print_count(), 0);
    assert_int_equal(bytes_read[0], 0);
}

static void test_empty_module(void **state)
{
    struct config *config = hashed_config();

    (void)state;
    config->partitions[2].modules[0].hash = hash_of(1);
    assert_int_equal(check(config), STATUS_OK);
    assert_true(fake_printed("hashes of 3 modules"));
    config->partitions[2].modules[0].hash.sha256[31] ^= 1;
    assert_int_equal(check(config), ERR_CHECKSUM);
    assert_true(fake_printed("\"one\" is not the file"));
    assert_true(fake_printed("starts with e3b0c44298fc1c14, expected is e3b0c44298fc1c14;"));
}

static void test_every_page_counts(void **state)
{
    const size_t places[] = {0, PAGE_SIZE - 1, PAGE_SIZE, 2 * PAGE_SIZE, 2 * PAGE_SIZE + 16};
    struct config *config = hashed_config();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        contents[0][places[i]] ^= 0x10;
        assert_int_equal(check(config), ERR_CHECKSUM);
        assert_true(fake_printed("configuration: module \"vmlinuz\" is not the file that the "
                                 "configuration was built for: its SHA-256 starts with "));
        assert_true(fake_printed("load that file, or build the configuration again\n"));
        assert_false(fake_printed("\"two\""));
        contents[0][places[i]] ^= 0x10;
    }
    contents[0][2 * PAGE_SIZE + 17] ^= 1; // behind its end
    assert_int_equal(check(config), STATUS_OK);
}

static void test_all_that_differ_are_named(void **state)
{
    struct config *config = hashed_config();

    (void)state;
    contents[0][100] ^= 1;
    machine.boot.modules[2].size--;
    assert_int_equal(check(config), ERR_CHECKSUM);
    assert_true(fake_printed("\"vmlinuz\" is not the file"));
    assert_true(fake_printed("\"two\" is not the file"));
}

static void test_unreadable(void **state)
{
    struct config *config = hashed_config();

    (void)state;
    unreadable = true;
    assert_int_equal(check(config), ERR_RANGE);
    assert_true(fake_printed("\"vmlinuz\" can't be read to check its SHA-256"));
}

static void test_no_memory(void **state)
{
    (void)state;
    fake_heap_fail_after(0);
    assert_int_equal(check(hashed_config()), ERR_NO_MEMORY);
    assert_true(fake_printed("no memory to check the modules' hashes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good, setup),
        cmocka_unit_test_setup(test_no_hashes, setup),
        cmocka_unit_test_setup(test_empty_module, setup),
        cmocka_unit_test_setup(test_every_page_counts, setup),
        cmocka_unit_test_setup(test_all_that_differ_are_named, setup),
        cmocka_unit_test_setup(test_unreadable, setup),
        cmocka_unit_test_setup(test_no_memory, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
