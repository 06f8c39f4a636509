// SPDX-License-Identifier: Apache-2.0
// Which RAM is free, and the memory map that says where there is any.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <string.h>

#include "hv/guest/e820.h"
#include "hv/guest/load_space.h"
#include "tests/unit/fake_guest_ram.h"

static void ram_below_and_above_the_hole(void **state)
{
    struct load_space s;

    (void)state;
    load_space_init(&s, GIB(5), 0); // 0-3 GiB, 4-6 GiB
    assert_true(load_space_is_ram(&s, 0, GIB(3)));
    assert_false(load_space_is_ram(&s, 0, GIB(3) + 1));
    assert_false(load_space_is_ram(&s, GIB(3), 1));
    assert_false(load_space_is_ram(&s, GIB(4) - 1, 1));
    assert_false(load_space_is_ram(&s, GIB(3) - 1, GIB(1) + 2)); // spans the hole
    assert_true(load_space_is_ram(&s, GIB(4), GIB(2)));
    assert_false(load_space_is_ram(&s, GIB(4), GIB(2) + 1));
    assert_false(load_space_is_ram(&s, GIB(6), 1));
    assert_false(load_space_is_ram(&s, UINT64_MAX, 1));
    assert_false(load_space_is_ram(&s, 1, UINT64_MAX));
    load_space_init(&s, MIB(16), 0);
    assert_false(load_space_is_ram(&s, GIB(4), 1));
}

static void finds_overlaps_by_the_byte(void **state)
{
    struct load_space s;

    (void)state;
    load_space_init(&s, MIB(16), 0);
    assert_int_equal(load_space_take(&s, 0x1000, 0x1000, "it", 3), STATUS_OK);
    assert_null(load_space_find(&s, 0, 0x1000));
    assert_null(load_space_find(&s, 0x2000, 0x1000));
    assert_non_null(load_space_find(&s, 0xfff, 2));
    assert_non_null(load_space_find(&s, 0x1fff, 1));
    assert_non_null(load_space_find(&s, 0, MIB(16)));
    assert_null(load_space_find(&s, 0x1800, 0)); // nothing overlaps nothing
    assert_int_equal(load_space_find(&s, 0x1800, 1)->index, 3);
}

static void is_full_at_some_point(void **state)
{
    struct load_space s;

    (void)state;
    load_space_init(&s, MIB(16), 0);
    assert_int_equal(load_space_take(&s, 0, 0, "nothing", -1), STATUS_OK);
    assert_int_equal(s.count, 0);
    for (unsigned i = 0; i < LOAD_SPACE_MAX; i++) {
        assert_int_equal(load_space_take(&s, i * 16, 16, "it", -1), STATUS_OK);
    }
    assert_int_equal(load_space_take(&s, MIB(1), 16, "it", -1), ERR_NO_MEMORY);
}

static void finds_the_lowest_place(void **state)
{
    struct load_space s;
    uint64_t at = 1;

    (void)state;
    load_space_init(&s, MIB(16), 0);
    load_space_take(&s, 0x2000, 0x1234, "it", -1);
    load_space_take(&s, 0x6000, 0x1000, "it", -1); // not in order
    load_space_take(&s, 0x5000, 0x1000, "it", -1);
    assert_true(load_space_lowest(&s, 0x1000, 0x1000, 0x1800, GIB(1), &at));
    assert_int_equal(at, 0x4000);
    assert_true(load_space_lowest(&s, 0x2000, 0x1000, 0x1800, GIB(1), &at));
    assert_int_equal(at, 0x7000);
    assert_true(load_space_lowest(&s, 4, 4, 0x2001, GIB(1), &at));
    assert_int_equal(at, 0x3234);
    // Exactly to the end, and one page too much.
    assert_true(load_space_lowest(&s, MIB(16) - 0x7000, 0x1000, 0, GIB(1), &at));
    assert_int_equal(at, 0x7000);
    assert_false(load_space_lowest(&s, MIB(16) - 0x6000, 0x1000, 0, GIB(1), &at));
    assert_false(load_space_lowest(&s, 16, 16, 0, 15, &at));
    assert_false(load_space_lowest(&s, 16, 16, UINT64_MAX - 3, UINT64_MAX, &at));
    assert_false(load_space_lowest(&s, UINT64_MAX, 16, 0, UINT64_MAX, &at));
}

