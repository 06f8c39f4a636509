// SPDX-License-Identifier: Apache-2.0
// What blob_check() judges without knowing the machine: every rule broken in one place, found there
// and only there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "partitions/config_value.h"
#include "tests/unit/config_fixture.h"

static struct blob_problems problems;

static enum status check(const struct config *config)
{
    struct blob_header *file = blob_of(config);
    struct blob blob;
    enum status status = blob_check(file, file->size, &blob, &problems);

    free(file);
    return status;
}

// Exactly one problem, this one.
static void expect(const struct config *config, enum status status, enum blob_problem_kind kind,
                   int partition, enum blob_field field, int item, const char *part)
{
    assert_int_equal(check(config), status);
    assert_problem(&problems.list[0], kind, partition, field, item, part);
    assert_int_equal(problems.count, 1);
}

static void expect_good(const struct config *config)
{
    assert_int_equal(check(config), STATUS_OK);
    assert_int_equal(problems.count, 0);
}

static void test_no_partition(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partition_count = 0;
    expect(config, ERR_INVALID, BLOB_NO_PARTITION, -1, BLOB_FIELD_NONE, -1, "no partition");
}

// Names whose lines on the console could be taken for another's.
static void test_names_that_forge_prefixes(void **state)
{
    static const char *const bad[] = {"bulkhead", "Bulkhead",  "BULKHEAD",  "bu1khead",
                                      "buIkhead", "bulk-head", "_bulkhead", "bulkhead-"};
    static const char *const good[] = {"bulkhead2", "mybulkhead", "bulk", "head", "alpha2"};
    struct config *config;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        config = good_config();
        config->partitions[1].name = bad[i];
        expect(config, ERR_INVALID, BLOB_BAD_NAME, 1, BLOB_FIELD_NAME, -1,
               "look like the hypervisor's own, which begin with \"[bulkhead]\"; give it another");
    }
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        config = good_config();
        config->partitions[1].name = good[i];
        expect_good(config);
    }
}

static void test_names(void **state)
{
    static const char *const bad[] = {"",    " ",    "a b",  "a.b",      "a\"b",
                                      "a/b", "\033", "a\nb", "\xc3\xa4", "partition:"};
    static const char *const good[] = {"a", "A-z_09", "-", "1234567890123456789012345678901"};
    struct config *config = good_config();

    (void)state;
    config->partitions[1].name = "12345678901234567890123456789012"; // one character too many
    expect(config, ERR_INVALID, BLOB_BAD_NAME, 1, BLOB_FIELD_NAME, -1,
           "partition number 2: its name must be 1 to 31 letters");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        config = good_config();
        config->partitions[1].name = bad[i];
        expect(config, ERR_INVALID, BLOB_BAD_NAME, 1, BLOB_FIELD_NAME, -1, "partition number 2: ");
    }
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        config = good_config();
        config->partitions[1].name = good[i];
        expect_good(config);
    }
    config = good_config();
    config->partitions[2].name = "alpha";
    expect(config, ERR_EXISTS, BLOB_DUPLICATE_NAME, 2, BLOB_FIELD_NAME, -1, "same name");
    config->partitions[2].name = "Alpha";
    expect_good(config);
}

static void test_cpu_counts(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[0].cpu_count = 0;
    expect(config, ERR_INVALID, BLOB_BAD_CPUS, 0, BLOB_FIELD_CPUS, -1, "\"alpha\": it has no CPU");

    config = good_config();
    config->partitions[1].cpu_count = 0; // an empty list
    expect(config, ERR_INVALID, BLOB_BAD_CPUS, 1, BLOB_FIELD_CPUS, -1, "no CPU");

    config = good_config();
    config->partitions[0].cpu_count = MAX_CPUS + 1;
    expect(config, ERR_INVALID, BLOB_BAD_CPUS, 0, BLOB_FIELD_CPUS, -1, "65 CPUs are more");

    // beta and gamma have 3.
    config = good_config();
    config->partitions[0].cpu_count = MAX_CPUS - 3;
    expect_good(config);
    config->partitions[0].cpu_count = MAX_CPUS - 2;
    expect(config, ERR_INVALID, BLOB_BAD_CPUS, 2, BLOB_FIELD_CPUS, -1, "more than the 64 CPUs");

    // Said once, where it gets too many.
    config->partitions[3] = config->partitions[0];
    config->partitions[3].name = "delta";
    config->partitions[3].cpu_count = 1;
    config->partition_count = 4;
    expect(config, ERR_INVALID, BLOB_BAD_CPUS, 2, BLOB_FIELD_CPUS, -1, "more than the 64 CPUs");
}

