// SPDX-License-Identifier: Apache-2.0
// The Multiboot loader: its header, flat kernels with addresses in it, what a kernel is handed, and
// every image or request that must be refused. test_load_elf.c has what is ELF's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/guest/e820.h"
#include "tests/unit/multiboot_image.h"

static void loads_by_addresses(void **state)
{
    struct fixture *f = *state;

    set_up_flat(f);
    memset(fake_ram_at(&f->p, MIB(1), MIB(1)), 0xee, MIB(1));
    assert_int_equal(load(f), STATUS_OK);
    expect_entry(f, 0x100300);
    assert_memory_equal(fake_ram_at(&f->p, 0x100000, 0x800), &f->image[0x100], 0x800);
    for (unsigned i = 0x800; i < 0x1800; i++) {
        assert_int_equal(*fake_ram_at(&f->p, 0x100000 + i, 1), 0);
    }
    assert_int_equal(*fake_ram_at(&f->p, 0x101800, 1), 0xee);
    // The whole rest of the file, and no bss.
    put32(f, HEADER_AT + 20, 0);
    put32(f, HEADER_AT + 24, 0);
    assert_int_equal(load(f), STATUS_OK);
    assert_memory_equal(fake_ram_at(&f->p, 0x100000, IMAGE_SIZE - 0x100), &f->image[0x100],
                        IMAGE_SIZE - 0x100);
    fake_ram_free(&f->p);
    // The addresses win over ELF's.
    set_up_elf32(f);
    put_header(f, HEADER_AT, 0x10003);
    put32(f, HEADER_AT + 12, 0x300000 + HEADER_AT);
    put32(f, HEADER_AT + 16, 0x300000);
    put32(f, HEADER_AT + 20, 0);
    put32(f, HEADER_AT + 24, 0);
    put32(f, HEADER_AT + 28, 0x300000 + CODE_AT);
    assert_int_equal(load(f), STATUS_OK);
    expect_entry(f, 0x300000 + CODE_AT);
    assert_memory_equal(fake_ram_at(&f->p, 0x300000, IMAGE_SIZE), f->image, IMAGE_SIZE);
    fake_ram_free(&f->p);
}

static void bad_addresses_are_refused(void **state)
{
    static const struct {
        uint32_t header, load, load_end, bss_end, entry;
        enum status status;
        const char *text;
    } cases[] = {
        {0x100100, 0x100101, 0, 0, 0x100300, ERR_INVALID, "load_addr lies before"},
        {0x100201, 0x100000, 0, 0, 0x100300, ERR_INVALID, "load_addr lies before"},
        {0x100100, 0x100000, 0x100000, 0, 0x100300, ERR_INVALID, "load_end_addr is not above"},
        {0x100100, 0x100000, 0xfffff, 0, 0x100300, ERR_INVALID, "load_end_addr is not above"},
        {0x100100, 0x100000, 0x100901, 0, 0x100300, ERR_TRUNCATED, "load range"},
        {0x100100, 0x100000, 0x100800, 0x1007ff, 0x100300, ERR_INVALID, "bss_end_addr"},
        {0x100100, 0x100000, 0x100800, 0xfffff, 0x100300, ERR_INVALID, "bss_end_addr"},
        {0x100100, 0x100000, 0x100800, 0x101000, 0x101000, ERR_INVALID, "entry_addr"},
        {0x100100, 0x100000, 0x100800, 0x101000, 0xfffff, ERR_INVALID, "entry_addr"},
        {0x100100, 0x100000, 0x100800, 0x1000001, 0x100300, ERR_RANGE, "lies outside"},
        {0x100100, 0x100000, 0x100800, 0xffffffff, 0x100300, ERR_RANGE, "lies outside"},
        {0xfffffff0, 0xffffff00, 0, 0, 0xffffff10, ERR_RANGE, "lies outside"},
        {0xff100, 0xff000, 0xff800, 0, 0xff300, ERR_RANGE, "lies on firmware area"},
    };
    struct fixture *f = *state;

    set_up_flat(f);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        put32(f, HEADER_AT + 12, cases[i].header);
        put32(f, HEADER_AT + 16, cases[i].load);
        put32(f, HEADER_AT + 20, cases[i].load_end);
        put32(f, HEADER_AT + 24, cases[i].bss_end);
        put32(f, HEADER_AT + 28, cases[i].entry);
        expect_failure(f, cases[i].status, cases[i].text);
    }
    fake_ram_free(&f->p);
}

