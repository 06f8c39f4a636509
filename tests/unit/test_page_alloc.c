// SPDX-License-Identifier: Apache-2.0
// The physical-memory allocator: rounding, merging, refusals, where it cuts, firmware maps as they
// come and as they shouldn't, and random use against a bitmap.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv/memory/page_alloc.h"

static struct page_alloc alloc;

static int setup(void **state)
{
    (void)state;
    alloc.count = 0;
    return 0;
}

static void assert_ranges(const struct page_range *want, unsigned count)
{
    assert_int_equal(alloc.count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(alloc.free[i].base, want[i].base);
        assert_int_equal(alloc.free[i].size, want[i].size);
    }
}

#define ASSERT_RANGES(...)                                                                         \
    assert_ranges((const struct page_range[]){__VA_ARGS__},                                        \
                  ARRAY_SIZE(((const struct page_range[]){__VA_ARGS__})))

static void add_rounds_inward_and_merges(void **state)
{
    (void)state;
    assert_int_equal(page_alloc_add(&alloc, 0x5001, 0x2fff), STATUS_OK);
    ASSERT_RANGES({0x6000, 0x2000});
    assert_int_equal(page_alloc_add(&alloc, 0x1800, 0x1000), STATUS_OK); // no whole page
    assert_int_equal(page_alloc_add(&alloc, 0x9000, 0), STATUS_OK);
    ASSERT_RANGES({0x6000, 0x2000});
    assert_int_equal(page_alloc_add(&alloc, 0xa000, 0x1fff), STATUS_OK);
    assert_int_equal(page_alloc_add(&alloc, 0, 0x1000), STATUS_OK);
    ASSERT_RANGES({0, 0x1000}, {0x6000, 0x2000}, {0xa000, 0x1000});
    assert_int_equal(page_alloc_add(&alloc, 0x8000, 0x2000), STATUS_OK); // touches both
    ASSERT_RANGES({0, 0x1000}, {0x6000, 0x5000});
    assert_int_equal(page_alloc_add(&alloc, 0x7000, 0x1000), STATUS_OK); // within
    ASSERT_RANGES({0, 0x1000}, {0x6000, 0x5000});
    assert_int_equal(page_alloc_add(&alloc, 0, 0x20000), STATUS_OK); // around all
    ASSERT_RANGES({0, 0x20000});
    assert_int_equal(page_alloc_add(&alloc, UINT64_MAX - 0xfff, 0x2000), ERR_INVALID);
    assert_int_equal(page_alloc_add(&alloc, 0x1000, UINT64_MAX), ERR_INVALID);
    assert_int_equal(page_alloc_add(&alloc, BIT(52) - 0x1000, 0x1000), STATUS_OK);
    ASSERT_RANGES({0, 0x20000}, {BIT(52) - 0x1000, 0x1000});
    assert_int_equal(page_alloc_total(&alloc), 0x21000);
}

static void reserve_rounds_outward_and_splits(void **state)
{
    (void)state;
    page_alloc_add(&alloc, 0x10000, 0x10000);
    page_alloc_add(&alloc, 0x30000, 0x10000);
    assert_int_equal(page_alloc_reserve(&alloc, 0x14fff, 2), STATUS_OK);
    ASSERT_RANGES({0x10000, 0x4000}, {0x16000, 0xa000}, {0x30000, 0x10000});
    assert_int_equal(page_alloc_reserve(&alloc, 0x1f800, 0x11000), STATUS_OK);
    ASSERT_RANGES({0x10000, 0x4000}, {0x16000, 0x9000}, {0x31000, 0xf000});
    assert_int_equal(page_alloc_reserve(&alloc, 0x14000, 0x2000), STATUS_OK); // not free anyway
    assert_int_equal(page_alloc_reserve(&alloc, 0x12000, 0), STATUS_OK);
    ASSERT_RANGES({0x10000, 0x4000}, {0x16000, 0x9000}, {0x31000, 0xf000});
    assert_int_equal(page_alloc_reserve(&alloc, 0x12000, UINT64_MAX), STATUS_OK); // past the end
    ASSERT_RANGES({0x10000, 0x2000});
    assert_int_equal(page_alloc_reserve(&alloc, UINT64_MAX, 5), STATUS_OK);
    assert_int_equal(page_alloc_reserve(&alloc, 0, 0x40000), STATUS_OK);
    assert_int_equal(alloc.count, 0);
}

