// SPDX-License-Identifier: Apache-2.0
// The page-table writer in every format: entries bit for bit, page sizes, splits, refusals, running
// out of tables at every point. Random changes are in test_paging_random.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/memory/paging.h"
#include "tests/unit/fake_heap.h"

#define RW  (PT_READ | PT_WRITE)
#define RX  (PT_READ | PT_EXEC)
#define RWX (PT_READ | PT_WRITE | PT_EXEC)

static const struct pt_format *const formats[] = {
    &pt_format_host, &pt_format_npt,    &pt_format_ept,
    &pt_format_vtd,  &pt_format_vtd_39, &pt_format_amdvi,
};

static int setup(void **state)
{
    (void)state;
    fake_heap_reset();
    return 0;
}

static struct page_table make(const struct pt_format *format)
{
    struct page_table pt;
    assert_int_equal(pt_create(&pt, format, 2), STATUS_OK);
    return pt;
}

static void assert_maps(const struct page_table *pt, uint64_t va, uint64_t pa, unsigned flags,
                        uint64_t size)
{
    struct pt_leaf leaf;
    assert_true(pt_lookup(pt, va, &leaf));
    assert_int_equal(leaf.pa.v, pa);
    assert_int_equal(leaf.flags, flags);
    assert_int_equal(leaf.size, size);
}

static void assert_absent(const struct page_table *pt, uint64_t va)
{
    struct pt_leaf leaf;
    assert_false(pt_lookup(pt, va, &leaf));
}

// The entry of `va` at `level`, found with nothing but shifts.
static uint64_t raw_entry(const struct page_table *pt, uint64_t va, unsigned level)
{
    uint64_t table = pt->root.v;
    for (unsigned l = pt->format->levels - 1;; l--) {
        const uint64_t *entries = heap_ptr(hpa(table));
        uint64_t entry = entries[(va >> (12 + 9 * l)) & 511];
        if (l == level) {
            return entry;
        }
        table = entry & 0x000ffffffffff000ull;
    }
}

// Entries as the manuals have them, worked out by hand.
static void leaves_have_the_manuals_bits(void **state)
{
    (void)state;
    static const struct {
        const struct pt_format *format;
        unsigned level;
        unsigned flags;
        uint64_t bits; // without the address
    } cases[] = {
        {&pt_format_host, 0, PT_READ, 0x8000000000000161},
        {&pt_format_host, 0, RX, 0x161},
        {&pt_format_host, 0, RW, 0x8000000000000163},
        {&pt_format_host, 0, RW | PT_UC, 0x800000000000017b},
        {&pt_format_host, 0, RW | PT_WC, 0x80000000000001fb},
        {&pt_format_host, 1, RW, 0x80000000000001e3},
        {&pt_format_host, 1, RW | PT_UC, 0x80000000000001fb},
        {&pt_format_host, 2, RW | PT_WC, 0x80000000000011fb},
        {&pt_format_npt, 0, RWX, 0x67},
        {&pt_format_npt, 0, PT_READ, 0x8000000000000065},
        {&pt_format_npt, 0, PT_READ | PT_UC, 0x800000000000007d},
        {&pt_format_npt, 0, RW | PT_WC, 0x80000000000000ff},
        {&pt_format_npt, 1, RWX, 0xe7},
        {&pt_format_npt, 2, RW | PT_WC, 0x80000000000010ff},
        {&pt_format_ept, 0, RWX, 0x37},
        {&pt_format_ept, 0, PT_READ, 0x31},
        {&pt_format_ept, 0, RW | PT_UC, 0x03},
        {&pt_format_ept, 0, RW | PT_WC, 0x0b},
        {&pt_format_ept, 1, RWX, 0xb7},
        {&pt_format_ept, 2, RX, 0xb5},
        {&pt_format_vtd, 0, RW, 0x3},
        {&pt_format_vtd, 0, PT_READ, 0x1},
        {&pt_format_vtd, 1, RW, 0x83},
        {&pt_format_vtd_39, 2, RW, 0x83},
        {&pt_format_amdvi, 0, RW, 0x6000000000000001},
        {&pt_format_amdvi, 1, PT_READ, 0x2000000000000001},
        {&pt_format_amdvi, 2, RW, 0x6000000000000001},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t pa = 0x123ull << 30;
        assert_int_equal(pt_make_leaf(cases[i].format, cases[i].level, hpa(pa), cases[i].flags),
                         pa | cases[i].bits);
        // and the same through pt_map and back through pt_lookup
        struct page_table pt = make(cases[i].format);
        uint64_t size = 4096ull << (9 * cases[i].level);
        uint64_t va = GIB(5);
        assert_int_equal(pt_map(&pt, va, hpa(pa), size, cases[i].flags), STATUS_OK);
        assert_int_equal(raw_entry(&pt, va, cases[i].level), pa | cases[i].bits);
        assert_maps(&pt, va + size - 1, pa + size - 1, cases[i].flags, size);
        assert_absent(&pt, va + size);
        assert_absent(&pt, va - 1);
    }
}

