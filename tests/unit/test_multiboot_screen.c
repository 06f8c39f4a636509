// SPDX-License-Identifier: Apache-2.0
// The framebuffer in the boot information of both protocols, good and malformed; and the words of
// the hypervisor's command line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/lib/types.h"
#include "boot/multiboot1.h"
#include "boot/multiboot2.h"
#include "boot/multiboot_parse.h"
#include "boot/options.h"
#include "boot/screen.h"
#include "tests/unit/fake_phys.h"

#define BASE FAKE_PHYS_BASE
#define END  (BASE + FAKE_PHYS_SIZE)

static struct boot_info info;
static char error[256];

static const struct boot_screen good = {
    .base = 0xfd000000,
    .pitch = 4096,
    .width = 1024,
    .height = 768,
    .bits = 32,
    .kind = BOOT_SCREEN_RGB,
    .colour = {16, 8, 8, 8, 0, 8},
};

static void expect_good(void)
{
    assert_string_equal(info.framebuffer_refused, "");
    assert_int_equal(info.framebuffer.base, 0xfd000000);
    assert_int_equal(info.framebuffer.pitch, 4096);
    assert_int_equal(info.framebuffer.width, 1024);
    assert_int_equal(info.framebuffer.height, 768);
    assert_int_equal(info.framebuffer.red_shift, 16);
    assert_int_equal(info.framebuffer.green_shift, 8);
    assert_int_equal(info.framebuffer.blue_shift, 0);
}

static void expect_none(const char *why)
{
    struct boot_framebuffer none = {0};

    assert_memory_equal(&info.framebuffer, &none, sizeof(none));
    if (strstr(info.framebuffer_refused, why) == NULL ||
        (why[0] == '\0') != (info.framebuffer_refused[0] == '\0'))
        fail_msg("\"%s\" does not say \"%s\"", info.framebuffer_refused, why);
}

// ---- Multiboot 1: the fields are at 88, the colours at 110 or, as GRUB has it, at 112.

static enum status parse1(uint32_t address)
{
    memset(&info, 0xee, sizeof(info));
    return multiboot1_parse(address, &info, error, sizeof(error));
}

static void multiboot1(void **state)
{
    (void)state;
    for (uint32_t padding = 0; padding <= 2; padding += 2) {
        memset(fake_phys, 0, sizeof(fake_phys));
        set32(BASE, 1 | 1 << 12);
        memcpy(fake_phys + 88, &good, sizeof(good));
        memset(fake_phys + 110, 0, 6);
        memcpy(fake_phys + 110 + padding, good.colour, sizeof(good.colour));
        assert_int_equal(parse1(BASE), STATUS_OK);
        expect_good();
    }
    // Not said to be there.
    set32(BASE, 1);
    assert_int_equal(parse1(BASE), STATUS_OK);
    expect_none("");
    // Cut off.
    memmove(fake_phys_at(END - 117), fake_phys, 117);
    set32(END - 117, 1 | 1 << 12);
    assert_int_equal(parse1(END - 117), ERR_RANGE);
    assert_non_null(strstr(error, "the framebuffer at 0x"));
    set32(END - 117, 1);
    assert_int_equal(parse1(END - 117), STATUS_OK);
}

// ---- Multiboot 2

// Amount of memory, framebuffer, end; the framebuffer's tag claims `size` bytes.
static enum status parse2(const struct boot_screen *screen, uint32_t size)
{
    uint32_t next = 24 + (uint32_t)align_up(size, 8);

    memset(fake_phys, 0, sizeof(fake_phys));
    memset(&info, 0xee, sizeof(info));
    set32(BASE + 8, 4);
    set32(BASE + 12, 16);
    set32(BASE + 16, 640);
    set32(BASE + 24, 8);
    set32(BASE + 28, size);
    memcpy(fake_phys + 32, screen, 22);
    memcpy(fake_phys + 56, screen->colour, sizeof(screen->colour));
    memset(fake_phys + next, 0, 8);
    set32(BASE + next + 4, 8);
    set32(BASE, next + 8);
    return multiboot2_parse(BASE, &info, error, sizeof(error));
}