static void test_listed_cpus(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[2].cpus[1].number = MAX_CPUS;
    expect(config, ERR_INVALID, BLOB_BAD_CPUS, 2, BLOB_FIELD_CPUS, 1, "CPU 64 is none");
    config->partitions[2].cpus[1].number = MAX_CPUS - 1;
    expect_good(config);

    config = good_config();
    config->partitions[2].cpus[1].number = 5;
    expect(config, ERR_EXISTS, BLOB_DUPLICATE_CPU, 2, BLOB_FIELD_CPUS, 1, "lists CPU 5 twice");

    config = good_config();
    config->partitions[2].cpus[1].number = 3;
    expect(config, ERR_EXISTS, BLOB_DUPLICATE_CPU, 2, BLOB_FIELD_CPUS, 1,
           "partition \"gamma\": CPU 3 is already in the list of partition \"beta\"");
}

static void test_memory(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *part; // NULL: good
    } cases[] = {
        {0, "too little"},
        {MIB(2) - 4096, "too little"},
        {MIB(2), NULL},
        {MIB(2) + 4096, NULL},
        {MIB(2) + 1, "multiple of 4 KiB"},
        {MIB(3) - 2048, "multiple of 4 KiB"},
        {GIB(1024), NULL},
        {GIB(1024) + 4096, "too much"},
        {UINT64_MAX, "18446744073709551615 bytes of memory are too much"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config *config = good_config();

        config->partitions[1].memory = cases[i].bytes;
        if (cases[i].part == NULL)
            expect_good(config);
        else
            expect(config, ERR_INVALID, BLOB_BAD_MEMORY, 1, BLOB_FIELD_MEMORY, -1, cases[i].part);
    }
}

static void test_files(void **state)
{
    static char long_name[BLOB_MAX_MODULE_NAME + 2];
    static char long_cmdline[BLOB_MAX_CMDLINE + 2];
    struct config *config = good_config();

    (void)state;
    config->partitions[0].image = "";
    expect(config, ERR_INVALID, BLOB_NO_IMAGE, 0, BLOB_FIELD_IMAGE, -1,
           "\"alpha\": it has no image");
    config->partitions[0].image = "my kernel";
    expect(config, ERR_INVALID, BLOB_BAD_TEXT, 0, BLOB_FIELD_IMAGE, -1, "without spaces");
    memset(long_name, 'x', BLOB_MAX_MODULE_NAME + 1);
    config->partitions[0].image = long_name;
    expect(config, ERR_INVALID, BLOB_BAD_TEXT, 0, BLOB_FIELD_IMAGE, -1, "1 to 255");
    long_name[BLOB_MAX_MODULE_NAME] = '\0';
    expect_good(config);

    config = good_config();
    config->partitions[0].initrd = "a\tb";
    expect(config, ERR_INVALID, BLOB_BAD_TEXT, 0, BLOB_FIELD_INITRD, -1, "without spaces");

    config = good_config();
    memset(long_cmdline, 'x', BLOB_MAX_CMDLINE + 1);
    config->partitions[0].cmdline = long_cmdline;
    expect(config, ERR_INVALID, BLOB_BAD_TEXT, 0, BLOB_FIELD_CMDLINE, -1, "has 2048 characters");
    long_cmdline[BLOB_MAX_CMDLINE] = '\0';
    expect_good(config);
    config->partitions[0].cmdline = "two\nlines";
    expect(config, ERR_INVALID, BLOB_BAD_TEXT, 0, BLOB_FIELD_CMDLINE, -1, "control character");
    config->partitions[0].cmdline = "delete \x7f";
    expect(config, ERR_INVALID, BLOB_BAD_TEXT, 0, BLOB_FIELD_CMDLINE, -1, "control character");
    config->partitions[0].cmdline = "greeting=\"gr\xc3\xbc\xc3\x9f dich\"";
    expect_good(config);

    config = good_config();
    config->partitions[2].modules[1].name = "";
    expect(config, ERR_INVALID, BLOB_BAD_TEXT, 2, BLOB_FIELD_MODULES, 1, "module's name");
    config = good_config();
    config->partitions[2].modules[0].cmdline = "a\rb";
    expect(config, ERR_INVALID, BLOB_BAD_TEXT, 2, BLOB_FIELD_MODULES, 0, "control character");

    config = good_config();
    config->partitions[2].initrd = "initrd.gz";
    expect(config, ERR_INVALID, BLOB_INITRD_AND_MODULES, 2, BLOB_FIELD_INITRD, -1,
           "both an initrd");
}

