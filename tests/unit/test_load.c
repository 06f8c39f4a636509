// SPDX-License-Identifier: Apache-2.0
// Loading a guest, whatever its kind: how images are told apart, the firmware's part, and requests
// that make no sense.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hv/guest/e820.h"
#include "hv/guest/load.h"
#include "tests/unit/fake_guest_ram.h"

#define IMAGE_SIZE 0x3000u

struct fixture {
    struct fake_ram p;
    uint8_t image[IMAGE_SIZE];
    struct boot_module file;
    struct load_request req;
    struct load_result res;
    char error[512];
};

static void put32(struct fixture *f, unsigned offset, uint32_t value)
{
    memcpy(&f->image[offset], &value, sizeof(value));
}

// A flat Multiboot kernel: the smallest that there is.
static void set_up(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    fake_ram_init(&f->p, MIB(4));
    put32(f, 0, 0x1badb002);
    put32(f, 4, 0x10000);
    put32(f, 8, 0u - 0x1badb002 - 0x10000);
    put32(f, 12, 0x100000);
    put32(f, 16, 0x100000);
    put32(f, 28, 0x100020);
    f->file = fake_module("kernel", f->image, IMAGE_SIZE);
    f->req = (struct load_request){
        .partition = "gamma",
        .version = "1.2",
        .uuid = fake_uuid,
        .memory = MIB(4),
        .image = &f->file,
        .platform =
            {
                .cpu_count = 1,
                .lapic_address = GUEST_LAPIC_ADDRESS,
                .ioapic_address = GUEST_IOAPIC_ADDRESS,
                .sci_irq = GUEST_SCI_IRQ,
                .pm1_base = GUEST_PM1_BASE,
            },
    };
}

static enum status load(struct fixture *f)
{
    f->error[0] = '\0';
    return load_guest(&f->p.ram, &f->req, &f->res, f->error, sizeof(f->error));
}

static void expect_failure(struct fixture *f, enum status s, const char *text)
{
    assert_int_equal(load(f), s);
    assert_string_equal(f->error, text);
}

static void any_guest_gets_the_firmware_s_tables(void **state)
{
    struct fixture *f = *state;

    set_up(f);
    assert_int_equal(load(f), STATUS_OK);
    assert_memory_equal(fake_ram_at(&f->p, f->res.rsdp.v, 8), "RSD PTR ", 8);
    assert_memory_equal(fake_ram_at(&f->p, GUEST_MP_TABLES, 4), "_MP_", 4);
    assert_int_equal(fake_ram_u16(&f->p, 0x413), 639);
    assert_int_equal(fake_ram_u32(&f->p, 0x13 * 4), 0xf000f04c); // int 13h, to a stub
    assert_int_equal(fake_ram_u32(&f->p, 0xffff0), 0x64e6feb0);  // the reset vector
    fake_ram_free(&f->p);
}

// Starting again, from memory that is cleared, gives the same.
static void loading_again_gives_the_same(void **state)
{
    struct fixture *f = *state;
    static uint8_t before[MIB(4)];
    struct load_result first;

    set_up(f);
    assert_int_equal(load(f), STATUS_OK);
    memcpy(before, fake_ram_at(&f->p, 0, MIB(4)), MIB(4));
    first = f->res;
    memset(fake_ram_at(&f->p, 0, MIB(4)), 0, MIB(4));
    memset(&f->res, 0xff, sizeof(f->res));
    assert_int_equal(load(f), STATUS_OK);
    assert_memory_equal(fake_ram_at(&f->p, 0, MIB(4)), before, MIB(4));
    assert_int_equal(f->res.entry.rip, first.entry.rip);
    assert_int_equal(f->res.entry.rsi, 0);
    assert_int_equal(f->res.entry.rbx, first.entry.rbx);
    fake_ram_free(&f->p);
}

static void unknown_kinds_are_refused(void **state)
{
    static const char text[] = "partition \"gamma\": image \"kernel\": is of no known kind: use a "
                               "Linux bzImage or a Multiboot 1 kernel";
    struct fixture *f = *state;

    set_up(f);
    memset(f->image, 0, IMAGE_SIZE);
    for (unsigned size = 1; size <= IMAGE_SIZE; size += 97) {
        f->file.size = size;
        expect_failure(f, ERR_UNSUPPORTED, text);
    }
    f->file.size = IMAGE_SIZE;
    memset(f->image, 0xff, IMAGE_SIZE);
    expect_failure(f, ERR_UNSUPPORTED, text);
    fake_ram_free(&f->p);
}