static void multiboot2(void **state)
{
    (void)state;
    struct boot_screen screen = good;

    assert_int_equal(parse2(&good, 38), STATUS_OK);
    expect_good();
    assert_int_equal(parse2(&good, 31), ERR_TRUNCATED); // without the colours
    assert_int_equal(parse2(&good, 29), ERR_TRUNCATED); // without its kind
    assert_int_equal(parse2(&good, 37), ERR_TRUNCATED);
    // What has no colours needs none.
    screen.kind = BOOT_SCREEN_TEXT;
    assert_int_equal(parse2(&screen, 32), STATUS_OK);
    expect_none("");
    screen.kind = 0;
    assert_int_equal(parse2(&screen, 32), STATUS_OK);
    expect_none("direct colour");
}

// ---- what is taken

static void odd_ones_are_left_out(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint64_t value;
        size_t size;
        const char *why; // "": it is taken
    } rows[] = {
#define ROW(field, value, why) {offsetof(struct boot_screen, field), value, sizeof(good.field), why}
        ROW(kind, 0, "direct colour"),
        ROW(kind, 7, "direct colour"),
        ROW(bits, 24, "direct colour"),
        ROW(bits, 0, "direct colour"),
        ROW(colour[1], 5, "direct colour"),
        ROW(colour[5], 9, "direct colour"),
        ROW(colour[2], 25, "direct colour"),
        ROW(colour[2], 24, ""),
        ROW(width, 159, "too small"),
        ROW(width, 160, ""),
        ROW(height, 63, "too small"),
        ROW(height, 0, "too small"),
        ROW(width, 1025, "no sense"),
        ROW(width, 0xffffffff, "no sense"),
        ROW(pitch, 4095, "no sense"),
        ROW(pitch, 4098, "no sense"),
        ROW(pitch, 4100, ""),
        ROW(pitch, 0xfffffffc, "no sense"),
        ROW(height, 32768, ""),
        ROW(height, 32769, "no sense"),
        ROW(height, 0xffffffff, "no sense"),
        ROW(base, 0xffffc, "can lie there"),
        ROW(base, 0x100000, ""),
        ROW(base, 0xfd000002, "can lie there"),
        ROW(base, (1ull << 52) - 4096 * 768, ""),
        ROW(base, (1ull << 52) - 4096 * 768 + 4, "can lie there"),
        ROW(base, UINT64_MAX - 3, "can lie there"),
#undef ROW
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct boot_screen screen = good;

        memcpy((uint8_t *)&screen + rows[i].at, &rows[i].value, rows[i].size);
        memset(&info, 0xee, sizeof(info));
        boot_set_screen(&info, &screen);
        if (rows[i].why[0] != '\0')
            expect_none(rows[i].why);
        else
            assert_int_equal(info.framebuffer.base, screen.base);
    }
    boot_set_screen(&info, &good);
    expect_good();
}

// ---- the command line

static void options(void **state)
{
    (void)state;
    static const struct {
        const char *cmdline, *value; // NULL: it is not there
    } rows[] = {
        {"", NULL},
        {"framebuffer", NULL},
        {"noframebuffer=off", NULL},
        {"framebuffers=off", NULL},
        {"framebuffer=", ""},
        {"framebuffer=off", "off"},
        {"/boot/bulkhead.elf\tframebuffer=off x", "off"},
        {"framebuffer=on  framebuffer=off", "off"},
        {"framebuffer=abcdefghij ", "abcdefg"},
    };
    char value[8];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        memset(value, 'x', sizeof(value));
        assert_int_equal(boot_option(rows[i].cmdline, "framebuffer", value, sizeof(value)),
                         rows[i].value != NULL);
        assert_string_equal(value, rows[i].value != NULL ? rows[i].value : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiboot1),
        cmocka_unit_test(multiboot2),
        cmocka_unit_test(odd_ones_are_left_out),
        cmocka_unit_test(options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
