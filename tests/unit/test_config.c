// SPDX-License-Identifier: Apache-2.0
// The form of the configuration blob: what was written is read back, and whatever is cut off,
// flipped or out of bounds is refused without reading outside the blob (ASan watches).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config_fixture.h"

static struct blob_problems problems;

static void test_crc32(void **state)
{
    (void)state;
    // The check value that every description of this CRC gives.
    assert_int_equal(blob_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(blob_crc32("", 0), 0);
}

static void test_magic(void **state)
{
    (void)state;
    assert_true(blob_has_magic("BULKHEAD", 8));
    assert_true(blob_has_magic("BULKHEADER", 10));
    assert_false(blob_has_magic("BULKHEAD", 7));
    assert_false(blob_has_magic("bulkhead", 8));
    assert_false(blob_has_magic("", 0));
}

static void assert_device(struct blob_device d, unsigned segment, unsigned bus, unsigned device,
                          unsigned function)
{
    assert_int_equal(d.segment, segment);
    assert_int_equal(d.bus, bus);
    assert_int_equal(d.devfn >> 3, device);
    assert_int_equal(d.devfn & 7, function);
}

static void test_device_text(void **state)
{
    char text[BLOB_DEVICE_TEXT_SIZE];

    (void)state;
    assert_string_equal(blob_device_text((struct blob_device){0, 0, 0x18}, text), "00:03.0");
    assert_string_equal(blob_device_text((struct blob_device){0, 0xab, 0xff}, text), "ab:1f.7");
    assert_string_equal(blob_device_text((struct blob_device){1, 2, 0x21}, text), "0001:02:04.1");
    assert_string_equal(blob_device_text((struct blob_device){0xffff, 0xff, 0xff}, text),
                        "ffff:ff:1f.7");
}

static void test_reads_back(void **state)
{
    struct blob_header *blob = blob_of(good_config());
    const struct blob_partition *p;

    (void)state;
    assert_int_equal(blob_check(blob, blob->size, &problems), STATUS_OK);
    assert_int_equal(problems.count, 0);
    assert_int_equal(blob->partition_count, 3);

    p = blob_partition(blob, 0);
    assert_string_equal(p->name, "alpha");
    assert_int_equal(p->memory, MIB(512));
    assert_int_equal(p->cpu_mode, BLOB_CPUS_ANY);
    assert_int_equal(p->cpu_count, 2);
    assert_string_equal(blob_string(blob, p->image), "vmlinuz");
    assert_string_equal(blob_string(blob, p->initrd), "initrd.gz");
    assert_string_equal(blob_string(blob, p->cmdline), "console=ttyS0");
    assert_int_equal(p->module_count, 0);
    assert_int_equal(p->ioport_count, 0);
    assert_int_equal(p->device_count, 0);
    assert_int_equal(p->flags, 0);

    p = blob_partition(blob, 1);
    assert_string_equal(p->name, "beta");
    assert_int_equal(p->cpu_mode, BLOB_CPUS_LISTED);
    assert_int_equal(p->cpus[0], 3);
    assert_int_equal(p->initrd, 0);
    assert_string_equal(blob_string(blob, p->initrd), "");
    assert_int_equal(p->ioport_count, 1);
    assert_int_equal(blob_ioports(blob, p)[0].first, 0xf4);
    assert_int_equal(blob_ioports(blob, p)[0].last, 0xf7);
    assert_int_equal(p->device_count, 1);
    assert_device(blob_devices(blob, p)[0], 0, 0, 3, 0);
    assert_int_equal(p->flags, BLOB_TRUST_DMA);

    p = blob_partition(blob, 2);
    assert_int_equal(p->cpu_count, 2);
    assert_int_equal(p->cpus[0], 5); // the order of a list is kept
    assert_int_equal(p->cpus[1], 4);
    assert_int_equal(p->module_count, 2);
    assert_string_equal(blob_string(blob, blob_modules(blob, p)[0].name), "one");
    assert_string_equal(blob_string(blob, blob_modules(blob, p)[0].cmdline), "a b");
    assert_string_equal(blob_string(blob, blob_modules(blob, p)[1].name), "two");
    assert_string_equal(blob_string(blob, blob_modules(blob, p)[1].cmdline), "");
    assert_int_equal(p->ioport_count, 2);
    assert_int_equal(blob_ioports(blob, p)[0].first, 0x500);
    assert_int_equal(blob_ioports(blob, p)[1].last, 0x600);
    assert_int_equal(p->device_count, 2);
    assert_device(blob_devices(blob, p)[0], 1, 2, 31, 7);
    assert_device(blob_devices(blob, p)[1], 0, 0, 4, 1);
    assert_int_equal(p->flags, BLOB_STOP_ON_DMA_FAULT);
    free(blob);
}

static struct blob_hash hash_of(uint8_t byte)
{
    struct blob_hash hash = {.is_given = 1};

    memset(hash.sha256, byte, sizeof(hash.sha256));
    return hash;
}

// The uses of modules, in order, with the hashes that they have.
static void test_uses(void **state)
{
    struct config *config = good_config();
    struct blob_header *blob;
    struct blob_use use;

    (void)state;
    config->partitions[0].initrd_hash = hash_of(0x11);
    config->partitions[1].image_hash = hash_of(0x22);
    config->partitions[2].modules[1].hash = hash_of(0x33);
    blob = blob_of(config);
    assert_int_equal(blob_check(blob, blob->size, &problems), STATUS_OK);

    assert_true(blob_use(blob, blob_partition(blob, 0), 0, &use));
    assert_string_equal(use.name, "vmlinuz");
    assert_null(use.sha256);
    assert_int_equal(use.field, BLOB_FIELD_IMAGE);
    assert_int_equal(use.hash_field, BLOB_FIELD_IMAGE_SHA256);
    assert_int_equal(use.item, -1);
    assert_true(blob_use(blob, blob_partition(blob, 0), 1, &use));
    assert_string_equal(use.name, "initrd.gz");
    assert_memory_equal(use.sha256, hash_of(0x11).sha256, SHA256_SIZE);
    assert_int_equal(use.field, BLOB_FIELD_INITRD);
    assert_int_equal(use.hash_field, BLOB_FIELD_INITRD_SHA256);
    assert_int_equal(use.item, -1);
    assert_false(blob_use(blob, blob_partition(blob, 0), 2, &use));

    assert_true(blob_use(blob, blob_partition(blob, 1), 0, &use));
    assert_memory_equal(use.sha256, hash_of(0x22).sha256, SHA256_SIZE);
    assert_false(blob_use(blob, blob_partition(blob, 1), 1, &use));

    assert_true(blob_use(blob, blob_partition(blob, 2), 1, &use));
    assert_string_equal(use.name, "one");
    assert_null(use.sha256);
    assert_int_equal(use.item, 0);
    assert_true(blob_use(blob, blob_partition(blob, 2), 2, &use));
    assert_string_equal(use.name, "two");
    assert_memory_equal(use.sha256, hash_of(0x33).sha256, SHA256_SIZE);
    assert_int_equal(use.field, BLOB_FIELD_MODULES);
    assert_int_equal(use.hash_field, BLOB_FIELD_MODULES);
    assert_int_equal(use.item, 1);
    assert_false(blob_use(blob, blob_partition(blob, 2), 3, &use));

    assert_ptr_equal(blob_module_sha256(blob, "two"), use.sha256);
    assert_null(blob_module_sha256(blob, "vmlinuz"));
    assert_null(blob_module_sha256(blob, "tw"));
    free(blob);
}

// ---- damage ----------------------------------------------------------------------------------

static void test_every_truncation_is_refused(void **state)
{
    struct blob_header *blob = blob_of(good_config());

    (void)state;
    for (size_t size = 0; size < blob->size; size++) {
        struct blob_header *cut = copy_of(blob, size);

        assert_int_equal(blob_check(cut, size, &problems), ERR_TRUNCATED);
        assert_problem(&problems.list[0], BLOB_BAD_SIZE, -1, BLOB_FIELD_NONE, -1, "truncated");
        free(cut);
    }
    free(blob);
}

// Cut at every length, with a header that agrees with it.
static void test_every_sealed_truncation_is_refused(void **state)
{
    struct blob_header *blob = blob_of(good_config());

    (void)state;
    for (size_t size = sizeof(*blob); size < blob->size; size++) {
        struct blob_header *cut = copy_of(blob, size);

        cut->size = (uint32_t)size;
        seal(cut);
        assert_int_equal(blob_check(cut, size, &problems), ERR_INVALID);
        assert_problem(&problems.list[0], BLOB_BAD_LAYOUT, -1, BLOB_FIELD_NONE, -1, "add up");
        free(cut);
    }
    free(blob);
}

static void test_every_flipped_bit_is_refused(void **state)
{
    struct blob_header *blob = blob_of(good_config());
    unsigned char *bytes = (unsigned char *)blob;
    size_t size = blob->size;

    (void)state;
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            enum status status, expected;

            bytes[i] = (unsigned char)(bytes[i] ^ (1 << bit));
            status = blob_check(blob, size, &problems);
            expected = i < 8    ? ERR_INVALID
                       : i < 12 ? ERR_VERSION
                       : i < 16 ? ERR_TRUNCATED
                                : ERR_CHECKSUM;
            assert_int_equal(status, expected);
            assert_int_equal(problems.count, 1);
            bytes[i] = (unsigned char)(bytes[i] ^ (1 << bit));
        }
    }
    free(blob);
}