static void table_entries_have_the_manuals_bits(void **state)
{
    (void)state;
    static const struct {
        const struct pt_format *format;
        uint64_t bits[4]; // of the entry at level 1, 2, 3 that refers to a table
    } cases[] = {
        {&pt_format_host, {0, 0x23, 0x23, 0x23}},
        {&pt_format_npt, {0, 0x27, 0x27, 0x27}},
        {&pt_format_ept, {0, 0x7, 0x7, 0x7}},
        {&pt_format_vtd, {0, 0x3, 0x3, 0x3}},
        {&pt_format_vtd_39, {0, 0x3, 0x3, 0}},
        {&pt_format_amdvi, {0, 0x6000000000000201, 0x6000000000000401, 0x6000000000000601}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct page_table pt = make(cases[i].format);
        assert_int_equal(pt_map(&pt, 0x3000, hpa(0x5000), 4096, PT_READ), STATUS_OK);
        for (unsigned level = 1; level < pt.format->levels; level++) {
            assert_int_equal(raw_entry(&pt, 0x3000, level) & ~0x000ffffffffff000ull,
                             cases[i].bits[level]);
        }
    }
}

static void largest_pages_that_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        unsigned before = fake_heap_used();
        struct page_table pt = make(formats[i]);
        // From 4 KiB below 1 GiB to 2 MiB and 8 KiB beyond 3 GiB, congruent modulo 1 GiB.
        uint64_t va = GIB(1) - KIB(4);
        uint64_t pa = GIB(7) - KIB(4);
        uint64_t size = GIB(2) + MIB(2) + KIB(12);
        assert_int_equal(pt_map(&pt, va, hpa(pa), size, RW), STATUS_OK);
        assert_maps(&pt, va, pa, RW, KIB(4));
        assert_maps(&pt, GIB(1) + 5, GIB(7) + 5, RW, GIB(1));
        assert_maps(&pt, GIB(2), GIB(8), RW, GIB(1));
        assert_maps(&pt, GIB(3), GIB(9), RW, MIB(2));
        assert_maps(&pt, GIB(3) + MIB(2), GIB(9) + MIB(2), RW, KIB(4));
        assert_maps(&pt, GIB(3) + MIB(2) + KIB(4), GIB(9) + MIB(2) + KIB(4), RW, KIB(4));
        assert_absent(&pt, GIB(3) + MIB(2) + KIB(8));
        // root, (one level between,) directory and table below 1 GiB, the same at 3 GiB
        assert_int_equal(fake_heap_used() - before, formats[i]->levels - 2 + 4);

        // congruent modulo 2 MiB only, then not even that
        assert_int_equal(pt_map(&pt, GIB(8), hpa(GIB(8) + MIB(2)), GIB(1), RW), STATUS_OK);
        assert_maps(&pt, GIB(8), GIB(8) + MIB(2), RW, MIB(2));
        assert_int_equal(pt_map(&pt, GIB(10), hpa(GIB(10) + KIB(4)), MIB(4), RW), STATUS_OK);
        assert_maps(&pt, GIB(10) + MIB(2), GIB(10) + MIB(2) + KIB(4), RW, KIB(4));
    }
}

