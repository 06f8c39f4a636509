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

// What blob_check() says of a file.
static enum status check(const struct blob_header *file, size_t size)
{
    struct blob blob;

    return blob_check(file, size, &blob, &problems);
}

static void test_reads_back(void **state)
{
    const struct blob *blob = checked_blob(good_config());
    const struct blob_partition *p;

    (void)state;
    assert_int_equal(blob_partition_count(blob), 3);

    p = blob_partition(blob, 0);
    assert_string_equal(blob_name(blob, 0), "alpha");
    assert_int_equal(p->memory, MIB(512));
    assert_int_equal(p->cpus.count, 0);
    assert_int_equal(p->cpu_count, 2);
    assert_string_equal(blob_string(blob, p->image), "vmlinuz");
    assert_string_equal(blob_string(blob, p->initrd), "initrd.gz");
    assert_string_equal(blob_string(blob, p->cmdline), "console=ttyS0");
    assert_int_equal(p->modules.count, 0);
    assert_int_equal(p->ioports.count, 0);
    assert_int_equal(p->devices.count, 0);
    assert_int_equal(p->flags, 0);

    p = blob_partition(blob, 1);
    assert_string_equal(blob_name(blob, 1), "beta");
    assert_int_equal(p->cpus.count, 1);
    assert_int_equal(blob_cpus(blob, p)[0].number, 3);
    assert_int_equal(p->initrd, 0);
    assert_string_equal(blob_string(blob, p->initrd), "");
    assert_int_equal(p->ioports.count, 1);
    assert_int_equal(blob_ioports(blob, p)[0].first, 0xf4);
    assert_int_equal(blob_ioports(blob, p)[0].last, 0xf7);
    assert_int_equal(p->devices.count, 1);
    assert_device(blob_devices(blob, p)[0], 0, 0, 3, 0);
    assert_int_equal(p->flags, BLOB_TRUST_DMA);

    p = blob_partition(blob, 2);
    assert_int_equal(p->cpu_count, 2);
    assert_int_equal(p->cpus.count, 2);
    assert_int_equal(blob_cpus(blob, p)[0].number, 5); // the order of a list is kept
    assert_int_equal(blob_cpus(blob, p)[1].number, 4);
    assert_int_equal(p->modules.count, 2);
    assert_string_equal(blob_string(blob, blob_modules(blob, p)[0].name), "one");
    assert_string_equal(blob_string(blob, blob_modules(blob, p)[0].cmdline), "a b");
    assert_string_equal(blob_string(blob, blob_modules(blob, p)[1].name), "two");
    assert_string_equal(blob_string(blob, blob_modules(blob, p)[1].cmdline), "");
    assert_int_equal(p->ioports.count, 2);
    assert_int_equal(blob_ioports(blob, p)[0].first, 0x500);
    assert_int_equal(blob_ioports(blob, p)[1].last, 0x600);
    assert_int_equal(p->devices.count, 2);
    assert_device(blob_devices(blob, p)[0], 1, 2, 31, 7);
    assert_device(blob_devices(blob, p)[1], 0, 0, 4, 1);
    assert_int_equal(p->flags, BLOB_STOP_ON_DMA_FAULT);
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
    const struct blob *blob;
    struct blob_use use;

    (void)state;
    config->partitions[0].initrd_hash = hash_of(0x11);
    config->partitions[1].image_hash = hash_of(0x22);
    config->partitions[2].modules[1].hash = hash_of(0x33);
    blob = checked_blob(config);

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
}

// Each type once, in the order of BLOB_SECTIONS, and none without records.
static void test_sections_written(void **state)
{
    static const char *const types[] = {"strings", "partitions", "cpus",
                                        "modules", "ioports",    "devices"};
    struct config *config = good_config();
    struct blob_header *file = blob_of(config);
    const struct blob_section *s = (const struct blob_section *)(file + 1);

    (void)state;
    assert_int_equal(file->section_count, 6);
    for (unsigned i = 0; i < 6; i++)
        assert_string_equal(s[i].type, types[i]);
    assert_int_equal(s[1].record_size, sizeof(struct blob_partition));
    assert_int_equal(s[1].size, 3 * sizeof(struct blob_partition));
    assert_int_equal(s[2].size, 3 * sizeof(struct blob_cpu));
    free(file);

    config->partition_count = 1; // alpha has but itself
    file = blob_of(config);
    s = (const struct blob_section *)(file + 1);
    assert_int_equal(file->section_count, 2);
    assert_string_equal(s[1].type, "partitions");
    assert_int_equal(blob_count(checked_blob(config), BLOB_DEVICES), 0);
    free(file);
}