// A hostile blob has a good checksum. Every byte takes telling values: whatever the check lets
// through must be readable through the accessors, within the blob.
static void test_no_sealed_change_leads_outside(void **state)
{
    static const unsigned char values[] = {0x00, 0x01, 0x1f, 0x20, 0x7f, 0x80, 0xff};
    struct blob_header *good = blob_of(good_config());
    size_t accepted = 0;
    size_t refused = 0;

    (void)state;
    for (size_t i = offsetof(struct blob_header, partition_count); i < good->size; i++) {
        for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
            struct blob_header *blob = copy_of(good, good->size);
            size_t length = 0;

            ((unsigned char *)blob)[i] = values[v];
            seal(blob);
            if (blob_check(blob, blob->size, &problems) != STATUS_OK) {
                refused++;
                assert_true(problems.count > 0);
                assert_true(strlen(problems.list[0].text) > 0);
                free(blob);
                continue;
            }
            accepted++;
            for (unsigned k = 0; k < blob->partition_count; k++) {
                const struct blob_partition *p = blob_partition(blob, k);

                length += strlen(p->name) + strlen(blob_string(blob, p->image)) +
                          strlen(blob_string(blob, p->initrd)) +
                          strlen(blob_string(blob, p->cmdline));
                for (unsigned m = 0; m < p->module_count; m++)
                    length += strlen(blob_string(blob, blob_modules(blob, p)[m].name)) +
                              strlen(blob_string(blob, blob_modules(blob, p)[m].cmdline));
                for (unsigned m = 0; m < p->ioport_count; m++)
                    assert_true(blob_ioports(blob, p)[m].first <= blob_ioports(blob, p)[m].last);
                for (unsigned m = 0; m < p->device_count; m++)
                    length += blob_devices(blob, p)[m].devfn;
            }
            assert_true(length > 0);
            free(blob);
        }
    }
    // Both happen: a letter of a name may change, a count may not.
    assert_true(accepted > 100);
    assert_true(refused > 100);
    free(good);
}

