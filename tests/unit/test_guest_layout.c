// SPDX-License-Identifier: Apache-2.0
// The layout of a partition's RAM: where it lies for the guest, how large its host blocks are, that
// nothing is lost when it doesn't fit, and random partitions out of fragmented memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv/memory/guest_layout.h"

static struct page_alloc alloc;
static struct guest_ram ram;

static int setup(void **state)
{
    (void)state;
    alloc.count = 0;
    memset(&ram, 0xff, sizeof(ram));
    return 0;
}

static uint64_t ram_size(void)
{
    uint64_t size = 0;
    for (unsigned i = 0; i < ram.count; i++) {
        size += ram.region[i].size;
    }
    return size;
}

static void assert_region(unsigned i, uint64_t gpa, uint64_t host, uint64_t size)
{
    assert_true(i < ram.count);
    assert_int_equal(ram.region[i].gpa, gpa);
    assert_int_equal(ram.region[i].hpa, host);
    assert_int_equal(ram.region[i].size, size);
}

static void one_piece_where_there_is_one(void **state)
{
    (void)state;
    page_alloc_add(&alloc, MIB(5), GIB(2));
    assert_int_equal(guest_ram_allocate(&ram, &alloc, MIB(512)), STATUS_OK);
    assert_int_equal(ram.count, 1);
    assert_region(0, 0, MIB(6), MIB(512)); // leaves the GiB from 1 to 2 whole
    assert_int_equal(guest_ram_allocate(&ram, &alloc, GIB(1) + KIB(4)), STATUS_OK);
    assert_int_equal(ram.count, 1);
    assert_region(0, 0, GIB(1), GIB(1) + KIB(4));
}

static void hole_below_4_gib(void **state)
{
    (void)state;
    page_alloc_add(&alloc, GIB(16), GIB(8));
    assert_int_equal(guest_ram_allocate(&ram, &alloc, GIB(3)), STATUS_OK);
    assert_int_equal(ram.count, 1);
    assert_int_equal(guest_ram_free(&ram, &alloc), STATUS_OK);
    assert_int_equal(ram.count, 0);

    assert_int_equal(guest_ram_allocate(&ram, &alloc, GIB(4) + MIB(2)), STATUS_OK);
    assert_int_equal(ram.count, 2);
    assert_int_equal(ram.region[0].gpa, 0);
    assert_int_equal(ram.region[0].size, GIB(3));
    assert_int_equal(ram.region[1].gpa, GIB(4));
    assert_int_equal(ram.region[1].size, GIB(1) + MIB(2));
    assert_true(is_aligned(ram.region[0].hpa, GIB(1)));
    assert_true(is_aligned(ram.region[1].hpa, GIB(1)));

    hpa_t host = hpa(1);
    uint64_t contiguous = 2;
    assert_true(guest_ram_lookup(&ram, gpa(GIB(3) - 1), &host, &contiguous));
    assert_int_equal(host.v, ram.region[0].hpa + GIB(3) - 1);
    assert_int_equal(contiguous, 1);
    assert_true(guest_ram_lookup(&ram, gpa(GIB(4) + 7), &host, &contiguous));
    assert_int_equal(host.v, ram.region[1].hpa + 7);
    assert_int_equal(contiguous, GIB(1) + MIB(2) - 7);
    static const uint64_t none[] = {GIB(3), GIB(4) - 1, GIB(5) + MIB(2), UINT64_MAX};
    host = hpa(5);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        assert_false(guest_ram_lookup(&ram, gpa(none[i]), &host, &contiguous));
        assert_int_equal(host.v, 5);
    }
    for (unsigned i = 0; i < ram.count; i++) {
        uint64_t first = ram.region[i].hpa, size = ram.region[i].size;
        assert_true(guest_ram_owns(&ram, hpa(first)));
        assert_true(guest_ram_owns(&ram, hpa(first + size - 1)));
    }
    uint64_t low = min_u64(ram.region[0].hpa, ram.region[1].hpa);
    uint64_t end = max_u64(ram.region[0].hpa + GIB(3), ram.region[1].hpa + GIB(1) + MIB(2));
    assert_false(guest_ram_owns(&ram, hpa(low - 1)));
    assert_false(guest_ram_owns(&ram, hpa(end)));
}

static void falls_back_to_smaller_blocks(void **state)
{
    (void)state;
    // one whole GiB, one 2 MiB-aligned piece, and pages on odd addresses
    page_alloc_add(&alloc, GIB(5), GIB(1));
    page_alloc_add(&alloc, GIB(8) + MIB(2), MIB(6));
    page_alloc_add(&alloc, GIB(9) + KIB(4), MIB(1));
    page_alloc_add(&alloc, GIB(10) + KIB(12), MIB(1));
    uint64_t all = page_alloc_total(&alloc);
    assert_int_equal(guest_ram_allocate(&ram, &alloc, all), STATUS_OK);
    assert_int_equal(ram.count, 4);
    assert_region(0, 0, GIB(5), GIB(1));
    assert_region(1, GIB(1), GIB(8) + MIB(2), MIB(6));
    assert_int_equal(ram_size(), all);
    assert_int_equal(page_alloc_total(&alloc), 0);
}