// What a user may take for a kernel is called by its name, with what to do.
static void foreign_kinds_are_named(void **state)
{
    static const struct {
        unsigned at;
        const char *bytes;
        const char *kind;
    } cases[] = {
        {0, "\x1f\x8b\x08", "is a gzip file: unpack it with gunzip"},
        {0, "\xfd\x37zXZ", "is an xz file: unpack it with unxz"},
        {0, "\x28\xb5\x2f\xfd", "is a zstd file: unpack it with unzstd"},
        {0, "BZh9", "is a bzip2 file: unpack it with bunzip2"},
        {0, "MZ",
         "is a UEFI or DOS program, which needs firmware: use a Linux bzImage or a Multiboot "
         "1 kernel"},
        {0, "\177ELF\2\1\1",
         "is an ELF file without a Multiboot header in its first 8 KiB; of "
         "Linux use the bzImage, not the vmlinux, or else a Multiboot 1 "
         "kernel"},
        {0, "070701", "is a cpio archive: give it as \"initrd\", and a kernel as \"image\""},
        {0x8001, "CD001", "is an image of a CD: use the kernel that is on it"},
        {0x1fe, "\x55\xaa",
         "is a boot sector or a disk image, which needs a BIOS: use a Linux bzImage "
         "or a Multiboot 1 kernel"},
    };
    static uint8_t file[0x8010];
    struct fixture *f = *state;

    set_up(f);
    f->file = fake_module("kernel", file, sizeof(file));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[256];

        memset(file, 0, sizeof(file));
        memcpy(&file[cases[i].at], cases[i].bytes, strlen(cases[i].bytes));
        snprintf(text, sizeof(text), "partition \"gamma\": image \"kernel\": %s", cases[i].kind);
        expect_failure(f, ERR_UNSUPPORTED, text);
        f->file.size = cases[i].at + 1; // cut off within the bytes that tell
        assert_int_equal(load(f), ERR_UNSUPPORTED);
        assert_non_null(strstr(f->error, "is of no known kind"));
        f->file.size = sizeof(file);
    }
    fake_ram_free(&f->p);
}

static void multiboot_2_is_named(void **state)
{
    static const char known[] = "is a Multiboot 2 kernel: build it with a Multiboot 1 header";
    static uint8_t file[0x8010];
    uint32_t header[4] = {0xe85250d6, 0, 24, 0u - 0xe85250d6u - 24};
    struct fixture *f = *state;

    set_up(f);
    f->file = fake_module("kernel", file, sizeof(file));
    memcpy(file, "\177ELF\2\1\1", 7);
    memcpy(&file[0x7ff8], header, sizeof(header)); // where it may begin at the latest
    assert_int_equal(load(f), ERR_UNSUPPORTED);
    assert_non_null(strstr(f->error, known));
    memset(&file[0x7ff8], 0, sizeof(header));
    memcpy(&file[0x8000], header, sizeof(header));
    assert_int_equal(load(f), ERR_UNSUPPORTED);
    assert_non_null(strstr(f->error, "ELF file without a Multiboot header"));
    header[3]++; // a wrong checksum
    memcpy(&file[8], header, sizeof(header));
    assert_int_equal(load(f), ERR_UNSUPPORTED);
    assert_non_null(strstr(f->error, "ELF file without a Multiboot header"));
    fake_ram_free(&f->p);
}

static void an_empty_image_is_refused(void **state)
{
    struct fixture *f = *state;

    set_up(f);
    f->file.size = 0;
    expect_failure(f, ERR_TRUNCATED,
                   "partition \"gamma\": image \"kernel\": is empty: copy it anew");
    fake_ram_free(&f->p);
}

static void too_little_memory_is_refused(void **state)
{
    static const uint64_t sizes[] = {0, 4096, MIB(1), LOAD_MIN_MEMORY - 4096, MIB(3) + 1};
    struct fixture *f = *state;

    set_up(f);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        f->req.memory = sizes[i];
        assert_int_equal(load(f), ERR_INVALID);
        assert_non_null(strstr(f->error, "partition \"gamma\": 0x"));
        assert_non_null(strstr(f->error, "correct \"memory\""));
        assert_int_equal(f->p.writes, 0);
    }
    f->req.memory = LOAD_MIN_MEMORY;
    assert_int_equal(load(f), STATUS_OK);
    fake_ram_free(&f->p);
}

static void a_platform_without_sense_is_refused(void **state)
{
    struct fixture *f = *state;

    set_up(f);
    f->req.platform.cpu_count = 0;
    expect_failure(f, ERR_INVALID,
                   "partition \"gamma\": 0 CPUs can't be told in the ACPI tables, only 1 to 64");
    fake_ram_free(&f->p);
}

// An error's text is cut where its buffer ends, and nothing lies behind.
static void errors_fit_any_buffer(void **state)
{
    struct fixture *f = *state;
    char whole[512];

    set_up(f);
    memset(f->image, 0, IMAGE_SIZE);
    assert_int_equal(load(f), ERR_UNSUPPORTED);
    memcpy(whole, f->error, sizeof(whole));
    for (size_t size = 0; size <= strlen(whole) + 1; size++) {
        memset(f->error, 'Z', sizeof(f->error));
        assert_int_equal(load_guest(&f->p.ram, &f->req, &f->res, f->error, size), ERR_UNSUPPORTED);
        assert_int_equal(f->error[size], 'Z');
        if (size > 0) {
            assert_int_equal(strlen(f->error), size - 1);
            assert_memory_equal(f->error, whole, size - 1);
        }
    }
    fake_ram_free(&f->p);
}

int main(void)
{
    static struct fixture fixture;
    struct CMUnitTest tests[] = {
        cmocka_unit_test(any_guest_gets_the_firmware_s_tables),
        cmocka_unit_test(loading_again_gives_the_same),
        cmocka_unit_test(unknown_kinds_are_refused),
        cmocka_unit_test(foreign_kinds_are_named),
        cmocka_unit_test(multiboot_2_is_named),
        cmocka_unit_test(an_empty_image_is_refused),
        cmocka_unit_test(too_little_memory_is_refused),
        cmocka_unit_test(a_platform_without_sense_is_refused),
        cmocka_unit_test(errors_fit_any_buffer),
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        tests[i].initial_state = &fixture;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