static void test_says_what_is_wrong_with_the_file(void **state)
{
    struct blob_header *blob = blob_of(good_config());
    struct blob_header *longer;
    size_t size = blob->size;

    (void)state;
    assert_int_equal(blob_check("hello, world", 12, &problems), ERR_INVALID);
    assert_problem(&problems.list[0], BLOB_BAD_MAGIC, -1, BLOB_FIELD_NONE, -1, "BULKHEAD");

    blob->version = 7;
    seal(blob);
    assert_int_equal(blob_check(blob, size, &problems), ERR_VERSION);
    assert_problem(&problems.list[0], BLOB_BAD_VERSION, -1, BLOB_FIELD_NONE, -1,
                   "has version 7, this Bulkhead reads version 4");
    blob->version = BLOB_VERSION;

    blob->crc32 ^= 1;
    assert_int_equal(blob_check(blob, size, &problems), ERR_CHECKSUM);
    assert_problem(&problems.list[0], BLOB_BAD_CHECKSUM, -1, BLOB_FIELD_NONE, -1, "damaged");
    seal(blob);
    assert_int_equal(blob_check(blob, size, &problems), STATUS_OK);

    longer = calloc(1, size + 1);
    assert_non_null(longer);
    memcpy(longer, blob, size);
    assert_int_equal(blob_check(longer, size + 1, &problems), ERR_TRUNCATED);
    assert_problem(&problems.list[0], BLOB_BAD_SIZE, -1, BLOB_FIELD_NONE, -1, "but there are");
    free(longer);
    free(blob);
}