static void bad_sizes_are_refused(void **state)
{
    (void)state;
    page_alloc_add(&alloc, GIB(1), GIB(1));
    static const uint64_t sizes[] = {0, KIB(4), MIB(1) - KIB(4), MIB(1) + 1, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_int_equal(guest_ram_allocate(&ram, &alloc, sizes[i]), ERR_INVALID);
        assert_int_equal(ram.count, 0);
    }
    assert_int_equal(guest_ram_allocate(&ram, &alloc, UINT64_MAX - 4095), ERR_NO_MEMORY);
    assert_int_equal(guest_ram_allocate(&ram, &alloc, GIB(1) + KIB(4)), ERR_NO_MEMORY);
    assert_int_equal(page_alloc_total(&alloc), GIB(1));
    assert_int_equal(guest_ram_allocate(&ram, &alloc, MIB(1)), STATUS_OK);
}

static void too_many_fragments_give_all_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        page_alloc_add(&alloc, GIB(1) + i * MIB(1), KIB(512));
    }
    static struct page_alloc before;
    before = alloc;
    assert_int_equal(guest_ram_allocate(&ram, &alloc, MIB(50)), ERR_NO_MEMORY);
    assert_int_equal(ram.count, 0);
    assert_int_equal(alloc.count, before.count);
    assert_memory_equal(alloc.free, before.free, alloc.count * sizeof(alloc.free[0]));
    // as many as there is room for
    assert_int_equal(guest_ram_allocate(&ram, &alloc, MIB(32)), STATUS_OK);
    assert_int_equal(ram.count, 64);
    assert_int_equal(guest_ram_free(&ram, &alloc), STATUS_OK);
    assert_memory_equal(alloc.free, before.free, alloc.count * sizeof(alloc.free[0]));
}

static void free_reports_a_double_free(void **state)
{
    (void)state;
    page_alloc_add(&alloc, GIB(4), GIB(1));
    assert_int_equal(guest_ram_allocate(&ram, &alloc, MIB(2)), STATUS_OK);
    struct guest_ram copy = ram;
    assert_int_equal(guest_ram_free(&ram, &alloc), STATUS_OK);
    assert_int_equal(guest_ram_free(&copy, &alloc), ERR_EXISTS);
    assert_int_equal(copy.count, 1);
}

static void direct_ram_has_the_host_s_addresses(void **state)
{
    (void)state;
    page_alloc_add(&alloc, MIB(1), MIB(6)); // too small, but it has the first MiB
    page_alloc_add(&alloc, MIB(10) + KIB(4), MIB(100));
    page_alloc_add(&alloc, GIB(4), GIB(4));
    uint64_t before = page_alloc_total(&alloc);
    assert_int_equal(guest_ram_direct_most(&alloc), MIB(98) + KIB(4));
    assert_int_equal(guest_ram_allocate_direct(&ram, &alloc, MIB(64) + KIB(8)), STATUS_OK);
    assert_int_equal(ram.count, 2);
    assert_region(0, 0, ram.region[0].hpa, MIB(1));
    assert_region(1, MIB(12), MIB(12), MIB(63) + KIB(8));
    assert_int_equal(ram.dma_floor, MIB(12));
    assert_int_equal(ram_size(), MIB(64) + KIB(8));
    assert_int_equal(page_alloc_total(&alloc), before - ram_size());
    hpa_t host = hpa(5);
    uint64_t contiguous = 0;
    assert_false(guest_ram_lookup(&ram, gpa(MIB(1)), &host, &contiguous));
    assert_false(guest_ram_lookup(&ram, gpa(MIB(12) - 1), &host, &contiguous));
    assert_true(guest_ram_lookup(&ram, gpa(MIB(13) + 5), &host, &contiguous));
    assert_int_equal(host.v, MIB(13) + 5);
    // A second one, in what is left; and one that isn't.
    static struct guest_ram other;
    assert_int_equal(guest_ram_allocate_direct(&other, &alloc, MIB(32)), STATUS_OK);
    assert_int_equal(other.dma_floor, MIB(76));
    assert_int_equal(guest_ram_free(&other, &alloc), STATUS_OK);
    assert_int_equal(guest_ram_allocate(&other, &alloc, MIB(32)), STATUS_OK);
    assert_int_equal(other.dma_floor, 0);
    assert_int_equal(guest_ram_free(&other, &alloc), STATUS_OK);
    assert_int_equal(guest_ram_free(&ram, &alloc), STATUS_OK);
    assert_int_equal(page_alloc_total(&alloc), before);
}

