// SPDX-License-Identifier: Apache-2.0
// The table of registers after RESET and INIT against the manuals' numbers, which stand here once
// more, and against the MSRs that pass to guests.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/virt/reset_state.h"
#include "hv/policy/msr_policy.h"

// SDM vol. 3, table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT"; APM
// vol. 2, table "Initial Processor State".
static void values_of_the_manuals(void **state)
{
    (void)state;
    static const struct {
        enum reset_id id;
        uint64_t reset;
        uint64_t after_init; // of all ones
    } rows[] = {
        {RESET_RFLAGS, 0x2, 0x2},
        {RESET_CR0, 0x60000010, 0x60000010},
        {RESET_CR2, 0, 0},
        {RESET_CR3, 0, 0},
        {RESET_CR4, 0, 0},
        {RESET_EFER, 0, 0},
        {RESET_CODE_RIGHTS, 0x9b, 0x9b},
        {RESET_DATA_RIGHTS, 0x93, 0x93},
        {RESET_LDTR_RIGHTS, 0x82, 0x82},
        {RESET_TR_RIGHTS, 0x8b, 0x8b},
        {RESET_LIMIT, 0xffff, 0xffff},
        {RESET_SELECTOR, 0, 0},
        {RESET_GENERAL, 0, 0},
        {RESET_DR0, 0, 0},
        {RESET_DR6, 0xffff0ff0, 0xffff0ff0},
        {RESET_DR7, 0x400, 0x400},
        {RESET_FCW, 0x40, ~0ull},
        {RESET_FSW, 0, ~0ull},
        {RESET_FTW, 0x5555, ~0ull},
        {RESET_FPU_POINTERS, 0, ~0ull},
        {RESET_FPU_DATA, 0, ~0ull},
        {RESET_MXCSR, 0x1f80, ~0ull},
        {RESET_VECTORS, 0, ~0ull},
        {RESET_PKRU, 0, ~0ull},
        {RESET_XCR0, 1, ~0ull},
        {RESET_TSC, 0, ~0ull},
        {RESET_PAT, 0x0007040600070406, ~0ull},
        {RESET_VIRT_SPEC_CTRL, 0, ~0ull},
        {RESET_APIC, 0, 0},
    };
    assert_int_equal(ARRAY_SIZE(rows), RESET_NAMED_COUNT);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(rows[i].id, i);
        assert_int_equal(reset_value(rows[i].id), rows[i].reset);
        assert_int_equal(reset_after(rows[i].id, false, 0x123), rows[i].reset);
        assert_int_equal(reset_after(rows[i].id, true, ~0ull), rows[i].after_init);
    }
    // INIT leaves CD and NW as they are, set or not.
    assert_int_equal(reset_after(RESET_CR0, true, 0x80050033), 0x10);
    assert_int_equal(reset_after(RESET_CR0, true, 0xc0050033), 0x40000010);
}

static const struct reset_register *row_of(uint32_t msr)
{
    unsigned count;
    const struct reset_register *r = reset_registers(&count);
    for (unsigned i = 0; i < count; i++) {
        if (r[i].first != 0 && r[i].first <= msr && msr <= r[i].last) {
            return &r[i];
        }
    }
    return NULL;
}

// What a guest writes without an exit would survive a restart, if nobody reset it.
static void each_msr_that_passes_has_a_row(void **state)
{
    (void)state;
    unsigned count, passes = 0;
    const struct msr_rule *rules = msr_policy_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        for (uint32_t msr = rules[i].first; msr <= rules[i].last; msr++) {
            if (rules[i].write == MSR_PASS) {
                if (row_of(msr) == NULL) {
                    fail_msg("MSR 0x%x (%s) passes and is in no row", msr, rules[i].name);
                }
                passes++;
            }
        }
    }
    assert_true(passes >= 20);
    // A command holds nothing; what else nobody resets is read-only for a guest.
    unsigned rows;
    const struct reset_register *r = reset_registers(&rows);
    for (unsigned i = 0; i < rows; i++) {
        if (r[i].place == RESET_BY_NOTHING) {
            const struct msr_rule *rule = msr_policy_find(r[i].first);
            assert_true(rule->read == MSR_DENY || rule->write != MSR_PASS);
        }
    }
}

static void rows_are_whole(void **state)
{
    (void)state;
    unsigned count;
    const struct reset_register *r = reset_registers(&count);
    assert_true(count > RESET_NAMED_COUNT);
    for (unsigned i = 0; i < count; i++) {
        assert_true(r[i].name != NULL && r[i].name[0] != 0);
        assert_true(r[i].first <= r[i].last && (r[i].last == 0 || r[i].first != 0));
        assert_true(r[i].last - r[i].first < 8);
        assert_true(r[i].mask != 0 || r[i].leaf == 0);
        assert_true(i < RESET_NAMED_COUNT || r[i].first != 0);
        // The code that writes MSRs knows only "all kept" and "all changed".
        assert_true(r[i].place != RESET_BY_MSR || r[i].kept == 0 || r[i].kept == ~0ull);
        // An MSR that neither control block holds is nobody's to fill but that code's.
        assert_true(r[i].place != RESET_BY_BACK_END || r[i].first == 0 ||
                    r[i].held == (RESET_IN_VMCB | RESET_IN_VMCS));
    }
    // "All other MSRs": unchanged by INIT. The bases of FS and GS belong to segments.
    for (unsigned i = RESET_NAMED_COUNT; i < count; i++) {
        assert_true(r[i].kept == ~0ull || r[i].first == 0xc0000100 || r[i].first == 0x1d9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_the_manuals),
        cmocka_unit_test(each_msr_that_passes_has_a_row),
        cmocka_unit_test(rows_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