static void finds_the_highest_place(void **state)
{
    struct load_space s;
    uint64_t at = 1;

    (void)state;
    load_space_init(&s, GIB(8), 0); // never above 4 GiB, though there is RAM
    assert_true(load_space_highest(&s, 0x1234, 0x1000, 0, UINT64_MAX, &at));
    assert_int_equal(at, GIB(3) - 0x2000);
    load_space_init(&s, MIB(16), 0);
    load_space_take(&s, MIB(16) - 0x1000, 0x1000, "it", -1);
    load_space_take(&s, MIB(15), 0x1000, "it", -1);
    assert_true(load_space_highest(&s, 0x1000, 0x1000, 0, UINT64_MAX, &at));
    assert_int_equal(at, MIB(16) - 0x2000);
    assert_true(load_space_highest(&s, 0x1000, 0x1000, 0, MIB(15) + 0x1800, &at));
    assert_int_equal(at, MIB(15) - 0x1000);
    assert_true(load_space_highest(&s, MIB(15), 0x1000, 0, UINT64_MAX, &at));
    assert_int_equal(at, 0);
    assert_false(load_space_highest(&s, MIB(15), 0x1000, 1, UINT64_MAX, &at));
    assert_false(load_space_highest(&s, MIB(15) + 1, 0x1000, 0, UINT64_MAX, &at));
    assert_false(load_space_highest(&s, UINT64_MAX, 0x1000, 0, UINT64_MAX, &at));
}

static bool covered(const struct e820_entry *map, unsigned count, uint64_t page)
{
    for (unsigned i = 0; i < count; i++) {
        if (map[i].type == E820_RESERVED && map[i].base <= page &&
            page + PAGE_SIZE <= map[i].base + map[i].size) {
            return true;
        }
    }
    return false;
}

// The rules that any memory map of ours keeps.
static uint64_t check_map(uint64_t memory, uint64_t dma_floor, bool has_pci)
{
    struct e820_entry map[GUEST_E820_MAX];
    const unsigned n = guest_e820(memory, dma_floor, has_pci, map);
    unsigned config_spaces = 0;
    uint64_t usable = 0;
    uint64_t end = 0;

    assert_in_range(n, 1, GUEST_E820_MAX);
    for (unsigned i = 0; i < n; i++) {
        assert_true(map[i].base >= end);
        assert_true(map[i].size > 0);
        end = map[i].base + map[i].size;
        if (map[i].type == E820_USABLE) {
            struct load_space s;

            usable += map[i].size;
            load_space_init(&s, memory, dma_floor);
            assert_true(load_space_is_ram(&s, map[i].base, map[i].size));
            assert_null(load_space_find(&s, map[i].base, map[i].size));
            assert_true(end <= 0x9fc00 || map[i].base >= MIB(1));
        } else {
            assert_int_equal(map[i].type, E820_RESERVED);
            config_spaces += map[i].base == GUEST_ECAM_ADDRESS && map[i].size == GUEST_ECAM_SIZE;
        }
        // Where BARs go, there is nothing.
        assert_true(end <= GUEST_PCI_WINDOW ||
                    map[i].base >= GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE);
    }
    assert_int_equal(config_spaces, has_pci ? 1 : 0);
    assert_true(covered(map, n, GUEST_RESET_PAGE));
    return usable;
}