static void page_size_limit_is_kept(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {KIB(4), MIB(2), GIB(1), GIB(1), GIB(1)};
    for (unsigned limit = 0; limit < ARRAY_SIZE(sizes); limit++) {
        struct page_table pt;
        assert_int_equal(pt_create(&pt, &pt_format_npt, limit), STATUS_OK);
        assert_int_equal(pt.max_leaf_level, limit < 2 ? limit : 2);
        assert_int_equal(pt_map(&pt, GIB(512), hpa(GIB(512)), GIB(1), RWX), STATUS_OK);
        assert_maps(&pt, GIB(512), GIB(512), RWX, sizes[limit]);
    }
}

static void unmap_splits_and_leaves_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        struct page_table pt = make(formats[i]);
        assert_int_equal(pt_map(&pt, GIB(4), hpa(GIB(6)), GIB(1), RW), STATUS_OK);
        unsigned before = fake_heap_used();
        uint64_t hole = GIB(4) + MIB(6) + KIB(16);
        assert_int_equal(pt_unmap(&pt, hole, KIB(8)), STATUS_OK);
        assert_int_equal(fake_heap_used(), before + 2);
        assert_maps(&pt, GIB(4), GIB(6), RW, MIB(2));
        assert_maps(&pt, hole - 1, GIB(6) + MIB(6) + KIB(16) - 1, RW, KIB(4));
        assert_absent(&pt, hole);
        assert_absent(&pt, hole + KIB(8) - 1);
        assert_maps(&pt, hole + KIB(8), GIB(6) + MIB(6) + KIB(24), RW, KIB(4));
        assert_maps(&pt, GIB(5) - 1, GIB(7) - 1, RW, MIB(2));
        // The hole may be filled with something else; absent parts of an unmap are skipped.
        assert_int_equal(pt_map(&pt, hole, hpa(GIB(1)), KIB(4), PT_READ), STATUS_OK);
        assert_maps(&pt, hole, GIB(1), PT_READ, KIB(4));
        assert_int_equal(pt_unmap(&pt, 0, GIB(5)), STATUS_OK);
        assert_absent(&pt, hole);
        // Emptied tables stay, and are used again.
        assert_int_equal(pt_map(&pt, GIB(4), hpa(GIB(6)), GIB(1), RW), STATUS_OK);
        assert_maps(&pt, GIB(4), GIB(6), RW, MIB(2));
        assert_maps(&pt, hole, GIB(6) + MIB(6) + KIB(16), RW, KIB(4));
        assert_int_equal(fake_heap_used(), before + 2);
    }
}

