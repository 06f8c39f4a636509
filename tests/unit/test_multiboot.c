// SPDX-License-Identifier: Apache-2.0
// Both Multiboot parsers against information written by hand into a fake physical memory, good and
// malformed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/lib/types.h"
#include "boot/module.h"
#include "boot/multiboot1.h"
#include "boot/multiboot2.h"
#include "boot/multiboot_parse.h"
#include "tests/unit/fake_phys.h"

#define BASE FAKE_PHYS_BASE
#define SIZE FAKE_PHYS_SIZE

static struct boot_info info;
static char error[256];

static int reset(void **state)
{
    (void)state;
    memset(fake_phys, 0, sizeof(fake_phys));
    memset(&info, 0xee, sizeof(info));
    memset(error, 0, sizeof(error));
    return 0;
}

static void set_text(uint32_t address, const char *text)
{
    memcpy(fake_phys_at(address), text, strlen(text) + 1);
}

static void expect_error(enum status status, enum status expected, const char *part)
{
    assert_int_equal(status, expected);
    if (strstr(error, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, part);
}

// ---- names
// ------------------------------------------------------------------------------------------

static void module_names(void **state)
{
    (void)state;
    static const struct {
        const char *cmdline, *name;
    } rows[] = {
        {"vmlinuz", "vmlinuz"},
        {"/boot/vmlinuz console=ttyS0", "vmlinuz"},
        {"  build/two-linux.bin  x/y", "two-linux.bin"},
        {"/tmp/a.gz name=initrd.gz", "initrd.gz"},
        {"name=kernel", "kernel"},
        {"/x/y a=b\tname=k1 name=k2", "k1"},
        {"/x/y rename=k1", "y"},
        {"a name=", ""},
        {"dir/", ""},
        {"", ""},
        {"   ", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct module_name name = {.length = 0};

        for (const char *c = rows[i].cmdline; *c != '\0'; c++)
            module_name_add(&name, *c);
        assert_string_equal(name.text, rows[i].name);
        assert_int_equal(name.length, strlen(rows[i].name));
    }
}

// ---- Multiboot 1
// ------------------------------------------------------------------------------------

#define MB1           BASE
#define MB1_MODS      (BASE + 0x14000)
#define MB1_MAP       (BASE + 0x600)
#define MB1_TEXT      (BASE + 0x1000)
#define MB1_LONG      (BASE + 0x2000)
#define MB1_LONG_MODS (BASE + 0x13000)

static enum status parse1(void)
{
    return multiboot1_parse(MB1, &info, error, sizeof(error));
}

static void mb1_entry(uint32_t address, uint32_t size, uint64_t base, uint64_t length,
                      uint32_t type)
{
    set32(address, size);
    set64(address + 4, base);
    set64(address + 12, length);
    set32(address + 20, type);
}

// Command line, two modules, a map with entries of two sizes.
static void mb1_good(void)
{
    set32(MB1, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    set32(MB1 + 16, MB1_TEXT);
    set_text(MB1_TEXT, "build/bulkhead32.elf console=com1");
    set32(MB1 + 20, 2);
    set32(MB1 + 24, MB1_MODS);
    set32(MB1_MODS, 0x300000);
    set32(MB1_MODS + 4, 0x300123);
    set32(MB1_MODS + 8, MB1_TEXT + 0x100);
    set_text(MB1_TEXT + 0x100, "build/vmlinuz root=/dev/x");
    set32(MB1_MODS + 16, 0x400000);
    set32(MB1_MODS + 20, 0x400000);
    set32(MB1 + 44, 24 + 28 + 24);
    set32(MB1 + 48, MB1_MAP);
    mb1_entry(MB1_MAP, 20, 0, 0x9fc00, 1);
    mb1_entry(MB1_MAP + 24, 24, 0x100000, 0x7ee0000, 1);
    mb1_entry(MB1_MAP + 24 + 28, 20, 0xfffc0000, 0x40000, 3);
}

static void mb1_is_parsed(void **state)
{
    (void)state;
    mb1_good();
    assert_int_equal(parse1(), STATUS_OK);
    assert_string_equal(info.loader, "Multiboot 1");
    assert_string_equal(info.cmdline, "console=com1");
    assert_int_equal(info.rsdp, 0);
    assert_int_equal(info.module_count, 2);
    assert_string_equal(info.modules[0].name, "vmlinuz");
    assert_int_equal(info.modules[0].base, 0x300000);
    assert_int_equal(info.modules[0].size, 0x123);
    assert_string_equal(info.modules[1].name, "");
    assert_int_equal(info.modules[1].size, 0);
    assert_int_equal(info.memory_count, 3);
    assert_int_equal(info.memory[0].size, 0x9fc00);
    assert_int_equal(info.memory[1].base, 0x100000);
    assert_int_equal(info.memory[1].kind, BOOT_MEMORY_USABLE);
    assert_int_equal(info.memory[2].base, 0xfffc0000);
    assert_int_equal(info.memory[2].kind, BOOT_MEMORY_ACPI);
}

static void mb1_without_map(void **state)
{
    (void)state;
    set32(MB1, 1);
    set32(MB1 + 4, 639);
    set32(MB1 + 8, 0xffffffff);
    assert_int_equal(parse1(), STATUS_OK);
    assert_int_equal(info.memory_count, 2);
    assert_int_equal(info.memory[0].size, 639 * 1024);
    assert_int_equal(info.memory[1].base, 0x100000);
    assert_int_equal(info.memory[1].size, 0xffffffffull << 10);
    assert_int_equal(info.module_count, 0);
    assert_string_equal(info.cmdline, "");
    set32(MB1, 0);
    expect_error(parse1(), ERR_NOT_FOUND, "nothing of memory");
}

static void mb1_memory_kinds(void **state)
{
    (void)state;
    set32(MB1, 1 << 6);
    set32(MB1 + 48, MB1_MAP);
    set32(MB1 + 44, 24 * 7);
    for (uint32_t type = 0; type < 6; type++)
        mb1_entry(MB1_MAP + 24 * type, 20, type << 20, 0x1000, type);
    mb1_entry(MB1_MAP + 24 * 6, 20, 0, 0, 1); // no length: left out
    assert_int_equal(parse1(), STATUS_OK);
    assert_int_equal(info.memory_count, 6);
    for (unsigned type = 0; type < 6; type++)
        assert_int_equal(info.memory[type].kind, type == 1   ? BOOT_MEMORY_USABLE
                                                 : type == 3 ? BOOT_MEMORY_ACPI
                                                             : BOOT_MEMORY_RESERVED);
}

static void mb1_malformed(void **state)
{
    static const struct {
        uint32_t at, value; // what is put into the good information
        enum status status;
        const char *part;
    } rows[] = {
        {MB1 + 44, 24 + 28 + 23, ERR_TRUNCATED, "ends within an entry"},
        {MB1 + 44, 5, ERR_TRUNCATED, "ends within an entry"},
        {MB1 + 44, 0xfffffff0, ERR_INVALID, "memory map of"},
        {MB1 + 48, 0x5000, ERR_RANGE, "memory map"},
        {MB1 + 48, 0xfffffff8, ERR_RANGE, "does not lie below 4 GiB"},
        {MB1_MAP, 19, ERR_INVALID, "entry of 19 bytes"},
        {MB1_MAP, 0, ERR_INVALID, "entry of 0 bytes"},
        {MB1_MAP, 0xfffffffc, ERR_INVALID, "at offset 0"},
        {MB1_MAP + 24 + 4, 0xffffffff, STATUS_OK, ""}, // base 0xffffffff: odd, but no wrap
        {MB1_MAP + 16, 0xffffffff, STATUS_OK, ""},
        {MB1 + 24, 0x900, ERR_RANGE, "list of modules"},
        {MB1 + 24, BASE + SIZE - 20, ERR_RANGE, "list of modules"},
        {MB1 + 20, 0xffffffff, ERR_RANGE, "more than 128 modules"},
        {MB1_MODS + 4, 0x2fffff, ERR_INVALID, "before its start"},
        {MB1_MODS + 8, 0x100, ERR_RANGE, "command line at 0x100"},
        {MB1 + 16, BASE + SIZE, ERR_RANGE, "command line"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        reset(state);
        mb1_good();
        set32(rows[i].at, rows[i].value);
        expect_error(parse1(), rows[i].status, rows[i].part);
    }
    reset(state);
    mb1_good();
    set64(MB1_MAP + 4, UINT64_MAX - 10);
    set64(MB1_MAP + 12, 12);
    expect_error(parse1(), ERR_INVALID, "wraps");
    set64(MB1_MAP + 12, 11); // to the very end
    assert_int_equal(parse1(), STATUS_OK);

    expect_error(multiboot1_parse(0, &info, error, sizeof(error)), ERR_RANGE, "information itself");
    expect_error(multiboot1_parse(BASE + SIZE - 67, &info, error, sizeof(error)), ERR_RANGE,
                 "information itself");
    expect_error(multiboot1_parse(0xfffffff0, &info, error, sizeof(error)), ERR_RANGE, "4 GiB");
}

static void mb1_limits(void **state)
{
    (void)state;
    set32(MB1, 1 << 6);
    set32(MB1 + 48, MB1_MAP);
    for (uint32_t i = 0; i <= BOOT_MAX_MEMORY; i++)
        mb1_entry(MB1_MAP + 24 * i, 20, i << 20, 0x1000, 1);
    set32(MB1 + 44, 24 * BOOT_MAX_MEMORY);
    assert_int_equal(parse1(), STATUS_OK);
    assert_int_equal(info.memory_count, BOOT_MAX_MEMORY);
    set32(MB1 + 44, 24 * (BOOT_MAX_MEMORY + 1));
    expect_error(parse1(), ERR_RANGE, "more than 256 memory ranges");
}

// `count` times `c`, then the text; a NUL ends it.
static void set_long_text(uint32_t address, char c, uint32_t count, const char *rest)
{
    memset(fake_phys_at(address), c, count);
    set_text(address + count, rest);
}

static void mb1_command_lines(void **state)
{
    static const struct {
        const char *text, *options;
    } rows[] = {
        {"", ""},
        {"a=1", "a=1"},
        {"  /a=b/c?d=e \ta=1\t b_c=/x=y  ", "a=1 b_c=/x=y"},
        {"=1 A=1 a1=2 console", ""},
    };

    (void)state;
    mb1_good();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        set_text(MB1_TEXT, rows[i].text);
        assert_int_equal(parse1(), STATUS_OK);
        assert_string_equal(info.cmdline, rows[i].options);
    }
    // However long the path is that QEMU puts before them.
    set32(MB1 + 16, MB1_LONG);
    set_long_text(MB1_LONG, 'x', 5000, " console=com2");
    assert_int_equal(parse1(), STATUS_OK);
    assert_string_equal(info.cmdline, "console=com2");
    set_long_text(MB1_LONG, '/', 5000, "=1 console=com2");
    assert_int_equal(parse1(), STATUS_OK);
    assert_string_equal(info.cmdline, "console=com2");
    // Options are not cut.
    set_text(MB1_LONG, "a=");
    set_long_text(MB1_LONG + 2, 'x', BOOT_TEXT_SIZE - 3, " somewhat");
    assert_int_equal(parse1(), STATUS_OK);
    assert_int_equal(strlen(info.cmdline), BOOT_TEXT_SIZE - 1);
    set_long_text(MB1_LONG + 2, 'x', BOOT_TEXT_SIZE - 3, " b=");
    expect_error(parse1(), ERR_RANGE, "options on the command line have more than 255");
    set_long_text(MB1_LONG + 2, 'x', BOOT_TEXT_SIZE - 2, "");
    expect_error(parse1(), ERR_RANGE, "options on the command line have more than 255");
    set_long_text(MB1_LONG, 'x', BOOT_TEXT_SIZE, "=1");
    expect_error(parse1(), ERR_RANGE, "options on the command line have more than 255");
    // A text that ends with the last byte of memory.
    set32(MB1 + 16, BASE + SIZE - 4);
    set_text(BASE + SIZE - 4, "a=b");
    assert_int_equal(parse1(), STATUS_OK);
    assert_string_equal(info.cmdline, "a=b");
    // One without an end.
    fake_phys[SIZE - 1] = 'c';
    expect_error(parse1(), ERR_RANGE, "command line");
}

static void mb1_long_names(void **state)
{
    (void)state;
    mb1_good();
    set32(MB1_MODS + 8, MB1_LONG);
    // A path of any length has a name, and so has what follows it.
    set_long_text(MB1_LONG, '/', 5000, "vmlinuz quiet");
    assert_int_equal(parse1(), STATUS_OK);
    assert_string_equal(info.modules[0].name, "vmlinuz");
    set_long_text(MB1_LONG, 'x', 5000, " a=b name=kernel name=other");
    assert_int_equal(parse1(), STATUS_OK);
    assert_string_equal(info.modules[0].name, "kernel");
    set_long_text(MB1_LONG, 'x', BOOT_TEXT_SIZE - 1, "");
    assert_int_equal(parse1(), STATUS_OK);
    assert_int_equal(strlen(info.modules[0].name), BOOT_TEXT_SIZE - 1);
    set_long_text(MB1_LONG, 'x', BOOT_TEXT_SIZE, "");
    expect_error(parse1(), ERR_RANGE, "the name of module 1 has more than 255 characters");
    set_long_text(MB1_LONG, ' ', 0x10000, "");
    expect_error(parse1(), ERR_RANGE, "a module's command line at 0x12000 has more than 65536");
}

static void mb1_names_together(void **state)
{
    enum { EACH = BOOT_NAMES_SIZE / 32 };

    (void)state;
    mb1_good();
    set_long_text(MB1_LONG, 'x', EACH - 1, "");
    for (uint32_t i = 0; i < 33; i++) {
        set32(MB1_LONG_MODS + 16 * i, 0x1000);
        set32(MB1_LONG_MODS + 16 * i + 4, 0x1000);
        set32(MB1_LONG_MODS + 16 * i + 8, MB1_LONG);
    }
    set32(MB1 + 24, MB1_LONG_MODS);
    set32(MB1 + 20, 32);
    assert_int_equal(parse1(), STATUS_OK);
    assert_int_equal(info.names_used, BOOT_NAMES_SIZE);
    set32(MB1 + 20, 33);
    expect_error(parse1(), ERR_RANGE, "names of the first 33 modules have more than 8191");
}

// The names are found where the information is copied to.
static void names_move_along(void **state)
{
    static struct boot_info copy;

    (void)state;
    mb1_good();
    assert_int_equal(parse1(), STATUS_OK);
    memcpy(&copy, &info, sizeof(copy));
    memset(&info, 0xee, sizeof(info));
    boot_info_moved(&copy, (uint64_t)&info);
    assert_ptr_equal(copy.modules[0].name, copy.names);
    assert_string_equal(copy.modules[0].name, "vmlinuz");
    assert_string_equal(copy.modules[1].name, "");
}

// ---- Multiboot 2
// ------------------------------------------------------------------------------------

static uint32_t at; // where the next tag goes

static uint32_t tag(uint32_t type, uint32_t body_size)
{
    uint32_t body = at + 8;

    set32(at, type);
    set32(at + 4, body_size + 8);
    at = (uint32_t)align_up(body + body_size, 8);
    return body;
}

static void end_tags(void)
{
    tag(0, 0);
    set32(BASE, at - BASE);
}

static void start_tags(void)
{
    at = BASE + 8;
}

static void map_tag(unsigned entries, uint32_t entry_size)
{
    uint32_t body = tag(6, 8 + entries * entry_size);

    set32(body, entry_size);
    for (unsigned i = 0; i < entries; i++) {
        set64(body + 8 + i * entry_size, (uint64_t)i << 32);
        set64(body + 16 + i * entry_size, 0x1000 + i);
        set32(body + 24 + i * entry_size, i % 4);
    }
}

static uint32_t module_tag(uint32_t start, uint32_t end, const char *cmdline)
{
    uint32_t body = tag(3, 8 + (uint32_t)strlen(cmdline) + 1);

    set32(body, start);
    set32(body + 4, end);
    set_text(body + 8, cmdline);
    return body;
}

static enum status parse2(void)
{
    return multiboot2_parse(BASE, &info, error, sizeof(error));
}

static void mb2_is_parsed(void **state)
{
    (void)state;
    start_tags();
    set_text(tag(1, 11), "cmd a=line");
    tag(9, 33); // ELF sections: not ours
    module_tag(0x1000000, 0x1002345, "two-linux.bin");
    module_tag(0x2000000, 0x2000001, "/boot/k name=vmlinuz");
    set32(tag(4, 8) + 4, 12345); // superseded by the map
    map_tag(3, 24);
    tag(15, 36);
    uint32_t newer = at - 40;

    tag(14, 20);
    end_tags();
    assert_int_equal(parse2(), STATUS_OK);
    assert_string_equal(info.loader, "Multiboot 2");
    assert_string_equal(info.cmdline, "a=line");
    assert_int_equal(info.module_count, 2);
    assert_string_equal(info.modules[0].name, "two-linux.bin");
    assert_int_equal(info.modules[0].base, 0x1000000);
    assert_int_equal(info.modules[0].size, 0x2345);
    assert_string_equal(info.modules[1].name, "vmlinuz");
    assert_int_equal(info.memory_count, 3);
    assert_int_equal(info.memory[1].base, 1ull << 32);
    assert_int_equal(info.memory[1].size, 0x1001);
    assert_int_equal(info.memory[1].kind, BOOT_MEMORY_USABLE);
    assert_int_equal(info.memory[2].kind, BOOT_MEMORY_RESERVED);
    assert_int_equal(info.rsdp, newer);
    assert_int_equal(newer % 8, 0);
}

static void mb2_older_rsdp_and_larger_entries(void **state)
{
    (void)state;
    start_tags();
    uint32_t older = tag(14, 20);

    map_tag(4, 32);
    end_tags();
    assert_int_equal(parse2(), STATUS_OK);
    assert_int_equal(info.rsdp, older);
    assert_int_equal(info.memory_count, 4);
    assert_int_equal(info.memory[3].base, 3ull << 32);
    assert_int_equal(info.memory[3].kind, BOOT_MEMORY_ACPI);
}

static void mb2_without_map(void **state)
{
    (void)state;
    start_tags();
    uint32_t body = tag(4, 8);

    set32(body, 640);
    set32(body + 4, 1024);
    end_tags();
    assert_int_equal(parse2(), STATUS_OK);
    assert_int_equal(info.memory_count, 2);
    assert_int_equal(info.memory[1].size, MIB(1));

    reset(state);
    start_tags();
    end_tags();
    expect_error(parse2(), ERR_NOT_FOUND, "nothing of memory");
}

static void mb2_malformed_frame(void **state)
{
    (void)state;
    start_tags();
    map_tag(1, 24);
    uint32_t last = at;

    end_tags();
    static const uint32_t sizes[] = {0, 7, 0x100001, 0xffffffff};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        set32(BASE, sizes[i]);
        expect_error(parse2(), ERR_INVALID, "a size of");
    }
    // Cut anywhere it has no end tag, or a tag that reaches too far.
    for (uint32_t size = 8; size < last + 8 - BASE; size++) {
        set32(BASE, size);
        enum status status = parse2();

        assert_true(status == ERR_TRUNCATED || status == ERR_INVALID);
        assert_non_null(strstr(error, "boot information: "));
    }
    set32(BASE, last + 8 - BASE);
    assert_int_equal(parse2(), STATUS_OK);
    // No tag is smaller than its header: it would never end.
    for (uint32_t size = 0; size < 8; size++) {
        set32(BASE + 12, size);
        expect_error(parse2(), ERR_INVALID, "claims");
    }
    set32(BASE + 12, 0xfffffff8);
    expect_error(parse2(), ERR_INVALID, "claims");
    expect_error(multiboot2_parse(0x100, &info, error, sizeof(error)), ERR_RANGE, "itself");
}

static void mb2_malformed_tags(void **state)
{
    static const struct {
        uint32_t type, size;
    } short_tags[] = {{3, 7}, {4, 7}, {6, 7}, {14, 19}, {15, 35}};

    for (size_t i = 0; i < ARRAY_SIZE(short_tags); i++) {
        reset(state);
        start_tags();
        tag(short_tags[i].type, short_tags[i].size);
        end_tags();
        expect_error(parse2(), ERR_TRUNCATED, "has only");
    }

    static const uint32_t entry_sizes[] = {0, 8, 23, 25, 0xfffffff8};

    for (size_t i = 0; i < ARRAY_SIZE(entry_sizes); i++) {
        reset(state);
        start_tags();
        map_tag(2, 24);
        end_tags();
        set32(BASE + 16, entry_sizes[i]);
        enum status status = parse2();

        assert_true(status == ERR_INVALID || status == ERR_TRUNCATED);
    }

    reset(state);
    start_tags();
    module_tag(0x2000, 0x1000, "upside-down");
    end_tags();
    expect_error(parse2(), ERR_INVALID, "\"upside-down\") ends at 0x1000");

    // A command line without an end stays within its tag.
    reset(state);
    start_tags();
    map_tag(1, 24);
    uint32_t body = tag(3, 8 + 8);

    memcpy(fake_phys_at(body + 8), "abcdefgh", 8);
    end_tags();
    assert_int_equal(parse2(), STATUS_OK);
    assert_string_equal(info.modules[0].name, "abcdefgh");

    reset(state);
    start_tags();
    map_tag(1, 24);
    for (unsigned i = 0; i < BOOT_MAX_MODULES; i++)
        module_tag(0, 0, "m");
    uint32_t last = at;

    end_tags();
    assert_int_equal(parse2(), STATUS_OK);
    at = last;
    module_tag(0, 0, "m");
    end_tags();
    expect_error(parse2(), ERR_RANGE, "more than 128 modules");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(module_names),
        cmocka_unit_test_setup(mb1_is_parsed, reset),
        cmocka_unit_test_setup(mb1_without_map, reset),
        cmocka_unit_test_setup(mb1_memory_kinds, reset),
        cmocka_unit_test_setup(mb1_malformed, reset),
        cmocka_unit_test_setup(mb1_limits, reset),
        cmocka_unit_test_setup(mb1_command_lines, reset),
        cmocka_unit_test_setup(mb1_long_names, reset),
        cmocka_unit_test_setup(mb1_names_together, reset),
        cmocka_unit_test_setup(names_move_along, reset),
        cmocka_unit_test_setup(mb2_is_parsed, reset),
        cmocka_unit_test_setup(mb2_older_rsdp_and_larger_entries, reset),
        cmocka_unit_test_setup(mb2_without_map, reset),
        cmocka_unit_test_setup(mb2_malformed_frame, reset),
        cmocka_unit_test_setup(mb2_malformed_tags, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