static void test_size_limit(void **state)
{
    static char cmdlines[40][BLOB_MAX_CMDLINE + 1];
    struct config *config = good_config();
    struct config_partition *p = &config->partitions[2];
    struct blob_header *blob;

    (void)state;
    p->module_count = 40;
    for (unsigned i = 0; i < p->module_count; i++) {
        memset(cmdlines[i], 'x', BLOB_MAX_CMDLINE);
        p->modules[i] = (struct config_module){.name = "m", .cmdline = cmdlines[i]};
    }
    blob = blob_of(config);
    assert_int_equal(blob_check(blob, blob->size, &problems), ERR_TRUNCATED);
    assert_problem(&problems.list[0], BLOB_BAD_SIZE, -1, BLOB_FIELD_NONE, -1, "at most 65536");
    free(blob);

    p->module_count = 30;
    blob = blob_of(config);
    assert_int_equal(blob_check(blob, blob->size, &problems), STATUS_OK);
    free(blob);
}

// ---- layout ----------------------------------------------------------------------------------

// A writable view of a blob's parts.
static struct blob_partition *partition_of(struct blob_header *blob, unsigned index)
{
    return (struct blob_partition *)(blob + 1) + index;
}

static void expect_bad_layout(struct blob_header *blob, int partition, const char *part)
{
    seal(blob);
    assert_int_equal(blob_check(blob, blob->size, &problems), ERR_INVALID);
    assert_problem(&problems.list[0], BLOB_BAD_LAYOUT, partition, BLOB_FIELD_NONE, -1, part);
    free(blob);
}

static void test_bad_sections(void **state)
{
    struct blob_header *blob;

    (void)state;
    blob = blob_of(good_config());
    blob->partition_count = MAX_PARTITIONS + 1;
    expect_bad_layout(blob, -1, "too many partitions (17)");

    blob = blob_of(good_config());
    blob->partition_count = UINT32_MAX;
    expect_bad_layout(blob, -1, "too many partitions");

    blob = blob_of(good_config());
    blob->module_count = BLOB_MAX_MODULES + 1;
    expect_bad_layout(blob, -1, "too many modules");

    blob = blob_of(good_config());
    blob->ioport_count = BLOB_MAX_IOPORTS + 1;
    expect_bad_layout(blob, -1, "too many ranges");

    blob = blob_of(good_config());
    blob->device_count = BLOB_MAX_DEVICES + 1;
    expect_bad_layout(blob, -1, "too many devices (65)");

    blob = blob_of(good_config());
    blob->strings_size = UINT32_MAX;
    expect_bad_layout(blob, -1, "too many bytes of strings");

    blob = blob_of(good_config());
    blob->partition_count--;
    expect_bad_layout(blob, -1, "don't add up");
}

