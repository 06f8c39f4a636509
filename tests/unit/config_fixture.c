// SPDX-License-Identifier: Apache-2.0
// A good configuration for the tests of the blob and its checks.
#include "tests/unit/config_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void give_room(struct config_partition *p, unsigned index)
{
    static struct config_cpu cpus[FIXTURE_PARTITIONS][MAX_CPUS + 1];
    static struct config_module modules[FIXTURE_PARTITIONS][BLOB_MAX_MODULES + 1];
    static struct config_ioports ioports[FIXTURE_PARTITIONS][BLOB_MAX_IOPORTS + 1];
    static struct config_device devices[FIXTURE_PARTITIONS][BLOB_MAX_DEVICES + 1];

    p->cpus = memset(cpus[index], 0, sizeof(cpus[0]));
    p->modules = memset(modules[index], 0, sizeof(modules[0]));
    p->ioports = memset(ioports[index], 0, sizeof(ioports[0]));
    p->devices = memset(devices[index], 0, sizeof(devices[0]));
}

struct config *good_config(void)
{
    static struct config config;
    static struct config_partition partitions[FIXTURE_PARTITIONS];
    struct config_partition *p = partitions;

    config = (struct config){.partition_count = 3, .partitions = partitions};
    memset(partitions, 0, sizeof(partitions));
    for (unsigned i = 0; i < FIXTURE_PARTITIONS; i++)
        give_room(&p[i], i);

    p[0].name = "alpha";
    p[0].memory = MIB(512);
    p[0].image = "vmlinuz";
    p[0].initrd = "initrd.gz";
    p[0].cmdline = "console=ttyS0";
    p[0].cpu_count = 2;
    p[0].cpus = NULL;

    p[1].name = "beta";
    p[1].memory = MIB(256);
    p[1].image = "bench.elf";
    p[1].initrd = "";
    p[1].cmdline = "n=1000";
    p[1].cpu_count = 1;
    p[1].cpus[0].number = 3;
    p[1].ioport_count = 1;
    p[1].ioports[0].ports = (struct blob_ioports){0xf4, 0xf7};
    p[1].device_count = 1;
    p[1].devices[0].device = (struct blob_device){0, 0, 0x18};
    p[1].flags = BLOB_TRUST_DMA;

    p[2].name = "gamma";
    p[2].memory = MIB(2);
    p[2].image = "mb.elf";
    p[2].initrd = p[2].cmdline = "";
    p[2].cpu_count = 2;
    p[2].cpus[0].number = 5;
    p[2].cpus[1].number = 4;
    p[2].module_count = 2;
    p[2].modules[0] = (struct config_module){.name = "one", .cmdline = "a b"};
    p[2].modules[1] = (struct config_module){.name = "two", .cmdline = ""};
    p[2].ioport_count = 2;
    p[2].ioports[0].ports = (struct blob_ioports){0x500, 0x50f};
    p[2].ioports[1].ports = (struct blob_ioports){0x600, 0x600};
    p[2].device_count = 2;
    p[2].devices[0].device = (struct blob_device){1, 2, 0xff};
    p[2].devices[1].device = (struct blob_device){0, 0, 0x21};
    p[2].flags = BLOB_STOP_ON_DMA_FAULT;
    return &config;
}

struct blob_header *blob_of(const struct config *config)
{
    size_t size;
    struct blob_header *file = config_to_blob(config, &size);

    assert_int_equal(size, file->size);
    return file;
}

const struct blob *checked_blob(const struct config *config)
{
    static struct blob_problems problems;
    static struct blob_header *file;
    static struct blob blob;

    free(file);
    file = blob_of(config);
    if (blob_check(file, file->size, &blob, &problems) != STATUS_OK)
        fail_msg("%s", problems.list[0].text);
    return &blob;
}

struct blob_header *copy_of(const struct blob_header *file, size_t size)
{
    struct blob_header *copy = malloc(size == 0 ? 1 : size);

    assert_non_null(copy);
    memcpy(copy, file, size);
    return copy;
}

void seal(struct blob_header *file)
{
    file->crc32 =
        blob_crc32(&file->section_count, file->size - offsetof(struct blob_header, section_count));
}

struct blob_section *section_of(struct blob_header *file, const char *type)
{
    struct blob_section *s = (struct blob_section *)(file + 1);

    for (unsigned i = 0; i < file->section_count; i++) {
        if (strncmp(s[i].type, type, BLOB_TYPE_SIZE) == 0)
            return &s[i];
    }
    fail_msg("there is no section \"%s\"", type);
    return NULL;
}

void *records_of(struct blob_header *file, const char *type)
{
    return (char *)file + section_of(file, type)->offset;
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