static void the_header_may_stand_anywhere_in_8_kib(void **state)
{
    struct fixture *f = *state;

    set_up_elf32(f);
    f->file.size = sizeof(f->image);
    memset(&f->image[HEADER_AT], 0, 12);
    put_header(f, 8192 - 12, 3);
    assert_int_equal(load(f), STATUS_OK);
    memset(&f->image[8192 - 12], 0, 12);
    put_header(f, 8192 - 8, 3);
    expect_failure(f, ERR_UNSUPPORTED, "ELF file without a Multiboot header");
    memset(&f->image[8192 - 8], 0, 12);
    put_header(f, HEADER_AT + 2, 3); // not on a multiple of 4
    expect_failure(f, ERR_UNSUPPORTED, "ELF file without a Multiboot header");
    memset(&f->image[HEADER_AT], 0, 16);
    put_header(f, HEADER_AT, 3);
    f->image[HEADER_AT + 8]++; // a wrong checksum
    expect_failure(f, ERR_UNSUPPORTED, "ELF file without a Multiboot header");
    put_header(f, HEADER_AT + 64, 3); // a right one behind it
    assert_int_equal(load(f), STATUS_OK);
    fake_ram_free(&f->p);
}

static void unknown_demands_are_refused(void **state)
{
    struct fixture *f = *state;

    set_up_elf32(f);
    for (unsigned bit = 0; bit < 32; bit++) {
        put_header(f, HEADER_AT, (uint32_t)BIT(bit));
        if (bit <= 2 || bit > 16) {
            assert_int_equal(load(f), STATUS_OK);
        } else if (bit < 16) {
            char text[32];

            snprintf(text, sizeof(text), "(flags 0x%x)", 1u << bit);
            expect_failure(f, ERR_UNSUPPORTED, text);
        }
    }
    fake_ram_free(&f->p);
}

static void tells_of_the_framebuffer(void **state)
{
    static const struct boot_framebuffer screen = {0xf0001000, 4160, 1024, 768, 16, 8, 0};
    static const uint8_t rest[] = {32, 1, 16, 8, 8, 8, 0, 8}; // bits, RGB, positions and sizes
    struct fixture *f = *state;
    uint64_t info;

    set_up_elf32(f);
    f->req.screen = &screen;
    put_header(f, HEADER_AT, 7); // wants a video mode
    assert_int_equal(load(f), STATUS_OK);
    info = f->res.entry.rbx;
    assert_int_equal(fake_ram_u32(&f->p, info), 0x124d);
    assert_int_equal(fake_ram_u64(&f->p, info + 88), 0xf0001000);
    assert_int_equal(fake_ram_u32(&f->p, info + 96), 4160);
    assert_int_equal(fake_ram_u32(&f->p, info + 100), 1024);
    assert_int_equal(fake_ram_u32(&f->p, info + 104), 768);
    assert_memory_equal(fake_ram_at(&f->p, info + 108, sizeof(rest)), rest, sizeof(rest));
    fake_ram_free(&f->p);
}

static const char *cmdline(const struct fixture *f)
{
    return (char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, f->res.entry.rbx + 16), 64);
}

static void hands_over_its_information(void **state)
{
    struct fixture *f = *state;
    struct e820_entry map[GUEST_E820_MAX];
    const unsigned n = guest_e820(MIB(16), 0, false, map);
    uint64_t info;
    uint64_t mmap;

    set_up_elf32(f);
    assert_int_equal(load(f), STATUS_OK);
    info = f->res.entry.rbx;
    assert_true(info >= 0x1000 && info + 120 <= 0x9fc00);
    assert_int_equal(fake_ram_u32(&f->p, info), 0x24d); // memory, cmdline, modules, map, loader
    assert_int_equal(fake_ram_u32(&f->p, info + 4), 639);
    assert_int_equal(fake_ram_u32(&f->p, info + 8), 15 * 1024);
    assert_string_equal(cmdline(f), "bench.elf n=1000");
    assert_int_equal(fake_ram_u32(&f->p, info + 20), 0);
    assert_string_equal((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, info + 64), 16), "Bulkhead");
    assert_int_equal(fake_ram_u32(&f->p, info + 44), n * 24);
    mmap = fake_ram_u32(&f->p, info + 48);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(fake_ram_u32(&f->p, mmap + 24 * i), 20);
        assert_int_equal(fake_ram_u64(&f->p, mmap + 24 * i + 4), map[i].base);
        assert_int_equal(fake_ram_u64(&f->p, mmap + 24 * i + 12), map[i].size);
        assert_int_equal(fake_ram_u32(&f->p, mmap + 24 * i + 20), map[i].type);
    }
    fake_ram_free(&f->p);
}