static void direct_ram_lies_below_3_gib_in_one_piece(void **state)
{
    (void)state;
    static const uint64_t bad[] = {0, MIB(1), MIB(2) + 1, UINT64_MAX};
    page_alloc_add(&alloc, GIB(2), GIB(6));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(guest_ram_allocate_direct(&ram, &alloc, bad[i]), ERR_INVALID);
    }
    assert_int_equal(guest_ram_direct_most(&alloc), GIB(1));
    assert_int_equal(guest_ram_allocate_direct(&ram, &alloc, GIB(1) + MIB(1) + KIB(4)),
                     ERR_NO_MEMORY);
    assert_int_equal(ram.count, 0);
    assert_int_equal(ram.dma_floor, 0);
    assert_int_equal(page_alloc_total(&alloc), GIB(6));
    assert_int_equal(guest_ram_allocate_direct(&ram, &alloc, GIB(1) + MIB(1)), STATUS_OK);
    assert_region(1, GIB(2), GIB(2), GIB(1));
    assert_int_equal(guest_ram_free(&ram, &alloc), STATUS_OK);

    // The first MiB needs room as well: what is promised leaves it that.
    alloc.count = 0;
    assert_int_equal(guest_ram_direct_most(&alloc), 0);
    page_alloc_add(&alloc, MIB(4), MIB(8));
    assert_int_equal(guest_ram_allocate_direct(&ram, &alloc, MIB(9)), ERR_NO_MEMORY);
    assert_int_equal(ram.count, 0);
    assert_int_equal(page_alloc_total(&alloc), MIB(8));
    assert_int_equal(guest_ram_direct_most(&alloc), MIB(8));
    assert_int_equal(guest_ram_allocate_direct(&ram, &alloc, MIB(8)), STATUS_OK);
    assert_region(0, 0, MIB(11), MIB(1));
    assert_region(1, MIB(4), MIB(4), MIB(7));
    assert_int_equal(page_alloc_total(&alloc), 0);
}

static void check_layout(const struct guest_ram *r, uint64_t memory)
{
    uint64_t at = 0;
    for (unsigned i = 0; i < r->count; i++) {
        const struct guest_ram_region *region = &r->region[i];
        at = at == GIB(3) ? GIB(4) : at;
        assert_int_equal(region->gpa, at);
        assert_true(is_aligned(region->hpa, PAGE_SIZE) && is_aligned(region->size, PAGE_SIZE));
        // whatever is large enough can be mapped with large pages
        if (region->size >= MIB(4)) {
            assert_true(is_aligned(region->hpa ^ region->gpa, MIB(2)));
        }
        at += region->size;
    }
    assert_int_equal(at, memory <= GIB(3) ? memory : memory + GIB(1));
}

static void random_partitions(void **state)
{
    (void)state;
    enum { GUESTS = 8 };
    static struct guest_ram guest[GUESTS];
    for (unsigned seed = 1; seed <= 60; seed++) {
        srand(seed);
        alloc.count = 0;
        uint64_t at = MIB(1);
        for (unsigned i = 0; i < 30; i++) {
            uint64_t grain = (uint64_t[]){KIB(4), MIB(2), MIB(512)}[rand() % 3];
            uint64_t size = (1 + (uint64_t)rand() % 5) * grain;
            page_alloc_add(&alloc, at, size);
            at += size + (1 + (uint64_t)rand() % 3) * KIB(4) * (rand() % 2 ? 1 : 512);
        }
        static struct page_alloc before;
        before = alloc;
        unsigned made = 0;
        for (unsigned i = 0; i < GUESTS; i++) {
            uint64_t memory = MIB(1) + (uint64_t)rand() % 1500 * (rand() % 2 ? MIB(2) : KIB(4));
            static struct page_alloc here;
            here = alloc;
            enum status s = guest_ram_allocate(&guest[i], &alloc, memory);
            if (s == STATUS_OK) {
                made++;
                check_layout(&guest[i], memory);
                assert_int_equal(page_alloc_total(&alloc), page_alloc_total(&here) - memory);
            } else {
                assert_int_equal(s, ERR_NO_MEMORY);
                assert_int_equal(guest[i].count, 0);
                assert_int_equal(alloc.count, here.count);
                assert_memory_equal(alloc.free, here.free, here.count * sizeof(here.free[0]));
            }
        }
        assert_true(made > 0);
        // page_alloc_give refuses anything that two guests hold, so this proves them apart
        for (unsigned i = 0; i < GUESTS; i++) {
            assert_int_equal(guest_ram_free(&guest[(i * 3) % GUESTS], &alloc), STATUS_OK);
        }
        assert_int_equal(alloc.count, before.count);
        assert_memory_equal(alloc.free, before.free, before.count * sizeof(before.free[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_piece_where_there_is_one, setup),
        cmocka_unit_test_setup(hole_below_4_gib, setup),
        cmocka_unit_test_setup(falls_back_to_smaller_blocks, setup),
        cmocka_unit_test_setup(bad_sizes_are_refused, setup),
        cmocka_unit_test_setup(too_many_fragments_give_all_back, setup),
        cmocka_unit_test_setup(free_reports_a_double_free, setup),
        cmocka_unit_test_setup(direct_ram_has_the_host_s_addresses, setup),
        cmocka_unit_test_setup(direct_ram_lies_below_3_gib_in_one_piece, setup),
        cmocka_unit_test_setup(random_partitions, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
