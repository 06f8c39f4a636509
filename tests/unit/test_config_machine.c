// SPDX-License-Identifier: Apache-2.0
// A configuration against a machine: what is missing is named with what there is, and CPUs are
// shared out as the manual says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config_fixture.h"

static struct blob_problems problems;

static const char *const modules[] = {"vmlinuz", "initrd.gz", "bench.elf", "mb.elf", "one", "two"};

static const struct machine_limits big_enough = {.cpu_count = 6,
                                                 .usable_memory = MIB(770),
                                                 .module_names = modules,
                                                 .module_count = ARRAY_SIZE(modules)};

static enum status check(const struct config *config, const struct machine_limits *machine)
{
    return blob_check_machine(checked_blob(config), machine, &problems);
}

static void expect(const struct machine_limits *machine, enum status status,
                   enum blob_problem_kind kind, int partition, enum blob_field field, int item,
                   const char *part)
{
    assert_int_equal(check(good_config(), machine), status);
    assert_problem(&problems.list[0], kind, partition, field, item, part);
    assert_int_equal(problems.count, 1);
}

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(check(good_config(), &big_enough), STATUS_OK);
    assert_int_equal(problems.count, 0);
}

static void test_cpus(void **state)
{
    struct machine_limits machine = big_enough;
    struct config *config;

    (void)state;
    machine.cpu_count = 5;
    expect(&machine, ERR_RANGE, BLOB_NO_SUCH_CPU, 2, BLOB_FIELD_CPUS, 0,
           "partition \"gamma\": CPU 5 is not there: this machine's 5 CPUs are numbered 0 to 4");

    // Lists come first, so it is the count that finds too few, and it is told how many are left.
    config = good_config();
    config->partitions[0].cpu_count = 4;
    assert_int_equal(check(config, &big_enough), ERR_RANGE);
    assert_int_equal(problems.count, 1);
    assert_problem(&problems.list[0], BLOB_TOO_FEW_CPUS, 0, BLOB_FIELD_CPUS, -1,
                   "partition \"alpha\": it wants 4 CPUs, but 3 of this machine's 6 are left");
    config->partitions[0].cpu_count = 3;
    assert_int_equal(check(config, &big_enough), STATUS_OK);

    // Two counts draw on the same CPUs.
    config->partitions[0].cpu_count = 2;
    config->partitions[1].cpus = NULL;
    config->partitions[1].cpu_count = 3;
    assert_int_equal(check(config, &big_enough), ERR_RANGE);
    assert_int_equal(problems.count, 1);
    assert_problem(&problems.list[0], BLOB_TOO_FEW_CPUS, 1, BLOB_FIELD_CPUS, -1,
                   "partition \"beta\": it wants 3 CPUs, but 2 of this machine's 6 are left");
    config->partitions[1].cpu_count = 2;
    assert_int_equal(check(config, &big_enough), STATUS_OK);

    // A single CPU: every partition has something to say.
    machine.cpu_count = 1;
    assert_int_equal(check(good_config(), &machine), ERR_RANGE);
    assert_int_equal(problems.count, 4);
    assert_problem(&problems.list[0], BLOB_TOO_FEW_CPUS, 0, BLOB_FIELD_CPUS, -1, "1 of");
    assert_problem(&problems.list[1], BLOB_NO_SUCH_CPU, 1, BLOB_FIELD_CPUS, 0, "CPU 3");
    assert_problem(&problems.list[3], BLOB_NO_SUCH_CPU, 2, BLOB_FIELD_CPUS, 1, "CPU 4");
}

static void test_memory(void **state)
{
    struct machine_limits machine = big_enough;

    (void)state;
    machine.usable_memory -= 1;
    expect(&machine, ERR_NO_MEMORY, BLOB_TOO_LITTLE_MEMORY, 2, BLOB_FIELD_MEMORY, -1,
           "it wants 2 MiB of memory, but 1 of this machine's 769 MiB are left");

    // alpha doesn't fit, the others would.
    machine.usable_memory = MIB(400);
    expect(&machine, ERR_NO_MEMORY, BLOB_TOO_LITTLE_MEMORY, 0, BLOB_FIELD_MEMORY, -1,
           "partition \"alpha\": it wants 512 MiB of memory, but 400 of this machine's 400 MiB");

    machine.usable_memory = 0;
    assert_int_equal(check(good_config(), &machine), ERR_NO_MEMORY);
    assert_int_equal(problems.count, 3);
}