static void an_emptied_table_reads_as_absent(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        struct page_table pt = make(formats[i]);
        assert_int_equal(pt_map(&pt, 0, hpa(0), KIB(8), RW), STATUS_OK);
        assert_int_equal(pt_map(&pt, MIB(2), hpa(0), KIB(8), RW), STATUS_OK);
        uint64_t mask = 0x000ffffffffff000ull;
        const uint64_t *tables[] = {heap_ptr(hpa(raw_entry(&pt, 0, 1) & mask)),
                                    heap_ptr(hpa(raw_entry(&pt, MIB(2), 1) & mask))};
        assert_int_equal(pt_unmap(&pt, 0, MIB(4)), STATUS_OK);
        for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
            for (unsigned e = 0; e < 512; e++) {
                assert_int_equal(tables[t][e] & formats[i]->present_mask, 0);
            }
        }
    }
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    const uint64_t top = 0xffffffffffffffffull;
    const struct {
        const struct pt_format *format;
        uint64_t va, pa, size;
        unsigned flags;
    } cases[] = {
        {&pt_format_npt, 1, 0, 4096, RW},                     // va not aligned
        {&pt_format_npt, 0, 8, 4096, RW},                     // pa not aligned
        {&pt_format_npt, 0, 0, 4095, RW},                     // size not aligned
        {&pt_format_npt, 0, 0, 0, RW},                        // nothing
        {&pt_format_npt, 0, 0, 4096, 0},                      // no right
        {&pt_format_npt, 0, 0, 4096, PT_WRITE},               // writable, not readable
        {&pt_format_ept, 0, 0, 4096, PT_EXEC},                // execute only
        {&pt_format_npt, 0, 0, 4096, RW | PT_UC | PT_WC},     // two memory types
        {&pt_format_npt, 0, 0, 4096, RW | 32},                // no such flag
        {&pt_format_host, 0, 0, 4096, RWX},                   // W^X
        {&pt_format_vtd, 0, 0, 4096, RWX},                    // no execution by DMA
        {&pt_format_vtd, 0, 0, 4096, RW | PT_UC},             // nor memory types
        {&pt_format_amdvi, 0, 0, 4096, RX},                   //
        {&pt_format_npt, BIT(48), 0, 4096, RW},               // beyond the tree
        {&pt_format_npt, BIT(48) - 4096, 0, 8192, RW},        //
        {&pt_format_npt, top - 4095, 0, 4096, RW},            // not sign-extended there
        {&pt_format_vtd_39, BIT(39), 0, 4096, RW},            //
        {&pt_format_vtd_39, BIT(39) - 4096, 0, 8192, RW},     //
        {&pt_format_host, BIT(47), 0, 4096, RW},              // not canonical
        {&pt_format_host, BIT(47) - 4096, 0, 8192, RW},       // grows into the hole
        {&pt_format_host, top - BIT(47) - 4095, 0, 4096, RW}, // just below the upper half
        {&pt_format_host, top - 4095, 0, 8192, RW},           // wraps
        {&pt_format_npt, 0, 0, BIT(63), RW},                  //
        {&pt_format_npt, 0, BIT(52), 4096, RW},               // no such physical address
        {&pt_format_npt, 0, BIT(52) - 4096, 8192, RW},        //
        {&pt_format_npt, 0, top - 4095, 8192, RW},            //
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct page_table pt = make(cases[i].format);
        uint64_t hash = fake_heap_hash();
        assert_int_equal(pt_map(&pt, cases[i].va, hpa(cases[i].pa), cases[i].size, cases[i].flags),
                         ERR_INVALID);
        if (cases[i].flags == RW && cases[i].pa == 0) {
            assert_int_equal(pt_unmap(&pt, cases[i].va, cases[i].size), ERR_INVALID);
        }
        assert_int_equal(fake_heap_hash(), hash);
    }
    struct page_table pt = make(&pt_format_host);
    assert_null(pt_entry_4k(&pt, BIT(47)));
    assert_null(pt_entry_4k(&pt, 8));
    assert_absent(&pt, BIT(47));
}

static void canonical_addresses(void **state)
{
    (void)state;
    struct page_table pt = make(&pt_format_host);
    // the two ends of the upper half, and the end of the lower
    uint64_t last = 0xfffffffffffff000ull;
    uint64_t first = 0xffff800000000000ull;
    uint64_t low_end = 0x00007ffffffff000ull;
    assert_int_equal(pt_map(&pt, last, hpa(0x1000), 4096, RW), STATUS_OK);
    assert_int_equal(pt_map(&pt, first, hpa(0x2000), 4096, RX), STATUS_OK);
    assert_int_equal(pt_map(&pt, low_end, hpa(0x3000), 4096, PT_READ), STATUS_OK);
    assert_maps(&pt, last + 4095, 0x1fff, RW, KIB(4));
    assert_maps(&pt, first, 0x2000, RX, KIB(4));
    assert_maps(&pt, low_end, 0x3000, PT_READ, KIB(4));
    assert_absent(&pt, last & (BIT(48) - 1));                   // the same entry, but not canonical
    assert_int_equal(pt_unmap(&pt, first, BIT(47)), STATUS_OK); // all of the upper half
    assert_absent(&pt, last);
    assert_absent(&pt, first);
    assert_maps(&pt, low_end, 0x3000, PT_READ, KIB(4));
}