static void test_bad_strings(void **state)
{
    struct blob_header *blob;

    (void)state;
    blob = blob_of(good_config());
    ((char *)blob)[blob->size - 1] = 'x';
    expect_bad_layout(blob, -1, "last string is not terminated");

    blob = blob_of(good_config());
    ((char *)blob)[blob->size - blob->strings_size] = 'x';
    expect_bad_layout(blob, -1, "first string is not empty");

    // A blob without partitions and without a single byte of strings.
    blob = blob_of(good_config());
    blob->partition_count = blob->module_count = blob->ioport_count = 0;
    blob->device_count = blob->strings_size = 0;
    blob->size = sizeof(*blob);
    expect_bad_layout(blob, -1, "no strings");

    blob = blob_of(good_config());
    partition_of(blob, 0)->image = blob->strings_size;
    expect_bad_layout(blob, 0, "image lies outside");

    blob = blob_of(good_config());
    partition_of(blob, 1)->initrd = UINT32_MAX;
    expect_bad_layout(blob, 1, "initrd lies outside");

    blob = blob_of(good_config());
    partition_of(blob, 2)->cmdline = blob->strings_size + 4;
    expect_bad_layout(blob, 2, "cmdline lies outside");

    blob = blob_of(good_config());
    ((struct blob_module *)partition_of(blob, 3))[1].name = blob->strings_size;
    expect_bad_layout(blob, 2, "module's name lies outside");

    blob = blob_of(good_config());
    ((struct blob_module *)partition_of(blob, 3))[0].cmdline = blob->strings_size;
    expect_bad_layout(blob, 2, "module's cmdline lies outside");

    blob = blob_of(good_config());
    memset(partition_of(blob, 1)->name, 'n', BLOB_NAME_SIZE);
    expect_bad_layout(blob, 1, "name is not terminated");
    // Such a name is not printed.
    assert_null(strstr(problems.list[0].text, "nnn"));
    assert_non_null(strstr(problems.list[0].text, "partition number 2: "));
}

static void test_bad_slices(void **state)
{
    struct blob_header *blob;

    (void)state;
    blob = blob_of(good_config());
    partition_of(blob, 0)->module_count = 1; // gamma's
    expect_bad_layout(blob, 1, "modules are not where");

    blob = blob_of(good_config());
    partition_of(blob, 2)->module_count = UINT32_MAX;
    expect_bad_layout(blob, 2, "modules are not where");

    blob = blob_of(good_config()); // two each, but there are only two
    partition_of(blob, 1)->module_count = 2;
    partition_of(blob, 2)->module_first = 2;
    expect_bad_layout(blob, 2, "modules are not where");

    blob = blob_of(good_config());
    partition_of(blob, 2)->module_count = 1;
    expect_bad_layout(blob, -1, "modules belong to no partition");

    blob = blob_of(good_config());
    partition_of(blob, 2)->ioport_first = 0; // beta's
    expect_bad_layout(blob, 2, "I/O ports are not where");

    blob = blob_of(good_config());
    partition_of(blob, 2)->ioport_count = 3;
    expect_bad_layout(blob, 2, "I/O ports are not where");

    blob = blob_of(good_config());
    partition_of(blob, 2)->ioport_count = 1;
    expect_bad_layout(blob, -1, "I/O ports belong to no partition");

    blob = blob_of(good_config());
    partition_of(blob, 2)->device_first = 0; // beta's
    expect_bad_layout(blob, 2, "devices are not where");

    blob = blob_of(good_config());
    partition_of(blob, 2)->device_count = 3;
    expect_bad_layout(blob, 2, "devices are not where");

    blob = blob_of(good_config());
    partition_of(blob, 2)->device_count = 1;
    expect_bad_layout(blob, -1, "devices belong to no partition");
}