// ---- damage ----------------------------------------------------------------------------------

static void test_every_truncation_is_refused(void **state)
{
    struct blob_header *blob = blob_of(good_config());

    (void)state;
    for (size_t size = 0; size < blob->size; size++) {
        struct blob_header *cut = copy_of(blob, size);

        assert_int_equal(check(cut, size), ERR_TRUNCATED);
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
        assert_int_equal(check(cut, size), ERR_INVALID);
        assert_problem(&problems.list[0], BLOB_BAD_LAYOUT, -1, BLOB_FIELD_NONE, -1,
                       size == sizeof(*blob) ? "table of sections leads outside" : "lead");
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
            status = check(blob, size);
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

// Everything that a reader of an accepted blob may read.
static void read_all(const struct blob *blob)
{
    size_t length = 0;

    for (unsigned k = 0; k < blob_partition_count(blob); k++) {
        const struct blob_partition *p = blob_partition(blob, k);

        length += strlen(blob_name(blob, k)) + strlen(blob_string(blob, p->image)) +
                  strlen(blob_string(blob, p->initrd)) + strlen(blob_string(blob, p->cmdline));
        for (unsigned m = 0; m < p->cpus.count; m++)
            assert_true(blob_cpus(blob, p)[m].number < MAX_CPUS);
        for (unsigned m = 0; m < p->modules.count; m++)
            length += strlen(blob_string(blob, blob_modules(blob, p)[m].name)) +
                      strlen(blob_string(blob, blob_modules(blob, p)[m].cmdline));
        for (unsigned m = 0; m < p->ioports.count; m++)
            assert_true(blob_ioports(blob, p)[m].first <= blob_ioports(blob, p)[m].last);
        for (unsigned m = 0; m < p->devices.count; m++)
            length += blob_devices(blob, p)[m].devfn;
    }
    assert_true(length > 0);
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
    for (size_t i = offsetof(struct blob_header, section_count); i < good->size; i++) {
        for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
            struct blob_header *file = copy_of(good, good->size);
            struct blob blob;

            ((unsigned char *)file)[i] = values[v];
            seal(file);
            if (blob_check(file, file->size, &blob, &problems) == STATUS_OK) {
                accepted++;
                read_all(&blob);
            } else {
                refused++;
                assert_true(problems.count > 0);
                assert_true(strlen(problems.list[0].text) > 0);
            }
            free(file);
        }
    }
    // Both happen: a letter of a name may change, a count may not.
    assert_true(accepted > 100);
    assert_true(refused > 100);
    free(good);
}

static void test_says_what_is_wrong_with_the_file(void **state)
{
    _Alignas(8) static const char text[] = "hello, world";
    struct blob_header *file = blob_of(good_config());
    struct blob_header *longer;
    size_t size = file->size;

    (void)state;
    assert_int_equal(check((const struct blob_header *)(const void *)text, 12), ERR_INVALID);
    assert_problem(&problems.list[0], BLOB_BAD_MAGIC, -1, BLOB_FIELD_NONE, -1, "BULKHEAD");

    file->version = 4;
    seal(file);
    assert_int_equal(check(file, size), ERR_VERSION);
    assert_problem(&problems.list[0], BLOB_BAD_VERSION, -1, BLOB_FIELD_NONE, -1,
                   "has version 4, this Bulkhead reads version 5; build it again with the "
                   "bulkhead-config of this Bulkhead");
    file->version = BLOB_VERSION;

    file->crc32 ^= 1;
    assert_int_equal(check(file, size), ERR_CHECKSUM);
    assert_problem(&problems.list[0], BLOB_BAD_CHECKSUM, -1, BLOB_FIELD_NONE, -1, "damaged");
    seal(file);
    assert_int_equal(check(file, size), STATUS_OK);

    longer = calloc(1, size + 1);
    assert_non_null(longer);
    memcpy(longer, file, size);
    assert_int_equal(check(longer, size + 1), ERR_TRUNCATED);
    assert_problem(&problems.list[0], BLOB_BAD_SIZE, -1, BLOB_FIELD_NONE, -1, "but there are");
    free(longer);
    free(file);
}

// 1,024 modules with the longest command lines are half of it.
static void test_size_limit(void **state)
{
    static char cmdlines[BLOB_MAX_MODULES][2 * BLOB_MAX_CMDLINE + 1];
    struct config *config = good_config();
    struct config_partition *p = &config->partitions[2];
    struct blob_header *file;

    (void)state;
    p->module_count = BLOB_MAX_MODULES;
    for (unsigned i = 0; i < p->module_count; i++) {
        memset(cmdlines[i], 'x', BLOB_MAX_CMDLINE);
        p->modules[i] = (struct config_module){.name = "m", .cmdline = cmdlines[i]};
    }
    file = blob_of(config);
    assert_true(file->size > MIB(2));
    assert_int_equal(check(file, file->size), STATUS_OK);
    free(file);

    for (unsigned i = 0; i < p->module_count; i++)
        memset(cmdlines[i], 'x', 2 * BLOB_MAX_CMDLINE);
    file = blob_of(config);
    assert_int_equal(check(file, file->size), ERR_TRUNCATED);
    assert_problem(&problems.list[0], BLOB_BAD_SIZE, -1, BLOB_FIELD_NONE, -1, "at most 4194304");
    free(file);
}

// ---- sections --------------------------------------------------------------------------------

// Exactly this is found in a file with a right checksum, which is freed.
static void refused_as(struct blob_header *file, enum status status, enum blob_problem_kind kind,
                       int partition, const char *part)
{
    seal(file);
    assert_int_equal(check(file, file->size), status);
    assert_problem(&problems.list[0], kind, partition, BLOB_FIELD_NONE, -1, part);
    free(file);
}

static void malformed(struct blob_header *file, const char *part)
{
    refused_as(file, ERR_INVALID, BLOB_BAD_LAYOUT, -1, part);
}

static void unknown(struct blob_header *file, const char *part)
{
    refused_as(file, ERR_VERSION, BLOB_UNKNOWN_SECTION, -1, part);
}

// The good file with a change to one section's entry in the table.
static struct blob_header *with(const char *type, struct blob_section **section)
{
    struct blob_header *file = blob_of(good_config());

    *section = section_of(file, type);
    return file;
}

// What a later Bulkhead adds is named, and all of it.
static void test_unknown_sections(void **state)
{
    struct blob_section *s;
    struct blob_header *file = with("devices", &s);

    (void)state;
    memset(s->type, 0, sizeof(s->type));
    memcpy(s->type, "networks", 8);
    s->version = 3;
    s->record_size = 3; // none of its business
    unknown(file, "the configuration has a section \"networks\" (version 3), which this Bulkhead "
                  "does not know; build it again with the bulkhead-config of this Bulkhead");
    assert_int_equal(problems.count, 1);

    file = with("devices", &s);
    memcpy(s->type, "sixteen-letters-", BLOB_TYPE_SIZE); // no NUL ends it
    memcpy(section_of(file, "ioports")->type, "pipes\0\0", 7);
    unknown(file, "a section \"pipes\" (version 1)");
    assert_int_equal(problems.count, 2);
    assert_non_null(strstr(problems.list[1].text, "a section \"sixteen-letters-\" (version 1), "));

    file = with("devices", &s);
    memcpy(s->type, "devicesx", 8);
    unknown(file, "a section \"devicesx\"");
}

static void test_section_versions(void **state)
{
    struct blob_section *s;
    struct blob_header *file = with("partitions", &s);

    (void)state;
    s->version = 2;
    s->record_size += 8; // as a later version would have
    unknown(file, "section \"partitions\" has version 2, this Bulkhead reads version 1; build");
    file = with("modules", &s);
    s->version = 0;
    unknown(file, "section \"modules\" has version 0, this Bulkhead reads version 1");
    file = with("cpus", &s);
    s->flags = 0x8000;
    unknown(file, "section \"cpus\" has flags 0x8000, which this Bulkhead does not know; build");
}

static void test_section_types(void **state)
{
    static const char bad[][BLOB_TYPE_SIZE + 1] = {
        "",         "Devices", "dev ices", "\033[2J", "dev\"", "a\0b", "devices\0\0\0\0\0\0\0\0x",
        "\xc3\xa4",
    };
    struct blob_section *s;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct blob_header *file = with("devices", &s);

        memcpy(s->type, bad[i], BLOB_TYPE_SIZE);
        malformed(file, "a section has no proper type (5)");
    }
}

