// SPDX-License-Identifier: Apache-2.0
// The isolation audit before tables corrupted bit by bit and at random. That no corruption that
// matters gets by is checked against a plain walker over the writer's format tables, which the
// audit doesn't know.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/audit_fixture.h"

struct extent {
    uint64_t gpa, hpa, size;
    bool write;
};

struct reach {
    unsigned count; // beyond the array: too many to be right
    bool bad;       // a table that isn't one
    struct extent extent[64];
};

static void reach_table(const struct pt_format *f, uint64_t table, unsigned level, uint64_t gpa,
                        bool write, struct reach *out)
{
    if (!heap_contains(hpa(table)) || out->count >= ARRAY_SIZE(out->extent)) {
        out->bad = true;
        return;
    }
    const uint64_t *entries = heap_ptr(hpa(table));
    const struct pt_level *l = &f->level[level];
    uint64_t size = pt_level_size(level);
    for (unsigned i = 0; i < 512 && !out->bad; i++, gpa += size) {
        uint64_t e = entries[i];
        bool w = write && (e & f->write_bit);
        if (!(e & f->present_mask)) {
            continue;
        }
        if (level > 0 && !(l->leaf && (e & l->kind_mask) == l->leaf_kind)) {
            reach_table(f, e & ADDRESS, level - 1, gpa, w, out);
        } else if (out->count < ARRAY_SIZE(out->extent)) {
            uint64_t at = (e & ADDRESS) & ~(size - 1);
            out->extent[out->count++] = (struct extent){gpa, at, size, w};
        } else {
            out->bad = true;
        }
    }
}

static void reach_all(struct reach out[PARTNERS])
{
    memset(out, 0, PARTNERS * sizeof(struct reach));
    for (unsigned i = 0; i < PARTNERS; i++) {
        reach_table(trees[i].format, trees[i].root.v, trees[i].format->levels - 1, 0, true,
                    &out[i]);
    }
}

static struct reach right[PARTNERS];
static struct reach now[PARTNERS];

// What the audit passes must reach exactly what the right tables reach.
static bool audit_catches(unsigned f)
{
    bool passed = audit_run(&input, &report);
    if (passed) {
        reach_all(now);
        if (memcmp(right, now, sizeof(now)) != 0) {
            fail_msg("%s: a corruption got by", formats[f].pt->name);
        }
    }
    return !passed;
}

static void every_address_bit_matters(void **state)
{
    (void)state;
    for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
        build(f, false);
        unsigned tables = fake_heap_used(); // the trees' own come first
        fake_heap_take_all();
        reach_all(right);
        unsigned harmless = 0;
        for (unsigned t = 0; t < tables; t++) {
            uint64_t *entries = heap_ptr(hpa(FAKE_HEAP_BASE + t * PAGE_SIZE));
            for (unsigned i = 0; i < 512; i++) {
                uint64_t old = entries[i];
                if (old == 0 && i % 64 != 5) {
                    continue;
                }
                for (unsigned b = 0; b < 64; b++) {
                    entries[i] = old ^ BIT(b);
                    bool caught = audit_catches(f);
                    harmless += !caught;
                    // bit 12 of the x86 formats' large pages is their PAT bit
                    bool pat = f == 0 && (old & BIT(7)) && b == 12;
                    if (old != 0 && (BIT(b) & ADDRESS) && !pat && !caught) {
                        fail_msg("%s: table %u entry %u bit %u", formats[f].pt->name, t, i, b);
                    }
                }
                entries[i] = old;
            }
        }
        assert_true(harmless > 0);
        assert_true(audit_run(&input, &report));
    }
}

static void random_corruption_never_gets_by(void **state)
{
    (void)state;
    for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
        srand(17 + f);
        build(f, false);
        unsigned tables = fake_heap_used();
        fake_heap_take_all();
        reach_all(right);
        unsigned caught = 0;
        for (unsigned n = 0; n < 1500; n++) {
            uint64_t *entry[3];
            uint64_t old[3];
            unsigned count = 1 + (unsigned)rand() % 3;
            for (unsigned m = 0; m < count; m++) {
                unsigned t = (unsigned)rand() % tables;
                unsigned i = (unsigned)rand() % (rand() % 2 ? 8 : 512);
                uint64_t *from =
                    heap_ptr(hpa(FAKE_HEAP_BASE + (unsigned)rand() % tables * 4096ull));
                entry[m] = (uint64_t *)heap_ptr(hpa(FAKE_HEAP_BASE + t * PAGE_SIZE)) + i;
                old[m] = *entry[m];
                switch (rand() % 3) {
                case 0:
                    *entry[m] = from[rand() % 8]; // another entry, often of another level
                    break;
                case 1:
                    *entry[m] ^= BIT(rand() % 64) | BIT(rand() % 64);
                    break;
                default:
                    *entry[m] = (old[m] & ~ADDRESS) | (FAKE_HEAP_BASE + t * PAGE_SIZE);
                    *entry[m] |= (unsigned)rand() % 2; // present
                    break;
                }
            }
            caught += audit_catches(f);
            for (unsigned m = count; m-- > 0;) {
                *entry[m] = old[m];
            }
        }
        assert_true(caught > 500);
        assert_true(audit_run(&input, &report));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_address_bit_matters),
        cmocka_unit_test(random_corruption_never_gets_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