// QEMU's multiboot.c and GRUB Legacy begin with the file, GRUB 2 does not.
static void the_image_s_name_comes_first(void **state)
{
    struct fixture *f = *state;

    set_up_elf32(f);
    assert_int_equal(load(f), STATUS_OK);
    assert_string_equal(cmdline(f), "bench.elf n=1000");
    f->req.cmdline = NULL;
    assert_int_equal(load(f), STATUS_OK);
    assert_string_equal(cmdline(f), "bench.elf");
    f->req.cmdline = "";
    assert_int_equal(load(f), STATUS_OK);
    assert_string_equal(cmdline(f), "bench.elf");
    f->req.no_image_name = true;
    assert_int_equal(load(f), STATUS_OK);
    assert_string_equal(cmdline(f), "");
    f->req.cmdline = NULL;
    assert_int_equal(load(f), STATUS_OK);
    assert_string_equal(cmdline(f), "");
    f->req.cmdline = "n=1000";
    assert_int_equal(load(f), STATUS_OK);
    assert_string_equal(cmdline(f), "n=1000");
    fake_ram_free(&f->p);
}

static void below_the_dma_floor_is_no_memory(void **state)
{
    struct fixture *f = *state;
    static uint8_t data[5000];
    const struct boot_module a = fake_module("a", data, sizeof(data));
    const struct load_module modules[] = {{&a, NULL}};
    uint64_t info;

    set_up_elf32(f);
    segment32(f, 0)->p_paddr = 0x300000;
    f->req.dma_floor = f->p.dma_floor = MIB(2); // where it is linked
    f->req.modules = modules;
    f->req.module_count = 1;
    assert_int_equal(load(f), STATUS_OK);
    info = f->res.entry.rbx;
    assert_int_equal(fake_ram_u32(&f->p, info + 8), 0); // of upper memory, up to the first hole
    assert_int_equal(fake_ram_u64(&f->p, fake_ram_u32(&f->p, info + 48) + 24 * 2 + 4), MIB(2));
    assert_int_equal(fake_ram_u32(&f->p, fake_ram_u32(&f->p, info + 24)), 0x301000);
    f->req.dma_floor = f->p.dma_floor = MIB(4);
    expect_failure(f, ERR_RANGE, "lies below 0x400000");
    assert_true(strlen(f->error) < 255); // what the hypervisor keeps of it
    fake_ram_free(&f->p);
}

static void modules_go_behind_the_kernel(void **state)
{
    struct fixture *f = *state;
    static uint8_t data[5000];
    const struct boot_module a = fake_module("a", data, sizeof(data));
    const struct boot_module b = fake_module("b", "", 0);
    const struct boot_module c = fake_module("c", "hello", 5);
    const struct load_module modules[] = {{&a, "x=1"}, {&b, NULL}, {&c, "c"}};
    uint64_t mods;

    memset(data, 0x3c, sizeof(data));
    set_up_elf32(f);
    f->req.modules = modules;
    f->req.module_count = 3;
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(fake_ram_u32(&f->p, f->res.entry.rbx + 20), 3);
    mods = fake_ram_u32(&f->p, f->res.entry.rbx + 24);
    assert_int_equal(fake_ram_u32(&f->p, mods), 0x202000); // the kernel ends at 0x201123
    assert_int_equal(fake_ram_u32(&f->p, mods + 4), 0x202000 + 5000);
    assert_int_equal(fake_ram_u32(&f->p, mods + 16), fake_ram_u32(&f->p, mods + 20));
    assert_int_equal(fake_ram_u32(&f->p, mods + 32), 0x204000);
    assert_int_equal(fake_ram_u32(&f->p, mods + 36), 0x204005);
    assert_memory_equal(fake_ram_at(&f->p, 0x202000, 5000), data, 5000);
    assert_memory_equal(fake_ram_at(&f->p, 0x204000, 5), "hello", 5);
    assert_string_equal((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, mods + 8), 8), "a x=1");
    assert_string_equal((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, mods + 24), 8), "b");
    assert_string_equal((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, mods + 40), 8), "c c");
    f->req.no_image_name = true;
    assert_int_equal(load(f), STATUS_OK);
    mods = fake_ram_u32(&f->p, f->res.entry.rbx + 24);
    assert_string_equal((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, mods + 8), 8), "x=1");
    assert_string_equal((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, mods + 24), 8), "");
    assert_string_equal((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, mods + 40), 8), "c");
    // A kernel at the end of RAM has them before it, if there is room.
    segment32(f, 2)->p_paddr = MIB(16) - DATA_SIZE - 4096;
    assert_int_equal(load(f), STATUS_OK);
    mods = fake_ram_u32(&f->p, f->res.entry.rbx + 24);
    assert_int_equal(fake_ram_u32(&f->p, mods), 0x101000);
    fake_ram_free(&f->p);
}