static void test_section_records(void **state)
{
    struct blob_section *s;
    struct blob_header *file = with("modules", &s);

    (void)state;
    s->record_size = 0;
    malformed(file, "\"modules\" has records of another size (0)");
    file = with("modules", &s);
    s->record_size = 2 * sizeof(struct blob_module);
    malformed(file, "\"modules\" has records of another size (88)");

    file = with("devices", &s); // the last one: what follows needs not move
    s->size--;
    file->size--;
    malformed(file, "\"devices\" ends within a record (11)");

    file = with("devices", &s);
    memcpy(s->type, "ioports", 8);
    malformed(file, "\"ioports\" is there twice");
    file = with("ioports", &s);
    memcpy(s->type, "devices", 8);
    malformed(file, "\"devices\" is there twice");
}

// A file of one section with this many records.
static struct blob_header *large(const char *type, uint32_t record_size, uint32_t count)
{
    size_t start = sizeof(struct blob_header) + sizeof(struct blob_section);
    size_t size = start + (size_t)record_size * count;
    struct blob_header *file = calloc(1, size);
    struct blob_section *s = (struct blob_section *)(file + 1);

    assert_non_null(file);
    memcpy(file->magic, BLOB_MAGIC, BLOB_MAGIC_SIZE);
    file->version = BLOB_VERSION;
    file->size = (uint32_t)size;
    file->section_count = 1;
    *s = (struct blob_section){.version = 1, .record_size = record_size};
    s->offset = (uint32_t)start;
    s->size = (uint32_t)(size - start);
    memcpy(s->type, type, strlen(type));
    return file;
}

