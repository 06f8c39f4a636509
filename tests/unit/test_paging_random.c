// SPDX-License-Identifier: Apache-2.0
// The page-table writer under random changes, in every format, against a model that knows only
// single pages.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/memory/paging.h"
#include "tests/unit/fake_heap.h"

#define RW  (PT_READ | PT_WRITE)
#define RX  (PT_READ | PT_EXEC)
#define RWX (PT_READ | PT_WRITE | PT_EXEC)

// Every page of three GiB on its own: the naive model.
#define MODEL_PAGES (3u << 18)
// The root, two tables of 512 GiB, and below them what three GiB can have.
#define MOST_TABLES (3u + 3 + 3 * 512)

struct model_page {
    uint64_t pa;
    unsigned flags; // 0: absent
};

static struct model_page model[MODEL_PAGES];

static void compare_all(const struct page_table *pt, uint64_t base)
{
    for (unsigned i = 0; i < MODEL_PAGES; i++) {
        struct pt_leaf leaf;
        bool found = pt_lookup(pt, base + i * PAGE_SIZE, &leaf);
        if (found != (model[i].flags != 0) ||
            (found && (leaf.pa.v != model[i].pa || leaf.flags != model[i].flags))) {
            fail_msg("%s: page 0x%x differs", pt->format->name, i);
        }
    }
}

static void random_change(struct page_table *pt, uint64_t base, const unsigned *flag_sets)
{
    // sizes and places from single pages to a GiB, aligned now and then
    unsigned grain = (unsigned[]){1, 1, 512, 512, 1u << 18}[rand() % 5];
    unsigned at = (unsigned)rand() % MODEL_PAGES / grain * grain;
    unsigned count = (1 + (unsigned)rand() % (grain > 512 ? 2 : 700)) * grain;
    count = at + count > MODEL_PAGES ? MODEL_PAGES - at : count;
    unsigned flags = flag_sets[rand() % 3];
    uint64_t pa = GIB(16) + (uint64_t)(rand() % 8) * GIB(3) + at * PAGE_SIZE;
    pa += rand() % 4 == 0 ? KIB(4) : 0;
    uint64_t va = base + at * PAGE_SIZE;

    if (rand() % 3 == 0) {
        assert_int_equal(pt_unmap(pt, va, count * PAGE_SIZE), STATUS_OK);
        for (unsigned i = at; i < at + count; i++) {
            model[i].flags = 0;
        }
    } else {
        bool taken = false;
        for (unsigned i = at; i < at + count; i++) {
            taken = taken || model[i].flags;
        }
        enum status s = pt_map(pt, va, hpa(pa), count * PAGE_SIZE, flags);
        assert_int_equal(s, taken ? ERR_EXISTS : STATUS_OK);
        for (unsigned i = at; !taken && i < at + count; i++) {
            model[i] = (struct model_page){pa + (i - at) * PAGE_SIZE, flags};
        }
    }
}

static void random_changes_match_the_model(void **state)
{
    (void)state;
    static const struct {
        const struct pt_format *format;
        uint64_t base;
        unsigned flags[3];
    } cases[] = {
        {&pt_format_host, 0 - GIB(3), {RW | PT_WC, RX, PT_READ | PT_UC}},
        {&pt_format_host, 0xffff800000000000ull, {RW, RX, PT_READ}},
        {&pt_format_npt, 0, {RWX, RW | PT_UC, PT_READ}},
        {&pt_format_ept, GIB(511), {RWX, RW | PT_UC, RX | PT_WC}},
        {&pt_format_vtd, BIT(48) - GIB(3), {RW, PT_READ, RW}},
        {&pt_format_vtd_39, BIT(39) - GIB(3), {RW, PT_READ, RW}},
        {&pt_format_amdvi, GIB(1023), {RW, PT_READ, RW}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        srand(1 + (unsigned)i);
        // Tables stay, and leave less and less room for large pages: a new tree now and then.
        for (unsigned trees = 0; trees < 8; trees++) {
            fake_heap_reset();
            memset(model, 0, sizeof(model));
            struct page_table pt;
            assert_int_equal(pt_create(&pt, cases[i].format, 2), STATUS_OK);
            for (unsigned n = 0; n < 50; n++) {
                random_change(&pt, cases[i].base, cases[i].flags);
                assert_true(fake_heap_used() <= MOST_TABLES);
            }
            compare_all(&pt, cases[i].base);
            assert_int_equal(pt_unmap(&pt, cases[i].base, GIB(3)), STATUS_OK);
            memset(model, 0, sizeof(model));
            compare_all(&pt, cases[i].base);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_match_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