static void a_full_table_loses_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PAGE_ALLOC_RANGES - 1; i++) {
        assert_int_equal(page_alloc_add(&alloc, i * 0x2000ull, 0x1000), STATUS_OK);
    }
    assert_int_equal(page_alloc_add(&alloc, GIB(1), 0x5000), STATUS_OK);
    static struct page_alloc before;
    before = alloc;
    assert_int_equal(page_alloc_add(&alloc, GIB(2), 0x1000), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_reserve(&alloc, GIB(1) + 0x1000, 0x1000), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_give(&alloc, hpa(GIB(2)), 0x1000), ERR_NO_MEMORY);
    // a piece that has to come from the middle
    hpa_t page;
    assert_int_equal(page_alloc_take(&alloc, 0x1000, 0x4000, 0, &page), STATUS_OK);
    assert_int_equal(page_alloc_give(&alloc, page, 0x1000), STATUS_OK);
    assert_memory_equal(&alloc, &before, sizeof(alloc));
    // what merges still goes
    assert_int_equal(page_alloc_add(&alloc, 0x1000, 0x1000), STATUS_OK);
    assert_int_equal(alloc.count, PAGE_ALLOC_RANGES - 1);
    assert_int_equal(page_alloc_add(&alloc, GIB(2), 0x1000), STATUS_OK);
}

static void take_from_the_middle_of_a_full_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PAGE_ALLOC_RANGES - 1; i++) {
        assert_int_equal(page_alloc_add(&alloc, i * 0x2000ull, 0x1000), STATUS_OK);
    }
    assert_int_equal(page_alloc_add(&alloc, GIB(1) - 0x3000, 0x8000), STATUS_OK);
    hpa_t page;
    assert_int_equal(page_alloc_take(&alloc, 0x2000, 0x100000, 0, &page), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_total(&alloc), (PAGE_ALLOC_RANGES - 1) * 0x1000ull + 0x8000);
}

static uint64_t take(uint64_t size, uint64_t align, uint64_t below)
{
    hpa_t out;
    assert_int_equal(page_alloc_take(&alloc, size, align, below, &out), STATUS_OK);
    return out.v;
}

static void take_keeps_low_memory_and_large_blocks(void **state)
{
    (void)state;
    // 1 MiB to 3 GiB and 4 GiB to 8.5 GiB, less a bit at either end.
    page_alloc_add(&alloc, MIB(1), GIB(3) - MIB(1));
    page_alloc_add(&alloc, GIB(4) + KIB(12), GIB(4) + MIB(512) + KIB(8) - KIB(12));
    // single pages: the ragged ends above 4 GiB, highest first
    assert_int_equal(take(KIB(4), KIB(4), 0), GIB(8) + MIB(512) + KIB(4));
    assert_int_equal(take(1, 1, 0), GIB(8) + MIB(512));
    // then the ragged start below the first whole 2 MiB block
    assert_int_equal(take(KIB(4), KIB(4), 0), GIB(4) + MIB(2) - KIB(4) - (MIB(2) - KIB(16)));
    assert_int_equal(take(MIB(2) - KIB(16), KIB(4), 0), GIB(4) + KIB(16));
    // 2 MiB blocks out of the broken GiBs
    assert_int_equal(take(MIB(2), MIB(2), 0), GIB(8) + MIB(510));
    assert_int_equal(take(MIB(600), MIB(2), 0), GIB(4) + MIB(2));
    assert_int_equal(page_alloc_largest(&alloc, GIB(1)), GIB(3));
    // GiBs whole; only with nothing left above 4 GiB below it, in the first GiB, which isn't whole
    assert_int_equal(take(GIB(3), GIB(1), 0), GIB(5));
    assert_int_equal(take(MIB(600), MIB(2), 0), MIB(2));
    assert_int_equal(take(GIB(2), GIB(1), 0), GIB(1));
}