static void modules_must_fit(void **state)
{
    struct fixture *f = *state;
    struct boot_module big = fake_module("big", NULL, MIB(14));
    const struct load_module modules[] = {{&big, NULL}};

    set_up_elf32(f);
    f->req.modules = modules;
    f->req.module_count = 1;
    big.base = (uint64_t)(uintptr_t)calloc(1, MIB(14));
    expect_failure(f, ERR_NO_MEMORY, "module \"big\": the partition's modules don't fit");
    big.size = MIB(14) - 0x2000; // exactly
    assert_int_equal(load(f), STATUS_OK);
    big.size = MIB(14) - 0x2000 + 1;
    expect_failure(f, ERR_NO_MEMORY, "don't fit");
    big.size = UINT64_MAX;
    expect_failure(f, ERR_NO_MEMORY, "don't fit");
    free((void *)(uintptr_t)big.base);
    fake_ram_free(&f->p);
}

static void long_command_lines_leave_base_memory(void **state)
{
    enum { COUNT = 20, LENGTH = 40000 };
    struct fixture *f = *state;
    static char line[LENGTH + 1];
    const struct boot_module m = fake_module("m", "m", 1);
    struct load_module modules[COUNT];
    uint64_t mods;

    memset(line, 'y', LENGTH);
    for (unsigned i = 0; i < COUNT; i++) {
        modules[i] = (struct load_module){&m, line};
    }
    set_up_elf32(f);
    f->req.modules = modules;
    f->req.module_count = COUNT;
    assert_int_equal(load(f), STATUS_OK);
    assert_true(f->res.entry.rbx >= MIB(1));
    mods = fake_ram_u32(&f->p, f->res.entry.rbx + 24);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(
            strlen((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, mods + i * 16 + 8), LENGTH + 3)),
            LENGTH + strlen("m "));
    }
    fake_ram_free(&f->p);
}

static void takes_no_initrd(void **state)
{
    struct fixture *f = *state;
    const struct boot_module initrd = fake_module("initrd.gz", "x", 1);

    set_up_elf32(f);
    f->req.initrd = &initrd;
    expect_failure(f, ERR_UNSUPPORTED, "list the file under \"modules\"");
    fake_ram_free(&f->p);
}

// Each byte less than the last that is loaded is too few.
static void expect_truncations_refused(struct fixture *f, uint64_t needed)
{
    for (uint64_t size = 0; size <= needed; size += size < 0x260 || size > needed - 8 ? 1 : 7) {
        uint8_t *data = malloc(size == 0 ? 1 : size); // ASan sees reads behind its end

        memcpy(data, f->image, size);
        f->file = fake_module("bench.elf", data, size);
        if (size < needed && load(f) == STATUS_OK) {
            fail_msg("%u bytes were enough", (unsigned)size);
        }
        if (size < needed) {
            assert_non_null(strstr(f->error, "partition \"beta\": image \"bench.elf\": "));
        }
        free(data);
    }
    f->file = fake_module("bench.elf", f->image, needed);
    assert_int_equal(load(f), STATUS_OK);
    fake_ram_free(&f->p);
}

static void every_truncation_is_refused(void **state)
{
    struct fixture *f = *state;

    set_up_elf32(f);
    expect_truncations_refused(f, DATA_AT + DATA_SIZE);
    set_up_elf64(f);
    expect_truncations_refused(f, DATA_AT + DATA_SIZE);
    set_up_flat(f);
    expect_truncations_refused(f, 0x900);
}

static void reports_every_failed_write(void **state)
{
    struct fixture *f = *state;
    const struct boot_module m = fake_module("m", "mmm", 3);
    const struct load_module modules[] = {{&m, "x"}};
    uint64_t all;

    set_up_elf32(f);
    f->req.modules = modules;
    f->req.module_count = 1;
    assert_int_equal(load(f), STATUS_OK);
    all = f->p.writes;
    for (uint64_t n = 1; n < all; n++) {
        f->p.writes = 0;
        f->p.fail_after = n;
        expect_failure(f, ERR_RANGE, "");
    }
    fake_ram_free(&f->p);
}

int main(void)
{
    static struct fixture fixture;
    struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_by_addresses),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(the_header_may_stand_anywhere_in_8_kib),
        cmocka_unit_test(unknown_demands_are_refused),
        cmocka_unit_test(hands_over_its_information),
        cmocka_unit_test(the_image_s_name_comes_first),
        cmocka_unit_test(tells_of_the_framebuffer),
        cmocka_unit_test(below_the_dma_floor_is_no_memory),
        cmocka_unit_test(modules_go_behind_the_kernel),
        cmocka_unit_test(modules_must_fit),
        cmocka_unit_test(long_command_lines_leave_base_memory),
        cmocka_unit_test(takes_no_initrd),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(reports_every_failed_write),
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        tests[i].initial_state = &fixture;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
