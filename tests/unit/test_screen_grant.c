// SPDX-License-Identifier: Apache-2.0
// hv/device/screen_grant.c: when a partition can have the framebuffer, and where it finds it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/device/screen_grant.h"
#include "hv/machine/guest_platform.h"
#include "tests/unit/config_fixture.h"

#define BETA 1 // whose it is

struct fixture {
    struct boot_framebuffer screen;
    struct pci_machine pci;
    int owner[PCI_MAX_FUNCTIONS];
    const struct blob *blob;
    struct screen_request request;
    char text[SCREEN_GRANT_TEXT_SIZE];
};

static struct fixture fix;

// Function n is 00:0n.0.
static void add(unsigned n, uint64_t address, uint64_t size)
{
    fix.pci.function[n] = (struct pci_function){.address = {n << 3}};
    fix.pci.function[n].bar[0] = (struct pci_bar){PCI_BAR_MEMORY32, true, address, size};
    fix.pci.function[n].bar[1] = (struct pci_bar){PCI_BAR_IO, false, 0xc000, 64};
    fix.pci.count = n + 1;
}

static void set_screen(uint64_t base, uint32_t pitch, uint32_t height)
{
    fix.screen = (struct boot_framebuffer){base, pitch, pitch / 4, height, 16, 8, 0};
    uint64_t first = align_down(base, PAGE_SIZE);
    fix.request.pages =
        (struct page_range){first, align_up(base + (uint64_t)pitch * height, PAGE_SIZE) - first};
}

// 1024x768 in BAR 0 of 00:02.0, of 16 MiB; nobody has a device.
static int setup(void **state)
{
    struct config *config = good_config();

    (void)state;
    config->partitions[BETA].flags |= BLOB_FRAMEBUFFER;
    memset(&fix, 0, sizeof(fix));
    fix.blob = checked_blob(config);
    for (unsigned i = 0; i < PCI_MAX_FUNCTIONS; i++) {
        fix.owner[i] = BLOB_NOBODY;
    }
    add(0, 0, 0);
    add(1, 0xfeb00000, 0x1000);
    add(2, 0xfd000000, MIB(16));
    add(3, 0xfc000000, MIB(16));
    add(4, 0xfe000000, MIB(8));
    fix.request = (struct screen_request){.config = fix.blob,
                                          .framebuffer = &fix.screen,
                                          .problem = "",
                                          .pci = &fix.pci,
                                          .owner = fix.owner};
    set_screen(0xfd000000, 4096, 768);
    return 0;
}

static void expect(enum status status, const char *part)
{
    strcpy(fix.text, "partition \"beta\": ");
    assert_int_equal(screen_check(&fix.request, fix.text), status);
    if (strncmp(fix.text, "partition \"beta\": ", 18) != 0 || strstr(fix.text, part) == NULL) {
        fail_msg("no \"%s\" in: %s", part, fix.text);
    }
    assert_true(strlen(fix.text) < sizeof(fix.text) - 1);
}

static void alone_in_a_bar(void **state)
{
    (void)state;
    assert_int_equal(screen_owner(fix.blob), BETA);
    expect(STATUS_OK, "");
    // Other functions of anybody, beside it.
    fix.owner[1] = 0;
    fix.owner[3] = 2;
    fix.owner[4] = BETA;
    expect(STATUS_OK, "");
    // Up to the BAR's end, and on pages of the same BAR that it does not fill.
    set_screen(0xfdd00000, 4096, 768);
    expect(STATUS_OK, "");
    set_screen(0xfd000010, 3200, 600);
    expect(STATUS_OK, "");
    // In a BAR of 64 bits above 4 GiB.
    fix.pci.function[2].bar[0] = (struct pci_bar){PCI_BAR_MEMORY64, true, GIB(64), GIB(1)};
    set_screen(GIB(64) + MIB(1), 4096, 768);
    expect(STATUS_OK, "");
}

static void wanted_by_nobody(void **state)
{
    struct config *config = good_config();

    (void)state;
    fix.blob = checked_blob(config);
    fix.request.config = fix.blob;
    assert_int_equal(screen_owner(fix.blob), BLOB_NOBODY);
    fix.request.pages.size = 0;
    expect(STATUS_OK, "");
}

