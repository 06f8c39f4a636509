// SPDX-License-Identifier: Apache-2.0
// What machine checks stop: nothing, a partition, or everything.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/life/machine_check.h"

#define RIPV    BIT(0)
#define HARMFUL (BIT(63) | BIT(61) | BIT(60))
#define ADDRESS BIT(58)
#define CORRUPT BIT(57)
#define LOST    BIT(62)

#define HYPERVISOR_PAGE 0x100000u
#define FREE_PAGE       0x200000u
#define ALPHA_PAGE      0x300000u // of partition 0
#define BETA_PAGE       0x400000u // of partition 1

enum mc_owner_kind machine_check_owner(hpa_t address, unsigned *partition)
{
    switch (address.v & ~0xfffull) {
    case HYPERVISOR_PAGE:
        return MC_OWNER_HYPERVISOR;
    case ALPHA_PAGE:
        *partition = 0;
        return MC_OWNER_PARTITION;
    case BETA_PAGE:
        *partition = 1;
        return MC_OWNER_PARTITION;
    default:
        return MC_OWNER_NONE;
    }
}

static struct machine_check m;
static struct mc_verdict verdict;

static void judge(bool in_guest)
{
    machine_check_judge(&m, in_guest, &verdict);
}

static void one_bank(uint64_t status, uint64_t address)
{
    m = (struct machine_check){.global = RIPV, .bank_count = 4, .physical = true};
    m.bank[2] = (struct mc_bank){status, address};
}

static void assert_nothing(void)
{
    assert_null(verdict.panic);
    assert_false(verdict.stop_own);
    assert_int_equal(verdict.stop, 0);
}

// A broadcast one, whose error is another CPU's; corrected errors; and banks that aren't enabled.
static void test_not_ours(void **state)
{
    static const uint64_t harmless[] = {0, HARMFUL & ~BIT(63), HARMFUL & ~BIT(61),
                                        HARMFUL & ~BIT(60), BIT(63) | ADDRESS | LOST};
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(harmless); i++) {
        one_bank(harmless[i], HYPERVISOR_PAGE);
        judge(true);
        assert_nothing();
        judge(false);
        assert_nothing();
    }
}

static void test_by_address(void **state)
{
    (void)state;
    for (unsigned in_guest = 0; in_guest < 2; in_guest++) {
        one_bank(HARMFUL | ADDRESS, BETA_PAGE + 0x40);
        judge(in_guest);
        assert_null(verdict.panic);
        assert_false(verdict.stop_own);
        assert_int_equal(verdict.stop, BIT(1));
        assert_int_equal(verdict.bank, 2);
        m.bank[3] = (struct mc_bank){HARMFUL | ADDRESS, ALPHA_PAGE};
        judge(in_guest);
        assert_null(verdict.panic);
        assert_int_equal(verdict.stop, BIT(0) | BIT(1));

        one_bank(HARMFUL | ADDRESS, HYPERVISOR_PAGE + 8);
        judge(in_guest);
        assert_non_null(verdict.panic);
    }
}

// What can't be placed is the guest's whose CPU it is; in the hypervisor it is everybody's.
static void test_without_place(void **state)
{
    (void)state;
    static const uint64_t statuses[] = {HARMFUL, HARMFUL | ADDRESS, HARMFUL | CORRUPT,
                                        HARMFUL | LOST};
    for (unsigned i = 0; i < ARRAY_SIZE(statuses); i++) {
        one_bank(statuses[i], FREE_PAGE);
        judge(true);
        assert_null(verdict.panic);
        assert_true(verdict.stop_own);
        judge(false);
        assert_non_null(verdict.panic);
    }
    // An address that is not one of the system's memory counts for nothing.
    one_bank(HARMFUL | ADDRESS, BETA_PAGE);
    m.physical = false;
    judge(true);
    assert_true(verdict.stop_own);
    assert_int_equal(verdict.stop, 0);
    judge(false);
    assert_non_null(verdict.panic);
}

static void test_corrupt_and_placed(void **state)
{
    (void)state;
    one_bank(HARMFUL | ADDRESS | CORRUPT, BETA_PAGE);
    judge(true);
    assert_null(verdict.panic);
    assert_true(verdict.stop_own);
    assert_int_equal(verdict.stop, BIT(1));
    judge(false);
    assert_non_null(verdict.panic);
}

static void test_no_return(void **state)
{
    (void)state;
    one_bank(0, 0);
    m.global = 0;
    judge(true);
    assert_true(verdict.stop_own);
    assert_null(verdict.panic);
    judge(false);
    assert_non_null(verdict.panic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_ours),           cmocka_unit_test(test_by_address),
        cmocka_unit_test(test_without_place),      cmocka_unit_test(test_no_return),
        cmocka_unit_test(test_corrupt_and_placed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