static void mapping_twice_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        struct page_table pt = make(formats[i]);
        assert_int_equal(pt_map(&pt, GIB(2), hpa(GIB(2)), MIB(2), RW), STATUS_OK);
        assert_int_equal(pt_map(&pt, GIB(3) - KIB(4), hpa(0), KIB(4), RW), STATUS_OK);
        uint64_t hash = fake_heap_hash();
        assert_int_equal(pt_map(&pt, GIB(2), hpa(GIB(2)), KIB(4), RW), ERR_EXISTS);
        assert_int_equal(pt_map(&pt, GIB(2) + MIB(2) - KIB(4), hpa(0), KIB(8), RW), ERR_EXISTS);
        assert_int_equal(pt_map(&pt, GIB(1), hpa(0), GIB(1) + KIB(4), RW), ERR_EXISTS);
        assert_int_equal(pt_map(&pt, 0, hpa(0), GIB(8), RW), ERR_EXISTS);
        assert_int_equal(pt_map(&pt, GIB(2) + MIB(2), hpa(0), GIB(4), RW), ERR_EXISTS);
        assert_int_equal(fake_heap_hash(), hash);
        assert_int_equal(pt_map(&pt, GIB(2) + MIB(2), hpa(0), KIB(4), RW), STATUS_OK);
    }
}

enum operation { MAP, UNMAP, ENTRY };

static enum status operate(struct page_table *pt, enum operation op)
{
    switch (op) {
    case MAP:
        return pt_map(pt, GIB(9) - KIB(4), hpa(GIB(2) + KIB(4)), MIB(4), RW);
    case UNMAP:
        return pt_unmap(pt, GIB(3) + KIB(4), GIB(1) + MIB(4));
    case ENTRY:
        break;
    }
    return pt_entry_4k(pt, GIB(3) + MIB(8)) ? STATUS_OK : ERR_NO_MEMORY;
}

static void out_of_tables_at_every_point(void **state)
{
    (void)state;
    static const long needs[] = {[MAP] = 5, [UNMAP] = 4, [ENTRY] = 2};
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        for (enum operation op = MAP; op <= ENTRY; op++) {
            fake_heap_reset();
            struct page_table pt = make(formats[i]);
            assert_int_equal(pt_map(&pt, GIB(3), hpa(GIB(3)), GIB(2), RW), STATUS_OK);
            uint64_t hash = fake_heap_hash();
            unsigned used = fake_heap_used();
            for (long n = 0;; n++) {
                fake_heap_fail_after(n);
                enum status s = operate(&pt, op);
                if (s == STATUS_OK) {
                    assert_int_equal(n, needs[op]);
                    break;
                }
                assert_int_equal(s, ERR_NO_MEMORY);
                assert_int_equal(fake_heap_used(), used);
                assert_int_equal(fake_heap_hash(), hash);
            }
            assert_int_equal(fake_heap_used(), (long)used + needs[op]);
        }
    }
    fake_heap_fail_after(0);
    struct page_table pt;
    assert_int_equal(pt_create(&pt, &pt_format_host, 2), ERR_NO_MEMORY);
}

