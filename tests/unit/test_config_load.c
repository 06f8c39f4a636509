// SPDX-License-Identifier: Apache-2.0
// hv/machine/config.c: which module is the configuration, and what is said where none can be used.
// That a bad one is refused is tested with partitions/blob.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/memory/percpu.h"
#include "hv/machine/config.h"
#include "hv/machine/machine.h"
#include "hv/memory/guest_mem.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/fake_print.h"

struct machine machine;
struct io_range machine_kept_ports[MACHINE_MAX_KEPT_PORTS];
unsigned machine_kept_port_count;
unsigned cpu_count;

// ---- the modules, in memory -------------------------------------------------------------------

#define BASE_STEP MIB(8)

static const void *contents[9];
static bool unreadable; // except their first bytes

enum status module_read(const struct boot_module *m, uint64_t offset, void *buffer, size_t size)
{
    assert_true(size <= m->size || m->size < BLOB_MAGIC_SIZE);
    if (size > m->size || (unreadable && size > BLOB_MAGIC_SIZE))
        return ERR_RANGE;
    memcpy(buffer, (const uint8_t *)contents[m->base / BASE_STEP] + offset, size);
    return STATUS_OK;
}

static void add_module(const char *name, const void *data, uint64_t size)
{
    unsigned i = machine.boot.module_count++;

    contents[i] = data;
    machine.boot.modules[i] = (struct boot_module){i * BASE_STEP, size, name};
}

// The files that good_config() names, on a machine that has what it needs.
static int setup(void **state)
{
    static const char *const names[] = {"vmlinuz", "initrd.gz", "bench.elf",
                                        "mb.elf",  "one",       "two"};

    (void)state;
    memset(&machine, 0, sizeof(machine));
    machine.memory.count = 1;
    machine.memory.free[0] = (struct page_range){MIB(16), GIB(8)};
    cpu_count = 8;
    machine_kept_port_count = 0;
    unreadable = false;
    fake_heap_reset();
    fake_print_clear();
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        add_module(names[i], "no configuration", 16);
    add_module("short", "BULK", 4);
    return 0;
}

static struct blob_header *made[2];
static unsigned made_count;

static void add_config(const char *name, const struct config *config)
{
    struct blob_header *file = blob_of(config);
    made[made_count++] = file;
    add_module(name, file, file->size);
}

static int end(void **state)
{
    (void)state;
    while (made_count > 0)
        free(made[--made_count]);
    return 0;
}

// ---- finding it -------------------------------------------------------------------------------

static void test_none(void **state)
{
    (void)state;
    assert_false(config_is_there());
    assert_int_equal(config_heap_size(), 0);
    assert_false(config_gives_framebuffer());
    assert_int_equal(config_load(), ERR_NOT_FOUND);
    assert_true(fake_printed("no configuration among the 7 modules"));
}

static void test_one(void **state)
{
    (void)state;
    add_config("test.bin", good_config());
    assert_true(config_is_there());
    assert_int_equal(config_heap_size(), 6 * PAGE_SIZE);
    assert_int_equal(config_load(), STATUS_OK);
    assert_int_equal(fake_print_count(), 0);
    // beta has CPU 3, gamma 5 and 4 in this order, alpha the first two that are left.
    static const int owner[] = {0, 0, BLOB_NOBODY, 1, 2, 2, BLOB_NOBODY, BLOB_NOBODY};
    for (unsigned i = 0; i < cpu_count; i++)
        assert_int_equal(machine.cpu_owner[i].partition, owner[i]);
    assert_int_equal(machine.cpu_owner[5].vcpu, 0);
}

static void test_two(void **state)
{
    (void)state;
    add_config("first.bin", good_config());
    add_config("second.bin", good_config());
    assert_int_equal(config_load(), ERR_NOT_FOUND);
    assert_true(fake_printed("\"first.bin\" and \"second.bin\" both are one"));
}

// ---- what can't be used ------------------------------------------------------------------------

static void test_too_large(void **state)
{
    (void)state;
    add_module("large.bin", "BULKHEAD", BLOB_MAX_SIZE + 1);
    assert_int_equal(config_heap_size(), 0);
    assert_false(config_gives_framebuffer());
    assert_int_equal(config_load(), ERR_INVALID);
    assert_true(
        fake_printed("module \"large.bin\" has 4194305 bytes, a configuration at most 4194304"));
}

static void test_unreadable(void **state)
{
    (void)state;
    add_config("test.bin", good_config());
    unreadable = true;
    assert_false(config_gives_framebuffer());
    assert_int_equal(config_load(), ERR_RANGE);
}

// Each problem has a line, and those that there is no room for are counted.
static void test_bad(void **state)
{
    (void)state;
    add_config("test.bin", good_config());
    machine.boot.modules[0].name = "another";
    assert_int_not_equal(config_load(), STATUS_OK);
    assert_true(fake_printed("configuration: partition \"alpha\": "));
    assert_true(fake_printed("\"vmlinuz\""));
    assert_int_equal(fake_print_count(), 1);
}

static void test_no_memory(void **state)
{
    (void)state;
    add_config("test.bin", good_config());
    fake_heap_fail_after(0);
    assert_false(config_gives_framebuffer());
    assert_int_equal(config_load(), ERR_NO_MEMORY);
    assert_true(fake_printed("no memory to check it"));
    fake_heap_fail_after(1); // the list of problems is had
    assert_int_equal(config_load(), ERR_NO_MEMORY);
    assert_true(fake_printed("configuration: no memory for it"));
}

// ---- the framebuffer ---------------------------------------------------------------------------

static void test_framebuffer(void **state)
{
    (void)state;
    struct config *config = good_config();
    add_config("without.bin", config);
    assert_false(config_gives_framebuffer());
    config->partitions[1].flags |= BLOB_FRAMEBUFFER;
    add_config("with.bin", config);
    assert_true(config_gives_framebuffer());
    assert_int_equal(fake_heap_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, setup, end),
        cmocka_unit_test_setup_teardown(test_one, setup, end),
        cmocka_unit_test_setup_teardown(test_two, setup, end),
        cmocka_unit_test_setup_teardown(test_too_large, setup, end),
        cmocka_unit_test_setup_teardown(test_unreadable, setup, end),
        cmocka_unit_test_setup_teardown(test_bad, setup, end),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, end),
        cmocka_unit_test_setup_teardown(test_framebuffer, setup, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
