// SPDX-License-Identifier: Apache-2.0
// Which AMD-V will do: what no emulator can be made to show (switched off by firmware, processors
// that differ) is judged here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/msr.h"
#include "arch/svm/verdict.h"

#define NPT            0x01u
#define NEXT_RIP       0x08u
#define FLUSH_BY_ASID  0x40u
#define DECODE_ASSISTS 0x80u
#define AVIC           0x2000u

static const struct svm_identity good = {.svm = true, .asids = 16, .edx = NPT | NEXT_RIP};
static char why[200];

static enum status judge(const struct svm_identity *cpu, const struct svm_identity *first)
{
    memset(why, 0, sizeof(why));
    return svm_verdict(cpu, first, why, sizeof(why));
}

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(judge(&good, NULL), STATUS_OK);
    assert_int_equal(judge(&good, &good), STATUS_OK);
    struct svm_identity least = {.svm = true, .asids = 2, .edx = NPT};
    assert_int_equal(judge(&least, NULL), STATUS_OK);
}

static void test_absent(void **state)
{
    (void)state;
    struct svm_identity cpu = good;
    cpu.svm = false;
    assert_int_equal(judge(&cpu, NULL), ERR_NOT_FOUND);
    assert_non_null(strstr(why, "no AMD-V"));
}

static void test_off_in_firmware(void **state)
{
    (void)state;
    struct svm_identity cpu = good;
    cpu.vm_cr = VM_CR_SVMDIS;
    assert_int_equal(judge(&cpu, NULL), ERR_UNSUPPORTED);
    assert_non_null(strstr(why, "turned off by the firmware"));
    assert_non_null(strstr(why, "turn on \"SVM mode\""));
    cpu.vm_cr = ~VM_CR_SVMDIS; // the other bits say nothing of it
    assert_int_equal(judge(&cpu, NULL), STATUS_OK);
}

static void test_lacking(void **state)
{
    (void)state;
    struct svm_identity cpu = good;
    cpu.edx = NEXT_RIP | FLUSH_BY_ASID | DECODE_ASSISTS;
    assert_int_equal(judge(&cpu, NULL), ERR_UNSUPPORTED);
    assert_non_null(strstr(why, "no nested paging"));
    cpu = good;
    cpu.asids = 1;
    assert_int_equal(judge(&cpu, NULL), ERR_UNSUPPORTED);
    assert_non_null(strstr(why, "has 1 address space identifiers"));
}

static void test_differing(void **state)
{
    (void)state;
    static const uint32_t used[] = {NEXT_RIP, FLUSH_BY_ASID, DECODE_ASSISTS};
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
        struct svm_identity cpu = good;
        cpu.edx ^= used[i]; // one less, or one more
        assert_int_equal(judge(&cpu, &good), ERR_UNSUPPORTED);
        assert_non_null(strstr(why, "update the firmware"));
        assert_int_equal(judge(&cpu, NULL), STATUS_OK);
    }
    struct svm_identity cpu = good;
    cpu.edx ^= AVIC; // not used, so it may differ
    assert_int_equal(judge(&cpu, &good), STATUS_OK);
}

static void test_features(void **state)
{
    (void)state;
    struct svm_features f = svm_features_of(&good);
    assert_true(f.next_rip);
    assert_false(f.flush_by_asid);
    assert_false(f.decode_assists);
    struct svm_identity cpu = {
        .svm = true, .asids = 2, .edx = NPT | FLUSH_BY_ASID | DECODE_ASSISTS};
    f = svm_features_of(&cpu);
    assert_false(f.next_rip);
    assert_true(f.flush_by_asid);
    assert_true(f.decode_assists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_off_in_firmware),
        cmocka_unit_test(test_lacking),
        cmocka_unit_test(test_differing),
        cmocka_unit_test(test_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