static void absent(void **state)
{
    (void)state;
    fix.request.pages = (struct page_range){0, 0};
    expect(ERR_NOT_FOUND,
           "there is no framebuffer to give it: have the loader set a graphics mode");
    expect(ERR_NOT_FOUND, "or leave out framebuffer = true");
    fix.request.problem =
        "at 0xfd000000, 640x480: its pixels are not 32 bits of direct colour, 8 each";
    expect(ERR_NOT_FOUND, "to give it, for the one at 0xfd000000, 640x480: its pixels are not");
    // The longest that there can be keeps its end.
    char longest[sizeof(((struct boot_info *)0)->framebuffer_refused)];
    memset(longest, 'w', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    fix.request.problem = longest;
    struct config *config = good_config();
    config->partitions[BETA].flags |= BLOB_FRAMEBUFFER;
    config->partitions[BETA].name = "beta-beta-beta-beta-beta-beta-b";
    fix.request.config = checked_blob(config);
    assert_int_equal(screen_check(&fix.request, fix.text), ERR_NOT_FOUND);
    assert_non_null(strstr(fix.text, "ww: have the loader"));
    assert_string_equal(fix.text + strlen(fix.text) - 9, "er = true");
}

static void of_a_device_that_is_given_away(void **state)
{
    (void)state;
    fix.owner[2] = 0;
    expect(ERR_DENIED, "at 0xfd000000 is in BAR 0 of device 00:02.0, which is another partition's");
    fix.owner[2] = BETA;
    expect(ERR_DENIED, "device 00:02.0, which is the partition's too and is reset");
    expect(ERR_DENIED, "leave out framebuffer = true, or the device");
}

static void not_alone_on_its_pages(void **state)
{
    (void)state;
    // Only a part of it, at either end.
    set_screen(0xfcff0000, 4096, 768);
    expect(ERR_DENIED, "not alone there");
    set_screen(0xfde00000, 4096, 768);
    expect(ERR_DENIED, "not alone there");
    fix.pci.count = 4; // 00:04.0 is not there
    expect(ERR_DENIED, "in BAR 0 of device 00:02.0, but not alone there, or not with all of its");
    // Another function's registers on the last page, before and behind in the list.
    add(4, 0xfd2ff800, 256);
    set_screen(0xfd000000, 4096, 767);
    expect(STATUS_OK, "");
    fix.screen.pitch = 4094; // ends in the page of 00:04.0
    fix.request.pages.size = 768 * 4096;
    expect(ERR_DENIED, "device 00:04.0, but not alone");
    fix.owner[4] = 0;
    expect(ERR_DENIED, "device 00:04.0, which is another partition's");
    add(1, 0xfd2ff800, 256);
    fix.pci.count = 3;
    expect(ERR_DENIED, "device 00:01.0, but not alone");
    // Another BAR of the same function is no stranger.
    add(1, 0, 0);
    fix.pci.count = 3;
    fix.pci.function[2].bar[3] = (struct pci_bar){PCI_BAR_MEMORY32, false, 0xfd2ff800, 256};
    expect(STATUS_OK, "");
}

static void in_no_bar(void **state)
{
    (void)state;
    set_screen(0xe0000000, 4096, 768);
    expect(STATUS_OK, "");
    set_screen(0xe0000000, 3200, 600); // 468.75 pages
    expect(ERR_DENIED, "at 0xe0000000 is no whole number of pages");
    set_screen(0xe0000010, 4096, 768);
    expect(ERR_DENIED, "no device's BAR says what else is on them");
}

static void too_large(void **state)
{
    (void)state;
    fix.pci.count = 0;
    set_screen(0xe0000000, 32768, 4096);
    expect(STATUS_OK, "");
    set_screen(0xe0000000, 32768, 4098);
    expect(ERR_DENIED, "has 128 MiB, and 128 are the most that a partition has room for");
}

// The same in all but its place, which agrees with the host's in the pages that map it.
static void as_the_guest_sees_it(void **state)
{
    static const uint64_t bases[] = {0xfd000000, 0xfd1ff000, 0x4012345678, MIB(1), 0xffffff010};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
        set_screen(bases[i], 4096, 768);
        struct boot_framebuffer guest = screen_of_guest(&fix.screen);

        assert_int_equal(guest.base % MIB(2), bases[i] % MIB(2));
        assert_true(guest.base >= GUEST_SCREEN_ADDRESS);
        assert_true(guest.base + GUEST_SCREEN_MAX <= GUEST_IOAPIC_ADDRESS);
        guest.base = bases[i];
        assert_memory_equal(&guest, &fix.screen, sizeof(guest));
    }
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(alone_in_a_bar),
        TEST(wanted_by_nobody),
        TEST(absent),
        TEST(of_a_device_that_is_given_away),
        TEST(not_alone_on_its_pages),
        TEST(in_no_bar),
        TEST(too_large),
        TEST(as_the_guest_sees_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