static void test_module_names(void **state)
{
    static const char *const good[] = {"$HOME",  "~",
                                       "(hd0)",  "a;b",
                                       "#1",     "a,b",
                                       "x=y",    "-n",
                                       "&",      "gr\xc3\xbc\xc3\x9f",
                                       "name=x", "*?[!]{}<>|`%^@+:"};
    static const struct {
        const char *name, *part;
    } bad[] = {
        {"build/vmlinuz", "\"build/vmlinuz\" is a path; write the file's name only"},
        {"/", "is a path"},
        {"a\\b", "can't hold \\, which GRUB would change"},
        {"it's", "can't hold '"},
        {"\"a\"", "can't hold \""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct config *config = good_config();

        config->partitions[0].image = good[i];
        config->partitions[2].modules[1].name = good[i];
        expect_good(config);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct config *config = good_config();

        config->partitions[2].modules[1].name = bad[i].name;
        expect(config, ERR_INVALID, BLOB_BAD_TEXT, 2, BLOB_FIELD_MODULES, 1, bad[i].part);
    }
}

// 28 names of 256 bytes are all that there is room for; one that is used twice counts once.
static void test_long_names(void **state)
{
    enum { COUNT = BLOB_MAX_FILE_NAMES / (BLOB_MAX_MODULE_NAME + 1) };
    static char names[COUNT][BLOB_MAX_MODULE_NAME + 1];
    struct config *config = good_config();
    struct config_partition *p = &config->partitions[2];

    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        memset(names[i], 'a' + (int)i, BLOB_MAX_MODULE_NAME);
        p->modules[i] = p->modules[i + COUNT] =
            (struct config_module){.name = names[i], .cmdline = ""};
    }
    p->module_count = 2 * COUNT;
    config->partitions[0].image = config->partitions[1].image = p->image = names[0];
    config->partitions[0].initrd = names[1];
    expect_good(config);
    p->modules[2 * COUNT] = (struct config_module){.name = "x", .cmdline = ""};
    p->module_count++;
    expect(config, ERR_INVALID, BLOB_MANY_FILES, 2, BLOB_FIELD_MODULES, 2 * COUNT,
           "those of all modules have more than 7168 characters; shorten them");
}

// Entries have no limit but that of all; the files that they name have.
static void test_many_files(void **state)
{
    static char names[BLOB_MAX_FILES][8];
    struct config *config = good_config();
    struct config_partition *p = &config->partitions[2];

    (void)state;
    config->partition_count = 3;
    config->partitions[0].image = config->partitions[1].image = p->image;
    config->partitions[0].initrd = "";
    for (unsigned i = 0; i < BLOB_MAX_MODULES; i++) {
        unsigned file = i % (BLOB_MAX_FILES - 1);

        snprintf(names[file], sizeof(names[file]), "m%u", file);
        p->modules[i] = (struct config_module){.name = names[file], .cmdline = ""};
    }
    p->module_count = BLOB_MAX_MODULES;
    expect_good(config);
    p->modules[BLOB_MAX_FILES].name = "one-more";
    expect(config, ERR_INVALID, BLOB_MANY_FILES, 2, BLOB_FIELD_MODULES, BLOB_MAX_FILES,
           "with this module there are more than the 127 files that a boot loader can bring");
}

// ---- hashes ----------------------------------------------------------------------------------

static struct blob_hash hash_of(uint8_t byte)
{
    struct blob_hash hash = {.is_given = 1};

    memset(hash.sha256, byte, sizeof(hash.sha256));
    return hash;
}

