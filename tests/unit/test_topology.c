// SPDX-License-Identifier: Apache-2.0
// arch/cpu/topology.c: the cut of APIC IDs by what CPUID says on processors of each kind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/topology.h"

struct row {
    uint32_t leaf, subleaf, value[4];
};

static const struct row *rows;
static unsigned row_count;

static void read_rows(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(out[0]));
    for (unsigned i = 0; i < row_count; i++) {
        if (rows[i].leaf == leaf && rows[i].subleaf == subleaf)
            memcpy(out, rows[i].value, sizeof(rows[i].value));
    }
}

static void expect(const struct row *r, unsigned count, unsigned threads, unsigned cores)
{
    rows = r;
    row_count = count;
    struct topology t = topology_find(read_rows);
    assert_int_equal(t.thread_bits, threads);
    assert_int_equal(t.core_bits, cores);
}

#define INTEL 0x756e6547
#define AMD   0x68747541

static void test_levels(void **state)
{
    (void)state;
    static const struct row leaf_b[] = {
        {0, 0, {0xb, INTEL, 0, 0}}, {0xb, 0, {1, 2, 0x100, 0}}, {0xb, 1, {4, 16, 0x201, 0}}};
    expect(leaf_b, ARRAY_SIZE(leaf_b), 1, 3);
    // Dies between cores and package: the newer leaf counts, and the last level is the package.
    static const struct row leaf_1f[] = {
        {0, 0, {0x1f, INTEL, 0, 0}}, {0xb, 0, {0, 1, 0x100, 0}},  {0xb, 1, {9, 1, 0x201, 0}},
        {0x1f, 0, {1, 2, 0x100, 0}}, {0x1f, 1, {4, 8, 0x201, 0}}, {0x1f, 2, {6, 32, 0x502, 0}},
    };
    expect(leaf_1f, ARRAY_SIZE(leaf_1f), 1, 5);
    // A leaf that is there but empty, and one whose levels go down.
    static const struct row empty[] = {{0, 0, {0xb, INTEL, 0, 0}},
                                       {1, 0, {0, 2 << 16, 0, 1u << 28}}};
    expect(empty, ARRAY_SIZE(empty), 1, 0);
    static const struct row down[] = {
        {0, 0, {0xb, INTEL, 0, 0}}, {0xb, 0, {4, 2, 0x100, 0}}, {0xb, 1, {1, 16, 0x201, 0}}};
    expect(down, ARRAY_SIZE(down), 0, 0);
}

static void test_counts(void **state)
{
    (void)state;
    // Eight threads on four cores; no HTT; more cores than threads, which can't be.
    static const struct row both[] = {
        {0, 0, {4, INTEL, 0, 0}}, {1, 0, {0, 8 << 16, 0, 1u << 28}}, {4, 0, {3u << 26, 0, 0, 0}}};
    expect(both, ARRAY_SIZE(both), 1, 2);
    static const struct row single[] = {{0, 0, {4, INTEL, 0, 0}}, {1, 0, {0, 8 << 16, 0, 0}}};
    expect(single, ARRAY_SIZE(single), 0, 0);
    static const struct row odd[] = {
        {0, 0, {4, INTEL, 0, 0}}, {1, 0, {0, 2 << 16, 0, 1u << 28}}, {4, 0, {7u << 26, 0, 0, 0}}};
    expect(odd, ARRAY_SIZE(odd), 0, 1);
}

static void test_amd(void **state)
{
    (void)state;
    static const struct row sized[] = {{0, 0, {5, AMD, 0, 0}},
                                       {0x80000000, 0, {0x8000001e, 0, 0, 0}},
                                       {0x80000001, 0, {0, 0, 1u << 22, 0}},
                                       {0x80000008, 0, {0, 0, 4u << 12 | 11, 0}},
                                       {0x8000001e, 0, {0, 1 << 8, 0, 0}}};
    expect(sized, ARRAY_SIZE(sized), 1, 3);
    // Without the size the count, six, and without the extensions no threads.
    static const struct row counted[] = {{0, 0, {5, AMD, 0, 0}},
                                         {0x80000000, 0, {0x80000008, 0, 0, 0}},
                                         {0x80000008, 0, {0, 0, 5, 0}}};
    expect(counted, ARRAY_SIZE(counted), 0, 3);
    static const struct row old[] = {{0, 0, {1, AMD, 0, 0}},
                                     {0x80000000, 0, {0x80000004, 0, 0, 0}}};
    expect(old, ARRAY_SIZE(old), 0, 0);
}

static void test_places(void **state)
{
    (void)state;
    struct topology_place p = topology_of((struct topology){1, 3}, 0x2b);
    assert_int_equal(p.package, 2);
    assert_int_equal(p.core, 5);
    assert_int_equal(p.thread, 1);
    // As wide as a register can make it.
    p = topology_of((struct topology){31, 0}, UINT32_MAX);
    assert_int_equal(p.package, 1);
    assert_int_equal(p.core, 0);
    assert_int_equal(p.thread, 0x7fffffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_amd),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