static void window_entry_survives_unmap(void **state)
{
    (void)state;
    struct page_table pt = make(&pt_format_host);
    uint64_t va = 0xffffff8000005000ull;
    uint64_t *entry = pt_entry_4k(&pt, va);
    assert_non_null(entry);
    assert_int_equal(*entry, 0);
    assert_absent(&pt, va);
    *entry = pt_make_leaf(&pt_format_host, 0, hpa(0x77000), RW);
    assert_maps(&pt, va + 3, 0x77003, RW, KIB(4));
    *entry = 0;
    // a neighbour comes and goes; the window's table stays
    assert_int_equal(pt_map(&pt, va + KIB(4), hpa(0x1000), KIB(4), RW), STATUS_OK);
    assert_int_equal(pt_unmap(&pt, va - KIB(8), KIB(64)), STATUS_OK);
    *entry = pt_make_leaf(&pt_format_host, 0, hpa(0x78000), RW);
    assert_maps(&pt, va, 0x78000, RW, KIB(4));
    assert_ptr_equal(pt_entry_4k(&pt, va), entry);

    // a window of 2 MiB beside it, but none where a table is
    uint64_t *large = pt_entry(&pt, 0xffffff8000200000ull, 1);
    assert_non_null(large);
    *large = pt_make_leaf(&pt_format_host, 1, hpa(MIB(6)), RW);
    assert_maps(&pt, 0xffffff8000200000ull + KIB(5), MIB(6) + KIB(5), RW, MIB(2));
    assert_null(pt_entry(&pt, va, 1));
    assert_null(pt_entry(&pt, va, 4));

    // within a large page: split, the content kept
    assert_int_equal(pt_map(&pt, GIB(1), hpa(GIB(1)), GIB(1), RW), STATUS_OK);
    entry = pt_entry_4k(&pt, GIB(1) + KIB(4));
    assert_int_equal(*entry, pt_make_leaf(&pt_format_host, 0, hpa(GIB(1) + KIB(4)), RW));
}

static void shared_tables_belong_to_their_source(void **state)
{
    (void)state;
    uint64_t kernel = 0xffffffff80000000ull;
    struct page_table source = make(&pt_format_host);
    struct page_table cpu = make(&pt_format_host);
    assert_int_equal(pt_share(&cpu, &source, kernel, 3), ERR_NOT_FOUND);
    assert_int_equal(pt_map(&source, kernel, hpa(MIB(2)), MIB(2), RX), STATUS_OK);
    assert_int_equal(pt_share(&cpu, &source, BIT(50), 3), ERR_INVALID);
    assert_int_equal(pt_share(&cpu, &source, kernel + 5, 3), ERR_INVALID);
    assert_int_equal(pt_share(&cpu, &source, kernel, 4), ERR_INVALID);
    assert_int_equal(pt_share(&cpu, &source, kernel, 0), ERR_INVALID);
    assert_int_equal(pt_share(&cpu, &source, kernel, 1), ERR_NOT_FOUND); // a page, not a table
    assert_int_equal(pt_share(&cpu, &source, kernel, 3), STATUS_OK);
    assert_int_equal(pt_share(&cpu, &source, kernel, 3), ERR_EXISTS);
    assert_maps(&cpu, kernel, MIB(2), RX, MIB(2));
    // later changes in the source are seen, the reverse is refused
    assert_int_equal(pt_map(&source, kernel + MIB(4), hpa(MIB(8)), KIB(4), RW), STATUS_OK);
    assert_maps(&cpu, kernel + MIB(4), MIB(8), RW, KIB(4));
    uint64_t hash = fake_heap_hash();
    assert_int_equal(pt_map(&cpu, kernel + MIB(8), hpa(0), KIB(4), RW), ERR_DENIED);
    assert_int_equal(pt_unmap(&cpu, kernel, MIB(2)), ERR_DENIED);
    assert_int_equal(pt_unmap(&cpu, 0xffff800000000000ull, BIT(47)), ERR_DENIED);
    assert_null(pt_entry_4k(&cpu, kernel + MIB(8)));
    assert_int_equal(fake_heap_hash(), hash);
    // its own part is its own
    assert_int_equal(pt_map(&cpu, 0xffffff0000000000ull, hpa(0), KIB(4), RW), STATUS_OK);

    struct page_table npt = make(&pt_format_npt);
    struct page_table other = make(&pt_format_npt);
    assert_int_equal(pt_share(&npt, &other, 0, 3), ERR_UNSUPPORTED);
    assert_int_equal(pt_share(&npt, &source, 0, 3), ERR_UNSUPPORTED);
}