static void test_hashes(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[1].image = "vmlinuz"; // alpha's too
    config->partitions[0].image_hash = config->partitions[1].image_hash = hash_of(1);
    config->partitions[2].modules[0].hash = hash_of(2);
    expect_good(config);
    config->partitions[1].image_hash = (struct blob_hash){0}; // one is enough
    expect_good(config);
    config->partitions[1].image_hash = hash_of(1);
    config->partitions[1].image_hash.sha256[SHA256_SIZE - 1] ^= 0x80;
    expect(config, ERR_EXISTS, BLOB_DIFFERENT_HASHES, 1, BLOB_FIELD_IMAGE_SHA256, -1,
           "partition \"beta\": module \"vmlinuz\" has another SHA-256 in partition \"alpha\"; a "
           "module is one file");

    // All kinds of uses are held against one another.
    config = good_config();
    config->partitions[0].image_hash = hash_of(1);
    config->partitions[0].initrd = "vmlinuz";
    config->partitions[0].initrd_hash = hash_of(2);
    expect(config, ERR_EXISTS, BLOB_DIFFERENT_HASHES, 0, BLOB_FIELD_INITRD_SHA256, -1,
           "in an earlier place of it");
    config = good_config();
    config->partitions[0].initrd_hash = hash_of(1);
    config->partitions[2].modules[1].name = "initrd.gz";
    config->partitions[2].modules[1].hash = hash_of(2);
    expect(config, ERR_EXISTS, BLOB_DIFFERENT_HASHES, 2, BLOB_FIELD_MODULES, 1,
           "partition \"gamma\": module \"initrd.gz\" has another SHA-256 in partition \"alpha\"");
    config = good_config();
    config->partitions[2].modules[1].name = "one";
    config->partitions[2].modules[0].hash = hash_of(1);
    config->partitions[2].modules[1].hash = hash_of(2);
    expect(config, ERR_EXISTS, BLOB_DIFFERENT_HASHES, 2, BLOB_FIELD_MODULES, 1, "earlier place");

    config = good_config();
    config->partitions[1].initrd_hash = hash_of(1);
    expect(config, ERR_INVALID, BLOB_NO_HASHED_MODULE, 1, BLOB_FIELD_INITRD_SHA256, -1,
           "initrd_sha256 is about its initrd, but it has none");

    // No image: only that is said.
    config = good_config();
    config->partitions[0].image = config->partitions[1].image = "";
    config->partitions[0].image_hash = hash_of(1);
    config->partitions[1].image_hash = hash_of(2);
    assert_int_equal(check(config), ERR_INVALID);
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.list[0].kind, BLOB_NO_IMAGE);
    assert_int_equal(problems.list[1].kind, BLOB_NO_IMAGE);
}

// ---- I/O ports -------------------------------------------------------------------------------

static struct config *with_beta_ports(uint16_t first, uint16_t last)
{
    struct config *config = good_config();

    config->partitions[1].ioports[0].ports = (struct blob_ioports){first, last};
    return config;
}

static void test_port_overlap(void **state)
{
    struct config *config;

    (void)state;
    expect(with_beta_ports(0xf7, 0xf4), ERR_INVALID, BLOB_BAD_PORTS, 1, BLOB_FIELD_IOPORTS, 0,
           "0xf7-0xf4 end before they start");

    // Found at the later of the two, gamma's.
    expect(with_beta_ports(0x50f, 0x520), ERR_EXISTS, BLOB_OVERLAPPING_PORTS, 2, BLOB_FIELD_IOPORTS,
           0,
           "partition \"gamma\": I/O ports 0x500-0x50f overlap 0x50f-0x520 of partition \"beta\"");
    expect(with_beta_ports(0x600, 0x600), ERR_EXISTS, BLOB_OVERLAPPING_PORTS, 2, BLOB_FIELD_IOPORTS,
           1, "overlap");
    expect(with_beta_ports(0x505, 0x506), ERR_EXISTS, BLOB_OVERLAPPING_PORTS, 2, BLOB_FIELD_IOPORTS,
           0, "overlap");
    expect_good(with_beta_ports(0x4f0, 0x4ff));
    expect_good(with_beta_ports(0x510, 0x5ff));
    expect_good(with_beta_ports(0xffff, 0xffff));

    config = good_config();
    config->partitions[2].ioports[1].ports = (struct blob_ioports){0x50f, 0x50f};
    expect(config, ERR_EXISTS, BLOB_OVERLAPPING_PORTS, 2, BLOB_FIELD_IOPORTS, 1, "its own");

    // A range turned round overlaps nothing; it has its own message.
    config = good_config();
    config->partitions[1].ioports[0].ports = (struct blob_ioports){0x50f, 0x500};
    expect(config, ERR_INVALID, BLOB_BAD_PORTS, 1, BLOB_FIELD_IOPORTS, 0, "end before");
}