static void take_spares_low_memory_at_the_cost_of_blocks(void **state)
{
    (void)state;
    page_alloc_add(&alloc, MIB(1), KIB(8));
    page_alloc_add(&alloc, GIB(4), GIB(1));
    assert_int_equal(take(KIB(8), KIB(4), 0), GIB(5) - KIB(8));
    assert_int_equal(take(KIB(4), KIB(4), GIB(4)), MIB(1) + KIB(4)); // but for who needs it
    take(GIB(1) - KIB(8), KIB(4), 0);
    assert_int_equal(take(KIB(4), KIB(4), 0), MIB(1)); // or when nothing else is left
}

static void take_obeys_its_limits(void **state)
{
    (void)state;
    page_alloc_add(&alloc, 0x3000, 0x1d000);
    hpa_t out = hpa(77);
    assert_int_equal(page_alloc_take(&alloc, 0, 1, 0, &out), ERR_INVALID);
    assert_int_equal(page_alloc_take(&alloc, 0x1000, 0, 0, &out), ERR_INVALID);
    assert_int_equal(page_alloc_take(&alloc, 0x1000, 0x3000, 0, &out), ERR_INVALID);
    assert_int_equal(page_alloc_take(&alloc, 0x1e000, 0x1000, 0, &out), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_take(&alloc, UINT64_MAX, 0x1000, 0, &out), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_take(&alloc, 0x1000, BIT(63), 0, &out), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_take(&alloc, 0x1000, 0x1000, 0x3fff, &out), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_take(&alloc, 0x11000, 0x10000, 0, &out), ERR_NO_MEMORY);
    assert_int_equal(out.v, 77);
    assert_int_equal(take(0x1000, 0x1000, 0x4000), 0x3000); // ends at the limit exactly
    assert_int_equal(take(0x10000, 0x10000, 0), 0x10000);
    assert_int_equal(take(0x1001, 0x1000, 0), 0xe000); // rounded up to two pages
    ASSERT_RANGES({0x4000, 0xa000});
}

static void take_lowest_obeys_its_limits(void **state)
{
    (void)state;
    page_alloc_add(&alloc, MIB(3), MIB(2));
    page_alloc_add(&alloc, MIB(9), MIB(8));
    hpa_t at = hpa(7);
    assert_int_equal(page_alloc_take_lowest(&alloc, 0, 4096, 0, &at), ERR_INVALID);
    assert_int_equal(page_alloc_take_lowest(&alloc, 1, 3, 0, &at), ERR_INVALID);
    assert_int_equal(page_alloc_take_lowest(&alloc, UINT64_MAX, 4096, 0, &at), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_take_lowest(&alloc, 1, BIT(60), 0, &at), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_take_lowest(&alloc, MIB(2), MIB(2), MIB(12) - 1, &at),
                     ERR_NO_MEMORY);
    assert_int_equal(at.v, 7);
    assert_int_equal(page_alloc_largest_below(&alloc, MIB(2), MIB(12) - 1), MIB(2) - 4096);
    assert_int_equal(page_alloc_largest_below(&alloc, MIB(2), 0), MIB(7));
    assert_int_equal(page_alloc_largest_below(&alloc, GIB(1), 0), 0);
    assert_int_equal(page_alloc_take_lowest(&alloc, MIB(2), MIB(2), MIB(12), &at), STATUS_OK);
    assert_int_equal(at.v, MIB(10));
    assert_int_equal(page_alloc_take_lowest(&alloc, 1, MIB(2), 0, &at), STATUS_OK);
    assert_int_equal(at.v, MIB(4)); // one page
    ASSERT_RANGES({MIB(3), MIB(1)}, {MIB(4) + 4096, MIB(1) - 4096}, {MIB(9), MIB(1)},
                  {MIB(12), MIB(5)});
}