static void test_section_counts(void **state)
{
    static const struct {
        const char *type;
        uint32_t record_size;
        uint32_t most;
    } cases[] = {
        {"partitions", sizeof(struct blob_partition), MAX_PARTITIONS},
        {"cpus", sizeof(struct blob_cpu), MAX_CPUS},
        {"modules", sizeof(struct blob_module), BLOB_MAX_MODULES},
        {"ioports", sizeof(struct blob_ioports), BLOB_MAX_IOPORTS},
        {"devices", sizeof(struct blob_device), BLOB_MAX_DEVICES},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        malformed(large(cases[i].type, cases[i].record_size, cases[i].most + 1),
                  "has too many records");
        malformed(large(cases[i].type, cases[i].record_size, cases[i].most), "it has no strings");
    }
}

static void test_section_places(void **state)
{
    struct blob_section *s;
    struct blob_header *file = with("partitions", &s);

    (void)state;
    s->offset += 8; // a gap
    malformed(file, "\"partitions\" is not where the one before it ends");
    file = with("partitions", &s);
    s->offset -= 8; // over the strings
    malformed(file, "\"partitions\" is not where the one before it ends");
    file = with("partitions", &s);
    s->offset += 1; // not aligned
    malformed(file, "\"partitions\" is not where the one before it ends");
    file = with("strings", &s);
    s->offset = 0; // over the header
    malformed(file, "\"strings\" is not where the one before it ends (0)");
    file = with("devices", &s);
    s->offset = UINT32_MAX - 7;
    malformed(file, "\"devices\" is not where the one before it ends");

    // Two change places in the table, not in the file.
    file = with("ioports", &s);
    struct blob_section *next = section_of(file, "devices");
    struct blob_section kept = *s;
    *s = *next;
    *next = kept;
    malformed(file, "\"devices\" is not where the one before it ends");

    file = with("devices", &s);
    s->size += 4;
    malformed(file, "\"devices\" leads outside the file (16)");
    file = with("devices", &s);
    s->size = UINT32_MAX;
    malformed(file, "\"devices\" leads outside the file");
    file = with("strings", &s);
    s->size = UINT32_MAX - s->offset; // ends where 32 bits do
    malformed(file, "\"strings\" leads outside the file");
    file = with("devices", &s);
    s->size -= 4;
    malformed(file, "its sections end before it does");

    file = with("partitions", &s);
    assert_true(section_of(file, "strings")->size % BLOB_ALIGNMENT != 0);
    ((char *)file)[s->offset - 1] = 1;
    malformed(file, "\"partitions\" has something before it");
}

