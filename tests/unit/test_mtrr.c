// SPDX-License-Identifier: Apache-2.0
// arch/cpu/mtrr.c and hv/memory/uncached.c: types of addresses, CPUs that differ, and memory that
// is left out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/msr.h"
#include "arch/cpu/mtrr.h"
#include "hv/memory/uncached.h"
#include "tests/unit/fake_print.h"

#define ON    MTRR_DEF_TYPE_ENABLE
#define VALID BIT(11)
#define BITS  40

static struct mtrrs m;

static void range(uint64_t base, uint64_t size, enum mtrr_type type)
{
    m.base[m.ranges] = base | type;
    m.mask[m.ranges++] = ((BIT(BITS) - 1) & ~(size - 1)) | VALID;
}

static void begin(uint64_t default_type)
{
    m = (struct mtrrs){.present = true, .default_type = default_type};
    fake_print_clear();
}

static void expect(uint64_t at, enum mtrr_type type, uint64_t end)
{
    uint64_t found;
    assert_int_equal(mtrr_type(&m, at, &found), type);
    assert_int_equal(found, end);
}

static void test_types(void **state)
{
    (void)state;
    begin(ON | MTRR_WB);
    expect(MIB(1), MTRR_WB, BIT(52));
    // The PC's hole, by one range; an entry that is not valid says nothing.
    range(GIB(3), GIB(1), MTRR_UC);
    range(0, GIB(1), MTRR_UC);
    m.mask[1] &= ~VALID;
    expect(MIB(1), MTRR_WB, GIB(3));
    expect(GIB(3), MTRR_UC, GIB(4));
    expect(GIB(4), MTRR_WB, BIT(52));

    // The other way round, with a hole in it.
    begin(ON | MTRR_UC);
    range(0, GIB(4), MTRR_WB);
    range(MIB(256), MIB(2), MTRR_UC);
    expect(MIB(1), MTRR_WB, MIB(256));
    expect(MIB(257), MTRR_UC, MIB(258));
    expect(MIB(258), MTRR_WB, GIB(4));
    expect(GIB(4), MTRR_UC, BIT(52));

    // Overlaps: write-through wins over write-back; what the manual leaves open is uncached.
    begin(ON | MTRR_UC);
    range(0, GIB(4), MTRR_WB);
    range(GIB(1), GIB(1), MTRR_WT);
    range(GIB(2), GIB(1), MTRR_WC);
    expect(GIB(1), MTRR_WT, GIB(2));
    expect(GIB(2), MTRR_UC, GIB(3));

    // A mask with a hole: block by block. A mask of nothing: everywhere.
    begin(ON | MTRR_WB);
    range(0, MIB(2), MTRR_UC);
    m.mask[0] &= ~MIB(8);
    expect(MIB(1), MTRR_UC, MIB(2));
    expect(MIB(2), MTRR_WB, MIB(4));
    expect(MIB(8), MTRR_UC, MIB(10));
    begin(ON | MTRR_WB);
    range(0, 0, MTRR_WP);
    m.mask[0] = VALID;
    expect(GIB(7), MTRR_WP, BIT(52));
}

static void test_amd_above_4_gib(void **state)
{
    (void)state;
    begin(ON | MTRR_UC);
    m.syscfg = SYSCFG_TOM2_WRITE_BACK;
    m.top_mem2 = GIB(6);
    range(0, GIB(2), MTRR_WB);
    expect(GIB(1), MTRR_WB, GIB(2));
    expect(GIB(2), MTRR_UC, GIB(4));
    expect(GIB(4), MTRR_WB, GIB(6));
    expect(GIB(6), MTRR_UC, BIT(52));
}