static void test_bad_device_fields(void **state)
{
    struct config *config = good_config();
    struct blob_header *blob;

    (void)state;
    blob = blob_of(config);
    partition_of(blob, 0)->flags = BLOB_FLAGS + 1;
    expect_bad_layout(blob, 0, "flags are unknown (64)");

    blob = blob_of(config);
    partition_of(blob, 1)->reserved = 1;
    expect_bad_layout(blob, 1, "reserved");

    // As many as a partition may have, and one that alpha's neighbour would like to have too.
    config->partitions[1].device_count = BLOB_MAX_PARTITION_DEVICES;
    for (uint8_t i = 0; i < BLOB_MAX_PARTITION_DEVICES; i++)
        config->partitions[1].devices[i].device = (struct blob_device){0, 1, i};
    blob = blob_of(config);
    assert_int_equal(blob_check(blob, blob->size, &problems), STATUS_OK);
    partition_of(blob, 1)->device_count++; // gamma's first
    partition_of(blob, 2)->device_first++;
    partition_of(blob, 2)->device_count--;
    expect_bad_layout(blob, 1, "too many devices (17)");
}

static void test_bad_hash_fields(void **state)
{
    struct blob_header *blob;

    (void)state;
    blob = blob_of(good_config());
    partition_of(blob, 0)->image_hash.is_given = 2;
    expect_bad_layout(blob, 0, "says of a hash is unknown (2)");

    blob = blob_of(good_config());
    partition_of(blob, 1)->image_hash.sha256[0] = 1;
    expect_bad_layout(blob, 1, "a hash where it says that there is none");

    blob = blob_of(good_config());
    partition_of(blob, 2)->initrd_hash.sha256[SHA256_SIZE - 1] = 0x80;
    expect_bad_layout(blob, 2, "a hash where it says that there is none");

    blob = blob_of(good_config());
    ((struct blob_module *)partition_of(blob, 3))[1].hash.is_given = UINT32_MAX;
    expect_bad_layout(blob, 2, "says of a hash is unknown");
}

static void test_bad_cpu_fields(void **state)
{
    struct blob_header *blob;

    (void)state;
    blob = blob_of(good_config());
    partition_of(blob, 1)->cpu_mode = 2;
    expect_bad_layout(blob, 1, "CPU mode is unknown (2)");

    blob = blob_of(good_config());
    partition_of(blob, 1)->cpu_count = MAX_CPUS + 1;
    expect_bad_layout(blob, 1, "list of CPUs is too long");

    blob = blob_of(good_config());
    partition_of(blob, 1)->cpus[MAX_CPUS - 1] = 9;
    expect_bad_layout(blob, 1, "after its list of CPUs");

    blob = blob_of(good_config());
    partition_of(blob, 0)->cpus[0] = 1; // has a count, so no list
    expect_bad_layout(blob, 0, "after its list of CPUs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32),
        cmocka_unit_test(test_magic),
        cmocka_unit_test(test_device_text),
        cmocka_unit_test(test_reads_back),
        cmocka_unit_test(test_uses),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_every_sealed_truncation_is_refused),
        cmocka_unit_test(test_every_flipped_bit_is_refused),
        cmocka_unit_test(test_no_sealed_change_leads_outside),
        cmocka_unit_test(test_says_what_is_wrong_with_the_file),
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_bad_sections),
        cmocka_unit_test(test_bad_strings),
        cmocka_unit_test(test_bad_slices),
        cmocka_unit_test(test_bad_hash_fields),
        cmocka_unit_test(test_bad_cpu_fields),
        cmocka_unit_test(test_bad_device_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