static void test_table_of_sections(void **state)
{
    struct blob_header *file = blob_of(good_config());

    (void)state;
    file->section_count = UINT32_MAX;
    malformed(file, "table of sections leads outside the file (4294967295)");
    file = blob_of(good_config());
    file->section_count =
        (uint32_t)((file->size - sizeof(*file)) / sizeof(struct blob_section) + 1);
    malformed(file, "table of sections leads outside the file");
    file = blob_of(good_config());
    file->section_count--;
    malformed(file, "\"strings\" is not where the one before it ends");
    file = blob_of(good_config());
    file->section_count++; // the first strings as an entry
    malformed(file, "\"strings\" is not where the one before it ends");

    // No section at all, and none but an empty one.
    file = blob_of(good_config());
    file->section_count = 0;
    file->size = sizeof(*file);
    malformed(file, "it has no strings");
    malformed(large("strings", 1, 0), "it has no strings");
    refused_as(large("strings", 1, 1), ERR_INVALID, BLOB_NO_PARTITION, -1, "there is no partition");
}

// ---- what records refer to -------------------------------------------------------------------

// A writable view of a blob's records.
static struct blob_partition *partition_of(struct blob_header *file, unsigned index)
{
    return (struct blob_partition *)records_of(file, "partitions") + index;
}

static struct blob_module *module_of(struct blob_header *file, unsigned index)
{
    return (struct blob_module *)records_of(file, "modules") + index;
}

static void test_bad_strings(void **state)
{
    struct blob_header *file = blob_of(good_config());
    uint32_t size = section_of(file, "strings")->size;

    (void)state;
    ((char *)records_of(file, "strings"))[size - 1] = 'x';
    malformed(file, "last string is not terminated");

    file = blob_of(good_config());
    ((char *)records_of(file, "strings"))[0] = 'x';
    malformed(file, "first string is not empty");

    file = blob_of(good_config());
    partition_of(file, 0)->name = size;
    malformed(file, "name of record 0 in its section \"partitions\" lies outside the strings");
    file = blob_of(good_config());
    partition_of(file, 0)->image = size;
    malformed(file, "image of record 0 in its section \"partitions\" lies outside the strings");
    file = blob_of(good_config());
    partition_of(file, 1)->initrd = UINT32_MAX;
    malformed(file, "initrd of record 1 in its section \"partitions\" lies outside the strings");
    file = blob_of(good_config());
    partition_of(file, 2)->cmdline = size + 4;
    malformed(file, "cmdline of record 2 in its section \"partitions\" lies outside the strings");
    file = blob_of(good_config());
    module_of(file, 1)->name = size;
    malformed(file, "name of record 1 in its section \"modules\" lies outside the strings");
    file = blob_of(good_config());
    module_of(file, 0)->cmdline = size;
    malformed(file, "cmdline of record 0 in its section \"modules\" lies outside the strings");
}