static void test_kept_ports(void **state)
{
    static const struct {
        uint16_t first;
        uint16_t last;
        const char *reason;
    } kept[] = {
        {0x00, 0x1f, "DMA controller"},
        {0x20, 0x3f, "interrupt controller"},
        {0x40, 0x5f, "interval timer"},
        {0x60, 0x6f, "keyboard controller"},
        {0x70, 0x7f, "NMI mask"},
        {0x80, 0x9f, "system control"},
        {0xa0, 0xbf, "system management"},
        {0xc0, 0xdf, "DMA controller"},
        {0x3f8, 0x3ff, "a virtual one"},
        {0x4d0, 0x4d1, "triggers"},
        {0xcf8, 0xcff, "PCI configuration"},
    };
    unsigned refused = 0;
    unsigned wanted = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        wanted += kept[i].last - kept[i].first + 1u;
        expect(with_beta_ports(kept[i].first, kept[i].last), ERR_DENIED, BLOB_KEPT_PORTS, 1,
               BLOB_FIELD_IOPORTS, 0, kept[i].reason);
    }
    // Port by port: those and no others.
    for (unsigned port = 0; port <= 0xffff; port++) {
        struct config *config = with_beta_ports((uint16_t)port, (uint16_t)port);

        config->partitions[2].ioport_count = 0;
        if (check(config) == ERR_DENIED)
            refused++;
    }
    assert_int_equal(refused, wanted);
    // A range around all of them.
    expect(with_beta_ports(0, 0x4ff), ERR_DENIED, BLOB_KEPT_PORTS, 1, BLOB_FIELD_IOPORTS, 0, "DMA");
}

// ---- devices ---------------------------------------------------------------------------------

static void test_devices(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[2].devices[1].device = (struct blob_device){0, 0, 0x18};
    expect(config, ERR_EXISTS, BLOB_DUPLICATE_DEVICE, 2, BLOB_FIELD_DEVICES, 1,
           "partition \"gamma\": device 00:03.0 is already one of partition \"beta\"");
    // The same place on another bus or segment is another device.
    config->partitions[2].devices[1].device = (struct blob_device){0, 1, 0x18};
    expect_good(config);
    config->partitions[2].devices[1].device = (struct blob_device){1, 0, 0x18};
    expect_good(config);

    config = good_config();
    config->partitions[2].devices[1].device = config->partitions[2].devices[0].device;
    expect(config, ERR_EXISTS, BLOB_DUPLICATE_DEVICE, 2, BLOB_FIELD_DEVICES, 1,
           "\"gamma\": it lists device 0001:02:1f.7 twice");

    // Without devices there is nothing to trust and no fault.
    config = good_config();
    config->partitions[1].device_count = 0;
    expect(config, ERR_INVALID, BLOB_NO_DEVICES, 1, BLOB_FIELD_TRUST_DMA, -1,
           "trust_dma = true is about its devices, but it has none");
    config->partitions[1].flags = BLOB_STOP_ON_DMA_FAULT;
    expect(config, ERR_INVALID, BLOB_NO_DEVICES, 1, BLOB_FIELD_ON_DMA_FAULT, -1,
           "on_dma_fault = \"stop\" is about");
    config->partitions[1].flags = 0;
    expect_good(config);
    config->partitions[2].flags = BLOB_FLAGS;
    expect_good(config);
}

static void test_many_devices(void **state)
{
    struct config *config = good_config();
    struct config_partition *p = &config->partitions[1];

    (void)state;
    for (uint8_t i = 0; i <= BLOB_MAX_PARTITION_DEVICES; i++)
        p->devices[i].device = (struct blob_device){0, 1, i};
    p->device_count = BLOB_MAX_PARTITION_DEVICES;
    expect_good(config);
    p->device_count++;
    expect(config, ERR_INVALID, BLOB_MANY_DEVICES, 1, BLOB_FIELD_DEVICES, -1,
           "partition \"beta\": 17 devices are more than the 16 that its PCI bus has room for");
}

// ---- the framebuffer -------------------------------------------------------------------------

static void test_framebuffer(void **state)
{
    struct config *config;

    (void)state;
    for (unsigned i = 0; i < 3; i++) { // with devices or without
        config = good_config();
        config->partitions[i].flags |= BLOB_FRAMEBUFFER;
        expect_good(config);
    }
    config->partitions[0].flags |= BLOB_FRAMEBUFFER;
    expect(config, ERR_EXISTS, BLOB_DUPLICATE_FRAMEBUFFER, 2, BLOB_FIELD_FRAMEBUFFER, -1,
           "\"gamma\": framebuffer = true is already said of partition \"alpha\"");
}