static void give_merges_and_refuses_double_free(void **state)
{
    (void)state;
    page_alloc_add(&alloc, MIB(1), MIB(1));
    uint64_t a = take(0x3000, 0x1000, 0);
    uint64_t b = take(0x2000, 0x1000, 0);
    assert_int_equal(page_alloc_give(&alloc, hpa(a), 0x3000), STATUS_OK);
    assert_int_equal(page_alloc_give(&alloc, hpa(a), 0x1000), ERR_EXISTS);
    assert_int_equal(page_alloc_give(&alloc, hpa(b), 0x3000), ERR_EXISTS); // grows into free
    assert_int_equal(page_alloc_give(&alloc, hpa(MIB(1) - 0x1000), 0x2000), ERR_EXISTS);
    assert_int_equal(page_alloc_give(&alloc, hpa(b + 1), 0x1000), ERR_INVALID);
    assert_int_equal(page_alloc_give(&alloc, hpa(b), 0x1001), ERR_INVALID);
    assert_int_equal(page_alloc_give(&alloc, hpa(b), 0), ERR_INVALID);
    assert_int_equal(page_alloc_give(&alloc, hpa(b), UINT64_MAX - 0xfff), ERR_INVALID);
    assert_int_equal(page_alloc_give(&alloc, hpa(b + 0x1000), 0x1000), STATUS_OK); // in parts
    assert_int_equal(page_alloc_give(&alloc, hpa(b), 0x1000), STATUS_OK);
    ASSERT_RANGES({MIB(1), MIB(1)});
}

static void largest_counts_aligned_blocks(void **state)
{
    (void)state;
    assert_int_equal(page_alloc_largest(&alloc, 0x1000), 0);
    page_alloc_add(&alloc, MIB(1), MIB(4));           // one whole 2 MiB block and two halves
    page_alloc_add(&alloc, MIB(11), MIB(2) + KIB(4)); // none at all
    assert_int_equal(page_alloc_largest(&alloc, KIB(4)), MIB(4));
    assert_int_equal(page_alloc_largest(&alloc, MIB(2)), MIB(2));
    assert_int_equal(page_alloc_largest(&alloc, MIB(4)), 0);
    assert_int_equal(page_alloc_total(&alloc), MIB(6) + KIB(4));
}

static struct boot_info info;

static void memory(uint64_t base, uint64_t size, uint32_t kind)
{
    info.memory[info.memory_count++] = (struct boot_memory){base, size, kind};
}

static void module(uint64_t base, uint64_t size)
{
    struct boot_module *m = &info.modules[info.module_count++];
    m->base = base;
    m->size = size;
}

static int setup_boot(void **state)
{
    memset(&info, 0, sizeof(info));
    return setup(state);
}

static const struct page_range image[] = {{MIB(2), KIB(300)}, {MIB(3) + 1, KIB(4)}};

static void boot_takes_out_what_is_in_use(void **state)
{
    (void)state;
    // out of order, overlapping, ACPI and reserved entries over usable ones
    memory(GIB(4), GIB(1), BOOT_MEMORY_USABLE);
    memory(MIB(1), MIB(127), BOOT_MEMORY_USABLE);
    memory(MIB(64), MIB(64), BOOT_MEMORY_USABLE);
    memory(MIB(127) + 0x800, 0x1000, BOOT_MEMORY_ACPI);
    memory(0, KIB(639), BOOT_MEMORY_USABLE);
    memory(KIB(639), KIB(1), BOOT_MEMORY_RESERVED);
    memory(MIB(120), KIB(4), 77);                                 // of a kind unheard of
    memory(GIB(4) + MIB(1023), UINT64_MAX, BOOT_MEMORY_RESERVED); // past the end of addresses
    module(MIB(16) + 5, 10);
    module(MIB(100), 0);
    assert_int_equal(page_alloc_boot(&alloc, &info, image, ARRAY_SIZE(image)), STATUS_OK);
    ASSERT_RANGES({MIB(1), MIB(1)}, {MIB(2) + KIB(300), MIB(1) - KIB(300)},
                  {MIB(3) + KIB(8), MIB(13) - KIB(8)}, {MIB(16) + KIB(4), MIB(104) - KIB(4)},
                  {MIB(120) + KIB(4), MIB(7) - KIB(4)}, {MIB(127) + KIB(8), MIB(1) - KIB(8)},
                  {GIB(4), MIB(1023)});
}