static void test_bad_slices(void **state)
{
    struct blob_header *file = blob_of(good_config());

    (void)state;
    partition_of(file, 0)->modules.count = 1; // gamma's
    malformed(file, "modules of record 1 in its section \"partitions\" are not where they should");

    file = blob_of(good_config());
    partition_of(file, 2)->modules.count = UINT32_MAX;
    malformed(file, "modules of record 2 in its section \"partitions\" are not where they should");

    file = blob_of(good_config()); // two each, but there are only two
    partition_of(file, 1)->modules.count = 2;
    partition_of(file, 2)->modules.first = 2;
    malformed(file, "modules of record 2");

    file = blob_of(good_config());
    partition_of(file, 2)->modules.count = 1;
    malformed(file, "of its 2 modules, only 1 have an owner");

    file = blob_of(good_config());
    partition_of(file, 2)->ioports.first = 0; // beta's
    malformed(file, "ioports of record 2");
    file = blob_of(good_config());
    partition_of(file, 2)->ioports.count = 3;
    malformed(file, "ioports of record 2");
    file = blob_of(good_config());
    partition_of(file, 2)->ioports.count = 1;
    malformed(file, "of its 3 ioports, only 2 have an owner");

    file = blob_of(good_config());
    partition_of(file, 2)->devices.first = 0; // beta's
    malformed(file, "devices of record 2");
    file = blob_of(good_config());
    partition_of(file, 2)->devices.count = 3;
    malformed(file, "devices of record 2");
    file = blob_of(good_config());
    partition_of(file, 2)->devices.count = 1;
    malformed(file, "of its 3 devices, only 2 have an owner");

    file = blob_of(good_config());
    partition_of(file, 1)->cpus.first = 1;
    malformed(file, "cpus of record 1");
    file = blob_of(good_config());
    partition_of(file, 2)->cpus.count = 0;
    malformed(file, "of its 3 cpus, only 1 have an owner");
}

static void test_bad_hashes(void **state)
{
    struct blob_header *file = blob_of(good_config());

    (void)state;
    partition_of(file, 0)->image_hash.is_given = 2;
    malformed(file, "image_hash of record 0 in its section \"partitions\" is neither given nor");
    file = blob_of(good_config());
    partition_of(file, 1)->image_hash.sha256[0] = 1;
    malformed(file, "image_hash of record 1 in its section \"partitions\" is left out, but there");
    file = blob_of(good_config());
    partition_of(file, 2)->initrd_hash.sha256[SHA256_SIZE - 1] = 0x80;
    malformed(file, "initrd_hash of record 2 in its section \"partitions\" is left out, but there");
    file = blob_of(good_config());
    module_of(file, 1)->hash.is_given = UINT32_MAX;
    malformed(file, "hash of record 1 in its section \"modules\" is neither given nor left out");
}

static void test_bad_partitions(void **state)
{
    struct blob_header *file = blob_of(good_config());

    (void)state;
    partition_of(file, 0)->flags = BLOB_FLAGS + 1;
    refused_as(file, ERR_INVALID, BLOB_BAD_LAYOUT, 0,
               "partition \"alpha\": the configuration is malformed: its flags are unknown (0x40)");
    file = blob_of(good_config());
    partition_of(file, 2)->cpu_count = 3;
    refused_as(file, ERR_INVALID, BLOB_BAD_LAYOUT, 2,
               "\"gamma\": the configuration is malformed: "
               "it has 3 CPUs and lists 2");
    file = blob_of(good_config());
    partition_of(file, 1)->cpu_count = 0;
    refused_as(file, ERR_INVALID, BLOB_BAD_LAYOUT, 1, "it has 0 CPUs and lists 1");
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
        cmocka_unit_test(test_sections_written),
        cmocka_unit_test(test_unknown_sections),
        cmocka_unit_test(test_section_versions),
        cmocka_unit_test(test_section_types),
        cmocka_unit_test(test_section_records),
        cmocka_unit_test(test_section_counts),
        cmocka_unit_test(test_section_places),
        cmocka_unit_test(test_table_of_sections),
        cmocka_unit_test(test_bad_strings),
        cmocka_unit_test(test_bad_slices),
        cmocka_unit_test(test_bad_hashes),
        cmocka_unit_test(test_bad_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
