// SPDX-License-Identifier: Apache-2.0
// A good configuration for the tests of the blob and its checks.
#include "tests/unit/config_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct config *good_config(void)
{
    static struct config config;
    struct config_partition *p = config.partitions;

    config = (struct config){.partition_count = 3};
    p[0] = (struct config_partition){.name = "alpha",
                                     .memory = MIB(512),
                                     .image = "vmlinuz",
                                     .initrd = "initrd.gz",
                                     .cmdline = "console=ttyS0",
                                     .cpu_mode = BLOB_CPUS_ANY,
                                     .cpu_count = 2};
    p[1] = (struct config_partition){.name = "beta",
                                     .memory = MIB(256),
                                     .image = "bench.elf",
                                     .initrd = "",
                                     .cmdline = "n=1000",
                                     .cpu_mode = BLOB_CPUS_LISTED,
                                     .cpu_count = 1,
                                     .cpus = {{.number = 3}},
                                     .ioport_count = 1,
                                     .ioports = {{.ports = {0xf4, 0xf7}}},
                                     .device_count = 1,
                                     .devices = {{.device = {0, 0, 0x18}}},
                                     .flags = BLOB_TRUST_DMA};
    p[2] = (struct config_partition){
        .name = "gamma",
        .memory = MIB(2),
        .image = "mb.elf",
        .initrd = "",
        .cmdline = "",
        .cpu_mode = BLOB_CPUS_LISTED,
        .cpu_count = 2,
        .cpus = {{.number = 5}, {.number = 4}},
        .module_count = 2,
        .modules = {{.name = "one", .cmdline = "a b"}, {.name = "two", .cmdline = ""}},
        .ioport_count = 2,
        .ioports = {{.ports = {0x500, 0x50f}}, {.ports = {0x600, 0x600}}},
        .device_count = 2,
        .devices = {{.device = {1, 2, 0xff}}, {.device = {0, 0, 0x21}}},
        .flags = BLOB_STOP_ON_DMA_FAULT};
    return &config;
}

struct blob_header *blob_of(const struct config *config)
{
    size_t size;
    struct blob_header *blob = config_to_blob(config, &size);

    assert_int_equal(size, blob->size);
    return blob;
}

struct blob_header *copy_of(const struct blob_header *blob, size_t size)
{
    struct blob_header *copy = malloc(size == 0 ? 1 : size);

    assert_non_null(copy);
    memcpy(copy, blob, size);
    return copy;
}

void seal(struct blob_header *blob)
{
    blob->crc32 = blob_crc32(&blob->partition_count,
                             blob->size - offsetof(struct blob_header, partition_count));
}

void assert_problem(const struct blob_problem *problem, enum blob_problem_kind kind, int partition,
                    enum blob_field field, int item, const char *part)
{
    if (strstr(problem->text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, problem->text);
    assert_int_equal(problem->kind, kind);
    assert_int_equal(problem->partition, partition);
    assert_int_equal(problem->field, field);
    assert_int_equal(problem->item, item);
}