static void test_modules(void **state)
{
    static const enum blob_field field_of_module[] = {BLOB_FIELD_IMAGE,   BLOB_FIELD_INITRD,
                                                      BLOB_FIELD_IMAGE,   BLOB_FIELD_IMAGE,
                                                      BLOB_FIELD_MODULES, BLOB_FIELD_MODULES};
    static const int partition_of_module[] = {0, 0, 1, 2, 2, 2};
    struct machine_limits machine = big_enough;

    (void)state;
    // Without each one in turn.
    for (unsigned missing = 0; missing < ARRAY_SIZE(modules); missing++) {
        const char *loaded[ARRAY_SIZE(modules)];
        char part[64] = "there is no module \"";

        machine.module_names = loaded;
        machine.module_count = 0;
        for (unsigned i = 0; i < ARRAY_SIZE(modules); i++) {
            if (i != missing)
                loaded[machine.module_count++] = modules[i];
        }
        strcat(part, modules[missing]);
        expect(&machine, ERR_NOT_FOUND, BLOB_NO_MODULE, partition_of_module[missing],
               field_of_module[missing], missing < 4 ? -1 : (int)missing - 4, part);
        for (unsigned i = 0; i < machine.module_count; i++)
            assert_non_null(strstr(problems.list[0].text, loaded[i]));
    }

    machine.module_count = 0;
    machine.module_names = NULL;
    assert_int_equal(check(good_config(), &machine), ERR_NOT_FOUND);
    assert_int_equal(problems.count, 6);
    assert_non_null(strstr(problems.list[0].text, "(loaded: none)"));
}

static void test_ambiguous_module(void **state)
{
    const char *const loaded[] = {"vmlinuz", "initrd.gz", "bench.elf", "mb.elf",
                                  "one",     "two",       "one"};
    struct machine_limits machine = big_enough;

    (void)state;
    machine.module_names = loaded;
    machine.module_count = ARRAY_SIZE(loaded);
    expect(&machine, ERR_EXISTS, BLOB_AMBIGUOUS_MODULE, 2, BLOB_FIELD_MODULES, 0,
           "loaded 2 modules \"one\"");
}

// However long the names: the message keeps its end, which says what to do.
static void test_long_module_names(void **state)
{
    static char long_name[BLOB_MAX_MODULE_NAME + 1];
    const char *const loaded[] = {"vmlinuz", "initrd.gz", "bench.elf", "mb.elf",
                                  "one",     "two",       long_name,   long_name};
    struct machine_limits machine = big_enough;
    struct config *config = good_config();

    (void)state;
    memset(long_name, 'm', BLOB_MAX_MODULE_NAME);
    machine.module_names = loaded;
    machine.module_count = ARRAY_SIZE(loaded) - 1;
    config->partitions[0].name = "alpha-alpha-alpha-alpha-alpha-a";
    config->partitions[0].image = "a-module-with-a-name-that-is-longer-than-what-a-message-shows";
    assert_int_equal(check(config, &machine), ERR_NOT_FOUND);
    assert_int_equal(problems.count, 1);
    assert_problem(&problems.list[0], BLOB_NO_MODULE, 0, BLOB_FIELD_IMAGE, -1,
                   "(loaded: vmlinuz, initrd.gz, bench.elf, mb.elf, one, two, ...); have the boot "
                   "loader load it or correct its name");

    machine.module_count = ARRAY_SIZE(loaded);
    config->partitions[0].image = long_name;
    assert_int_equal(check(config, &machine), ERR_EXISTS);
    assert_non_null(strstr(problems.list[0].text, "command lines"));
}