static void boot_refuses_a_machine_without_memory(void **state)
{
    (void)state;
    assert_int_equal(page_alloc_boot(&alloc, &info, NULL, 0), ERR_NOT_FOUND);
    memory(0, KIB(640), BOOT_MEMORY_USABLE);
    memory(UINT64_MAX - 0xffff, 0x10000, BOOT_MEMORY_USABLE);
    assert_int_equal(page_alloc_boot(&alloc, &info, NULL, 0), ERR_NOT_FOUND);
    memory(MIB(1), UINT64_MAX, BOOT_MEMORY_USABLE); // what there is of it
    assert_int_equal(page_alloc_boot(&alloc, &info, NULL, 0), STATUS_OK);
    ASSERT_RANGES({MIB(1), BIT(52) - MIB(1)});
}

static void low_page_is_free_of_everything(void **state)
{
    (void)state;
    hpa_t page;
    assert_int_equal(page_alloc_low_page(&info, NULL, 0, &page), ERR_NOT_FOUND);
    memory(0, KIB(639), BOOT_MEMORY_USABLE);
    assert_int_equal(page_alloc_low_page(&info, NULL, 0, &page), STATUS_OK);
    assert_int_equal(page.v, KIB(508));
    // a module, a reserved entry and a kept range push it down
    module(KIB(508) + 4095, 1);
    assert_int_equal(page_alloc_low_page(&info, NULL, 0, &page), STATUS_OK);
    assert_int_equal(page.v, KIB(504));
    memory(KIB(400), KIB(104) + 1, BOOT_MEMORY_RESERVED);
    assert_int_equal(page_alloc_low_page(&info, NULL, 0, &page), STATUS_OK);
    assert_int_equal(page.v, KIB(396));
    const struct page_range kept[] = {{0xf000, KIB(396) - 0xf000 + 1}};
    assert_int_equal(page_alloc_low_page(&info, kept, 1, &page), STATUS_OK);
    assert_int_equal(page.v, 0xe000);
    // nothing below 512 KiB but the BIOS's page 0: the rest is a last resort
    const struct page_range below[] = {{0x1000, KIB(512) - 0x1000}};
    assert_int_equal(page_alloc_low_page(&info, below, 1, &page), STATUS_OK);
    assert_int_equal(page.v, KIB(512));
    const struct page_range all[] = {{0x1000, KIB(640)}};
    assert_int_equal(page_alloc_low_page(&info, all, 1, &page), ERR_NOT_FOUND);
    // a page that is usable in part only doesn't do
    memset(&info, 0, sizeof(info));
    memory(0x1001, 0x1fff, BOOT_MEMORY_USABLE);
    assert_int_equal(page_alloc_low_page(&info, NULL, 0, &page), STATUS_OK);
    assert_int_equal(page.v, 0x2000);
    info.memory[0].size = 0x1ffe;
    assert_int_equal(page_alloc_low_page(&info, NULL, 0, &page), ERR_NOT_FOUND);
}

// The model: a flag per page, from a base that puts 4 GiB in its middle.
#define MODEL_PAGES 4096u
#define MODEL_BASE  (GIB(4) - MODEL_PAGES / 2 * PAGE_SIZE)

static bool model[MODEL_PAGES];

static void compare(void)
{
    static bool seen[MODEL_PAGES];
    memset(seen, 0, sizeof(seen));
    uint64_t total = 0;
    uint64_t previous_end = 0;
    for (unsigned i = 0; i < alloc.count; i++) {
        const struct page_range *r = &alloc.free[i];
        assert_true(r->size > 0);
        assert_true(i == 0 || r->base > previous_end); // sorted, and merged where they touch
        previous_end = r->base + r->size;
        total += r->size;
        for (uint64_t p = r->base; p < previous_end; p += PAGE_SIZE) {
            seen[(p - MODEL_BASE) / PAGE_SIZE] = true;
        }
    }
    assert_memory_equal(seen, model, sizeof(model));
    assert_int_equal(page_alloc_total(&alloc), total);
}

