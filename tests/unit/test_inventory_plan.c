// SPDX-License-Identifier: Apache-2.0
// hv/start/inventory_plan.c: who gets which CPUs, and how much memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/memory/guest_layout.h"
#include "hv/start/inventory_plan.h"

static struct page_alloc alloc;
static struct topology_place cpus[MAX_CPUS];
static struct inventory_plan plan;

static void memory(uint64_t base, uint64_t size)
{
    alloc.count = 0;
    assert_int_equal(page_alloc_add(&alloc, base, size), STATUS_OK);
}

static void expect_cpus(unsigned p, unsigned count, const uint16_t *numbers)
{
    assert_int_equal(plan.cpu_count[p], count);
    assert_memory_equal(plan.cpus[p], numbers, count * sizeof(numbers[0]));
}

static void test_threads_stay_together(void **state)
{
    (void)state;
    // Four cores in two packages, listed core by core, and then their second threads.
    memory(MIB(1), GIB(1));
    for (unsigned i = 0; i < 8; i++)
        cpus[i] = (struct topology_place){i / 2 % 2, i % 2, i / 4};
    assert_int_equal(inventory_plan(cpus, 8, &alloc, &plan), STATUS_OK);
    assert_int_equal(plan.partition_count, 2);
    expect_cpus(0, 4, (uint16_t[]){0, 1, 4, 5});
    expect_cpus(1, 4, (uint16_t[]){2, 3, 6, 7});
}

static void test_odd_and_single_cores(void **state)
{
    (void)state;
    memory(MIB(1), GIB(1));
    for (unsigned i = 0; i < 3; i++)
        cpus[i] = (struct topology_place){0, i, 0};
    assert_int_equal(inventory_plan(cpus, 3, &alloc, &plan), STATUS_OK);
    expect_cpus(0, 2, (uint16_t[]){0, 1});
    expect_cpus(1, 1, (uint16_t[]){2});
    // Two threads of one core.
    for (unsigned i = 0; i < 2; i++)
        cpus[i] = (struct topology_place){0, 0, i};
    assert_int_equal(inventory_plan(cpus, 2, &alloc, &plan), STATUS_OK);
    assert_int_equal(plan.partition_count, 1);
    expect_cpus(0, 2, (uint16_t[]){0, 1});
}

static uint64_t plan_two(uint64_t size)
{
    memory(MIB(2), size);
    cpus[0] = (struct topology_place){0, 0, 0};
    cpus[1] = (struct topology_place){0, 1, 0};
    assert_int_equal(inventory_plan(cpus, 2, &alloc, &plan), STATUS_OK);
    assert_int_equal(page_alloc_total(&alloc), size);
    return plan.memory;
}

static void test_memory(void **state)
{
    (void)state;
    assert_int_equal(plan_two(GIB(1)), MIB(448)); // an eighth is left
    assert_int_equal(plan_two(GIB(64)), align_down((GIB(64) - GIB(1)) / 2, MIB(2)));
    assert_int_equal(plan.partition_count, 2);
    assert_int_equal(plan_two(MIB(320)), MIB(128));
    assert_int_equal(plan.partition_count, 2);
    assert_int_equal(plan_two(MIB(318)), MIB(254)); // one
    assert_int_equal(plan.partition_count, 1);
    assert_int_equal(plan_two(MIB(40)), MIB(20)); // half
    assert_int_equal(plan_two(MIB(4)), MIB(2));
    memory(MIB(2), MIB(3));
    assert_int_equal(inventory_plan(cpus, 2, &alloc, &plan), ERR_NO_MEMORY);
}

// Where no partition could have all of it, because it is in too many pieces, it is less.
static void test_pieces(void **state)
{
    (void)state;
    alloc.count = 0;
    for (unsigned i = 0; i < 400; i++)
        assert_int_equal(page_alloc_add(&alloc, GIB(1) + i * MIB(2), MIB(1)), STATUS_OK);
    cpus[0] = (struct topology_place){0, 0, 0};
    uint64_t before = page_alloc_total(&alloc);
    assert_int_equal(inventory_plan(cpus, 1, &alloc, &plan), STATUS_OK);
    assert_int_equal(page_alloc_total(&alloc), before);
    assert_in_range(plan.memory, MIB(40), GUEST_RAM_REGIONS * MIB(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_stay_together),
        cmocka_unit_test(test_odd_and_single_cores),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