static void test_kept_ports(void **state)
{
    static const struct blob_kept_ports kept[] = {
        {0xb000, 0xb03f, "power management"},
        {0x50f, 0x510, "the physical console"},
    };
    struct machine_limits machine = big_enough;

    (void)state;
    machine.kept_ports = kept;
    machine.kept_port_count = 1;
    assert_int_equal(check(good_config(), &machine), STATUS_OK);
    machine.kept_port_count = 2;
    expect(&machine, ERR_DENIED, BLOB_KEPT_PORTS, 2, BLOB_FIELD_IOPORTS, 0,
           "keeps 0x50f-0x510 on this machine: the physical console");
}

// ---- sharing out CPUs ------------------------------------------------------------------------

static enum status assign(const struct config *config, unsigned cpu_count,
                          struct blob_cpu_owner owner[MAX_CPUS])
{
    struct blob_header *file = blob_of(config);
    struct blob blob;
    enum status status;

    (void)blob_check(file, file->size, &blob, &problems); // that lists overlap is found here too
    status = blob_assign_cpus(&blob, cpu_count, owner);
    free(file);
    return status;
}

static void assert_owner(const struct blob_cpu_owner *owner, int partition, unsigned vcpu)
{
    assert_int_equal(owner->partition, partition);
    assert_int_equal(owner->vcpu, vcpu);
}

static void test_assign(void **state)
{
    struct blob_cpu_owner owner[MAX_CPUS];

    (void)state;
    memset(owner, 0x55, sizeof(owner));
    assert_int_equal(assign(good_config(), 8, owner), STATUS_OK);
    assert_owner(&owner[0], 0, 0);
    assert_owner(&owner[1], 0, 1);
    assert_owner(&owner[2], BLOB_NOBODY, 0);
    assert_owner(&owner[3], 1, 0);
    assert_owner(&owner[4], 2, 1); // gamma lists 5, 4
    assert_owner(&owner[5], 2, 0);
    for (unsigned i = 6; i < MAX_CPUS; i++)
        assert_owner(&owner[i], BLOB_NOBODY, 0);
}

// Lists of later partitions are set aside before earlier partitions count.
static void test_assign_around_lists(void **state)
{
    struct config *config = good_config();
    struct blob_cpu_owner owner[MAX_CPUS];

    (void)state;
    config->partitions[1].cpus[0].number = 0;
    config->partitions[2].cpus[0].number = 2;
    config->partitions[2].cpus[1].number = 3;
    assert_int_equal(assign(config, 5, owner), STATUS_OK);
    assert_owner(&owner[0], 1, 0);
    assert_owner(&owner[1], 0, 0);
    assert_owner(&owner[2], 2, 0);
    assert_owner(&owner[3], 2, 1);
    assert_owner(&owner[4], 0, 1);
    assert_int_equal(assign(config, 4, owner), ERR_RANGE); // one too few for alpha's count
}

static void test_assign_refuses(void **state)
{
    struct config *config = good_config();
    struct blob_cpu_owner owner[MAX_CPUS];

    (void)state;
    assert_int_equal(assign(config, 5, owner), ERR_RANGE); // gamma's CPU 5
    assert_int_equal(assign(config, 0, owner), ERR_RANGE);
    config->partitions[2].cpus[0].number = 3; // beta's
    assert_int_equal(assign(config, 8, owner), ERR_EXISTS);
}

static void test_assign_all(void **state)
{
    struct config *config = good_config();
    struct blob_cpu_owner owner[MAX_CPUS];
    unsigned next = 0;

    (void)state;
    config->partitions[0].cpu_count = MAX_CPUS - 3;
    // More CPUs than the tables hold are as good as those they hold.
    assert_int_equal(assign(config, MAX_CPUS + 10, owner), STATUS_OK);
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        if (i < 3 || i > 5)
            assert_owner(&owner[i], 0, next++);
    }
    assert_int_equal(next, MAX_CPUS - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_ambiguous_module),
        cmocka_unit_test(test_long_module_names),
        cmocka_unit_test(test_kept_ports),
        cmocka_unit_test(test_assign),
        cmocka_unit_test(test_assign_around_lists),
        cmocka_unit_test(test_assign_refuses),
        cmocka_unit_test(test_assign_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