static bool all(unsigned at, unsigned count, bool value)
{
    for (unsigned i = at; i < at + count; i++) {
        if (model[i] != value) {
            return false;
        }
    }
    return true;
}

static void random_take(unsigned count)
{
    uint64_t align = PAGE_SIZE << (rand() % 6);
    uint64_t span = MODEL_PAGES * PAGE_SIZE;
    uint64_t below = rand() % 3 ? 0 : MODEL_BASE + (uint64_t)rand() % span;
    hpa_t out;
    enum status s = page_alloc_take(&alloc, count * PAGE_SIZE, align, below, &out);
    if (s == STATUS_OK) {
        unsigned at = (unsigned)((out.v - MODEL_BASE) / PAGE_SIZE);
        assert_true(is_aligned(out.v, align));
        assert_true(below == 0 || out.v + count * PAGE_SIZE <= below);
        assert_true(all(at, count, true));
        memset(&model[at], false, count);
        return;
    }
    assert_int_equal(s, ERR_NO_MEMORY);
    for (unsigned at = 0; alloc.count < PAGE_ALLOC_RANGES && at + count <= MODEL_PAGES; at++) {
        uint64_t base = MODEL_BASE + at * PAGE_SIZE;
        if (is_aligned(base, align) && (below == 0 || base + count * PAGE_SIZE <= below)) {
            assert_false(all(at, count, true));
        }
    }
}

static void random_use_matches_a_bitmap(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        srand(seed);
        alloc.count = 0;
        memset(model, 0, sizeof(model));
        for (unsigned n = 0; n < 500; n++) {
            unsigned count = 1 + (unsigned)rand() % (seed % 2 ? 12 : 200);
            unsigned at = (unsigned)rand() % (MODEL_PAGES - count);
            uint64_t base = MODEL_BASE + at * PAGE_SIZE;
            enum status s;
            switch (rand() % 5) {
            case 0:
                s = page_alloc_add(&alloc, base, count * PAGE_SIZE);
                assert_int_equal(s, STATUS_OK);
                memset(&model[at], true, count);
                break;
            case 1:
                s = page_alloc_reserve(&alloc, base + 1, count * PAGE_SIZE - 2);
                assert_int_equal(s, STATUS_OK);
                memset(&model[at], false, count);
                break;
            case 2:
                s = page_alloc_give(&alloc, hpa(base), count * PAGE_SIZE);
                assert_int_equal(s, all(at, count, false) ? STATUS_OK : ERR_EXISTS);
                if (s == STATUS_OK) {
                    memset(&model[at], true, count);
                }
                break;
            default:
                random_take(count);
                break;
            }
            compare();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(add_rounds_inward_and_merges, setup),
        cmocka_unit_test_setup(reserve_rounds_outward_and_splits, setup),
        cmocka_unit_test_setup(a_full_table_loses_nothing, setup),
        cmocka_unit_test_setup(take_from_the_middle_of_a_full_table, setup),
        cmocka_unit_test_setup(take_keeps_low_memory_and_large_blocks, setup),
        cmocka_unit_test_setup(take_spares_low_memory_at_the_cost_of_blocks, setup),
        cmocka_unit_test_setup(take_obeys_its_limits, setup),
        cmocka_unit_test_setup(take_lowest_obeys_its_limits, setup),
        cmocka_unit_test_setup(give_merges_and_refuses_double_free, setup),
        cmocka_unit_test_setup(largest_counts_aligned_blocks, setup),
        cmocka_unit_test_setup(boot_takes_out_what_is_in_use, setup_boot),
        cmocka_unit_test_setup(boot_refuses_a_machine_without_memory, setup_boot),
        cmocka_unit_test_setup(low_page_is_free_of_everything, setup_boot),
        cmocka_unit_test_setup(random_use_matches_a_bitmap, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