// ---- UUIDs -----------------------------------------------------------------------------------

static void test_uuids(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[1].has_uuid = true;
    config->partitions[1].uuid[15] = 1;
    expect_good(config);
    config->partitions[1].uuid[15] = 0;
    expect(config, ERR_INVALID, BLOB_BAD_UUID, 1, BLOB_FIELD_UUID, -1,
           "its uuid is all zeros, which stands for none; leave uuid out");
    config_uuid_of_name("alpha", config->partitions[1].uuid);
    expect(config, ERR_EXISTS, BLOB_DUPLICATE_UUID, 1, BLOB_FIELD_UUID, -1,
           "its uuid is already that of partition \"alpha\"");
}

// ---- many at once ----------------------------------------------------------------------------

static void test_all_at_once(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[0].memory = 1;
    config->partitions[0].image = "";
    config->partitions[1].name = "no good";
    config->partitions[2].cpu_count = 0;
    assert_int_equal(check(config), ERR_INVALID);
    assert_int_equal(problems.count, 4);
    assert_int_equal(blob_problems_kept(&problems), 4);
    assert_int_equal(problems.list[0].kind, BLOB_BAD_MEMORY);
    assert_int_equal(problems.list[1].kind, BLOB_NO_IMAGE);
    assert_int_equal(problems.list[2].kind, BLOB_BAD_NAME);
    assert_int_equal(problems.list[3].kind, BLOB_BAD_CPUS);
}

static void test_more_than_fit(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[2].ioport_count = 100;
    for (uint16_t i = 0; i < 100; i++)
        config->partitions[2].ioports[i].ports = (struct blob_ioports){9, 8};
    memset(&problems, 0x55, sizeof(problems)); // needs no initialization
    assert_int_equal(check(config), ERR_INVALID);
    assert_int_equal(problems.count, 100);
    assert_int_equal(blob_problems_kept(&problems), BLOB_MAX_PROBLEMS);
    assert_int_equal(problems.list[BLOB_MAX_PROBLEMS - 1].item, BLOB_MAX_PROBLEMS - 1);
}

// The longest names that there can be: no message loses its end.
static void test_texts_fit(void **state)
{
    static char name[BLOB_MAX_MODULE_NAME + 1];
    struct config *config = good_config();

    (void)state;
    config->partitions[1].name = "beta-beta-beta-beta-beta-beta-b";
    config->partitions[2].name = "gamma-gamma-gamma-gamma-gamma-g";
    config->partitions[1].ioports[0].ports = (struct blob_ioports){0xf000, 0xf003};
    config->partitions[2].ioports[0].ports = (struct blob_ioports){0xf001, 0xf002};
    expect(config, ERR_EXISTS, BLOB_OVERLAPPING_PORTS, 2, BLOB_FIELD_IOPORTS, 0,
           "a port belongs to one partition");
    config->partitions[2].ioports[0].ports = (struct blob_ioports){0x60, 0x60};
    expect(config, ERR_DENIED, BLOB_KEPT_PORTS, 2, BLOB_FIELD_IOPORTS, 0, "leave those out");
    config->partitions[2].ioport_count = 0;
    memset(name, 'n', sizeof(name) - 1);
    config->partitions[1].image = config->partitions[2].image = name;
    config->partitions[1].image_hash = hash_of(1);
    config->partitions[2].image_hash = hash_of(2);
    expect(config, ERR_EXISTS, BLOB_DIFFERENT_HASHES, 2, BLOB_FIELD_IMAGE_SHA256, -1,
           "correct the wrong one");
    config->partitions[2].image_hash = hash_of(1);
    config->partitions[1].devices[0].device = (struct blob_device){0xffff, 0xff, 0xff};
    config->partitions[2].devices[0].device = (struct blob_device){0xffff, 0xff, 0xff};
    expect(config, ERR_EXISTS, BLOB_DUPLICATE_DEVICE, 2, BLOB_FIELD_DEVICES, 0,
           "a device belongs to one partition");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_partition),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_many_devices),
        cmocka_unit_test(test_names_that_forge_prefixes),
        cmocka_unit_test(test_cpu_counts),
        cmocka_unit_test(test_listed_cpus),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_module_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_port_overlap),
        cmocka_unit_test(test_kept_ports),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_framebuffer),
        cmocka_unit_test(test_uuids),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_more_than_fit),
        cmocka_unit_test(test_texts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