// As the CPUs' own tables are: the same top-level entry, one GiB shared, another private.
static void one_gib_shared_beside_a_private_one(void **state)
{
    (void)state;
    uint64_t shared = 0xffffffff80000000ull;
    uint64_t own = 0xffffffffc0000000ull;
    struct page_table source = make(&pt_format_host);
    struct page_table cpu = make(&pt_format_host);
    assert_int_equal(pt_map(&source, shared, hpa(MIB(2)), KIB(8), RX), STATUS_OK);
    // exhaustion on the way leaves nothing behind
    uint64_t hash = fake_heap_hash();
    fake_heap_fail_after(0);
    assert_int_equal(pt_share(&cpu, &source, shared, 2), ERR_NO_MEMORY);
    fake_heap_fail_after(-1);
    assert_int_equal(fake_heap_hash(), hash);

    assert_int_equal(pt_map(&cpu, own, hpa(MIB(8)), KIB(4), RW), STATUS_OK);
    assert_int_equal(pt_share(&cpu, &source, shared, 3), ERR_EXISTS); // the private GiB is there
    assert_int_equal(pt_share(&cpu, &source, shared, 2), STATUS_OK);
    assert_int_equal(pt_share(&cpu, &source, shared, 2), ERR_EXISTS);
    assert_maps(&cpu, shared + 7, MIB(2) + 7, RX, KIB(4));
    assert_maps(&cpu, own, MIB(8), RW, KIB(4));
    assert_int_equal(pt_map(&source, shared + GIB(1) - KIB(4), hpa(0), KIB(4), RW), STATUS_OK);
    assert_maps(&cpu, own - 1, 0xfff, RW, KIB(4));
    assert_int_equal(pt_map(&cpu, shared + MIB(2), hpa(0), KIB(4), RW), ERR_DENIED);
    assert_int_equal(pt_unmap(&cpu, shared, KIB(4)), ERR_DENIED);
    assert_int_equal(pt_map(&cpu, own + KIB(4), hpa(0), KIB(4), RW), STATUS_OK);
    // the shared table outlives its content
    assert_int_equal(pt_unmap(&source, shared, GIB(1)), STATUS_OK);
    assert_absent(&cpu, shared);
    assert_int_equal(pt_map(&source, shared, hpa(MIB(2)), KIB(8), RX), STATUS_OK);
    assert_maps(&cpu, shared, MIB(2), RX, KIB(4));
    // something mapped in the way, as a page of its own and within a larger one
    struct page_table other = make(&pt_format_host);
    assert_int_equal(pt_map(&other, shared, hpa(0), GIB(1), PT_READ), STATUS_OK);
    hash = fake_heap_hash();
    assert_int_equal(pt_share(&other, &source, shared, 2), ERR_EXISTS);
    assert_int_equal(pt_share(&other, &source, shared, 1), ERR_EXISTS);
    assert_int_equal(fake_heap_hash(), hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(leaves_have_the_manuals_bits, setup),
        cmocka_unit_test_setup(table_entries_have_the_manuals_bits, setup),
        cmocka_unit_test_setup(largest_pages_that_fit, setup),
        cmocka_unit_test_setup(page_size_limit_is_kept, setup),
        cmocka_unit_test_setup(unmap_splits_and_leaves_the_rest, setup),
        cmocka_unit_test_setup(an_emptied_table_reads_as_absent, setup),
        cmocka_unit_test_setup(bad_arguments_are_refused, setup),
        cmocka_unit_test_setup(canonical_addresses, setup),
        cmocka_unit_test_setup(mapping_twice_changes_nothing, setup),
        cmocka_unit_test_setup(out_of_tables_at_every_point, setup),
        cmocka_unit_test_setup(window_entry_survives_unmap, setup),
        cmocka_unit_test_setup(shared_tables_belong_to_their_source, setup),
        cmocka_unit_test_setup(one_gib_shared_beside_a_private_one, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