static void the_map_tells_all_ram_but_the_firmware_s(void **state)
{
    static const uint64_t sizes[] = {MIB(1) + 4096, MIB(2),        MIB(512), GIB(3) - 4096,
                                     GIB(3),        GIB(3) + 4096, GIB(4),   GIB(1024)};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_int_equal(check_map(sizes[i], 0, false), sizes[i] - (MIB(1) - 0x9fc00));
        assert_int_equal(check_map(sizes[i], 0, true), sizes[i] - (MIB(1) - 0x9fc00));
    }
    assert_int_equal(check_map(MIB(1), 0, false), 0x9fc00);
    assert_int_equal(check_map(MIB(1), 0, true), 0x9fc00);
}

static void below_the_dma_floor_is_nothing(void **state)
{
    static const uint64_t floors[] = {MIB(2), MIB(64), GIB(1)};
    struct e820_entry map[GUEST_E820_MAX];
    struct load_space s;
    uint64_t at;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(floors); i++) {
        assert_int_equal(check_map(MIB(2), floors[i], true), MIB(1) + 0x9fc00);
        assert_int_equal(check_map(GIB(2), floors[i], true), GIB(2) - MIB(1) + 0x9fc00);
        guest_e820(MIB(512), floors[i], true, map);
        assert_int_equal(map[1].type, E820_RESERVED);
        assert_int_equal(map[1].base + map[1].size, floors[i]);
        assert_int_equal(map[2].type, E820_USABLE);
        assert_int_equal(map[2].base, floors[i]);
        assert_int_equal(map[2].size, MIB(511));
    }
    load_space_init(&s, MIB(16), MIB(64)); // 0-1 MiB, 64-79 MiB
    assert_string_equal(load_space_find(&s, MIB(1), 1)->what, LOAD_SPACE_HOLE);
    assert_string_equal(load_space_find(&s, MIB(64) - 1, MIB(1))->what, LOAD_SPACE_HOLE);
    assert_null(load_space_find(&s, 0, MIB(1)));
    assert_null(load_space_find(&s, MIB(64), MIB(15)));
    assert_false(load_space_is_ram(&s, MIB(64), MIB(15) + 1));
    assert_false(load_space_is_ram(&s, GIB(4), 1));
    assert_true(load_space_lowest(&s, MIB(1), 4096, 4096, UINT64_MAX, &at));
    assert_int_equal(at, MIB(64));
    assert_true(load_space_highest(&s, MIB(15), 4096, 0, UINT64_MAX, &at));
    assert_int_equal(at, MIB(64));
    assert_false(load_space_highest(&s, MIB(15) + 1, 4096, 0, UINT64_MAX, &at));
    assert_true(load_space_highest(&s, MIB(1), 4096, 0, MIB(64), &at));
    assert_int_equal(at, 0);
}

static void the_bios_data_area_agrees_with_the_map(void **state)
{
    struct fake_ram p;

    (void)state;
    fake_ram_init(&p, MIB(2));
    assert_int_equal(guest_bda_write(&p.ram), STATUS_OK);
    assert_int_equal(fake_ram_u16(&p, 0x400), 0x3f8);
    assert_int_equal(fake_ram_u16(&p, 0x40e) << 4, GUEST_EBDA);
    assert_int_equal(fake_ram_u16(&p, 0x413) * 1024, GUEST_EBDA);
    assert_int_equal(*fake_ram_at(&p, GUEST_EBDA, 1) * 1024, GUEST_EBDA_SIZE);
    for (uint64_t n = 1; n < 4; n++) {
        p.writes = 0;
        p.fail_after = n;
        assert_int_equal(guest_bda_write(&p.ram), ERR_RANGE);
    }
    fake_ram_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ram_below_and_above_the_hole),
        cmocka_unit_test(finds_overlaps_by_the_byte),
        cmocka_unit_test(is_full_at_some_point),
        cmocka_unit_test(finds_the_lowest_place),
        cmocka_unit_test(finds_the_highest_place),
        cmocka_unit_test(the_map_tells_all_ram_but_the_firmware_s),
        cmocka_unit_test(below_the_dma_floor_is_nothing),
        cmocka_unit_test(the_bios_data_area_agrees_with_the_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