static void test_differences(void **state)
{
    (void)state;
    char text[200] = "kept";
    bool fixable;
    begin(ON | MTRR_WB);
    range(GIB(3), GIB(1), MTRR_UC);
    struct mtrrs other = m;
    assert_false(mtrr_difference(&other, &m, &fixable, text, sizeof(text)));
    assert_string_equal(text, "kept");

    other.default_type = ON;
    other.mask[0] = 0;
    assert_true(mtrr_difference(&other, &m, &fixable, text, sizeof(text)));
    assert_true(fixable);
    assert_string_equal(text, "MSR 0x2ff is 0x800, not 0x806, MSR 0x201 is 0x0, not 0xffc0000800");
    other.fixed[0] = 1;
    other.fixed[10] = 2;
    other.base[0] = 3;
    assert_true(mtrr_difference(&other, &m, &fixable, text, sizeof(text)));
    assert_non_null(
        strstr(text, "MSR 0x250 is 0x1, not 0x0, MSR 0x26f is 0x2, not 0x0 and 2 more"));

    // Where memory ends is not a matter of caching, nor can a register be made.
    other = m;
    other.top_mem2 = GIB(8);
    assert_true(mtrr_difference(&other, &m, &fixable, text, sizeof(text)));
    assert_false(fixable);
    other = m;
    other.ranges = 0;
    assert_true(mtrr_difference(&other, &m, &fixable, text, sizeof(text)));
    assert_false(fixable);
}

static struct page_alloc alloc;
static struct boot_info info;

static void memory(uint64_t base, uint64_t size, uint32_t kind)
{
    info.memory[info.memory_count++] = (struct boot_memory){base, size, kind};
}

static void test_left_out(void **state)
{
    (void)state;
    memset(&info, 0, sizeof(info));
    memory(0, KIB(640), BOOT_MEMORY_USABLE);
    memory(MIB(1), GIB(2) - MIB(1), BOOT_MEMORY_USABLE);
    memory(GIB(3), GIB(1), BOOT_MEMORY_RESERVED);
    memory(GIB(4), GIB(4), BOOT_MEMORY_USABLE);
    memory(BIT(52), GIB(1), BOOT_MEMORY_USABLE);
    begin(ON | MTRR_UC);
    range(0, GIB(4), MTRR_WB);
    range(GIB(4), GIB(2), MTRR_WB);
    range(MIB(256), MIB(2), MTRR_UC);
    range(MIB(258), MIB(2), MTRR_UC);
    range(GIB(1), MIB(4), MTRR_WT);
    assert_int_equal(page_alloc_boot(&alloc, &info, NULL, 0), STATUS_OK);
    uint64_t before = page_alloc_total(&alloc);
    assert_int_equal(uncached_leave_out(&alloc, &info, &m), STATUS_OK);
    assert_int_equal(page_alloc_total(&alloc), before - MIB(8) - GIB(2));
    assert_true(
        fake_printed("0x10000000-0x103fffff: usable, but by the firmware's MTRRs uncached"));
    assert_true(
        fake_printed("0x40000000-0x403fffff: usable, but by the firmware's MTRRs write-thr"));
    assert_true(fake_printed("0x180000000-0x1ffffffff: "));
    assert_int_equal(fake_print_count(), 3);

    // Off: all is uncached, and there is no other memory. Absent: nothing is known.
    begin(MTRR_WB);
    assert_int_equal(uncached_leave_out(&alloc, &info, &m), STATUS_OK);
    assert_true(fake_printed("the MTRRs off"));
    begin(0);
    m.present = false;
    assert_int_equal(uncached_leave_out(&alloc, &info, &m), STATUS_OK);
    assert_int_equal(fake_print_count(), 0);
    assert_int_equal(page_alloc_total(&alloc), before - MIB(8) - GIB(2));
}

// A mask whose holes make more pieces than the table has.
static void test_too_many_pieces(void **state)
{
    (void)state;
    memset(&info, 0, sizeof(info));
    memory(MIB(1), MIB(63), BOOT_MEMORY_USABLE);
    begin(ON | MTRR_WB);
    range(0, PAGE_SIZE, 7);
    m.mask[0] = PAGE_SIZE | VALID;
    assert_int_equal(page_alloc_boot(&alloc, &info, NULL, 0), STATUS_OK);
    assert_int_equal(uncached_leave_out(&alloc, &info, &m), ERR_NO_MEMORY);
    assert_true(fake_printed("of no type that there is"));
    assert_int_equal(fake_print_count(), 16);
}

static void test_registers(void **state)
{
    (void)state;
    assert_int_equal(mtrr_fixed_msr(0), 0x250);
    assert_int_equal(mtrr_fixed_msr(MTRR_FIXED - 1), 0x26f);
    assert_int_equal(mtrr_base_msr(3), 0x206);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),           cmocka_unit_test(test_amd_above_4_gib),
        cmocka_unit_test(test_differences),     cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_too_many_pieces), cmocka_unit_test(test_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
