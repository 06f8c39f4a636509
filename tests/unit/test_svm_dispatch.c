// SPDX-License-Identifier: Apache-2.0
// What AMD-V's exits come to: every intercept that is on has a case that does what the sensitive-
// instruction table says, and one that is off would be noticed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/virt/exception_intercepts.h"
#include "tests/unit/fake_exits.h"

// The static functions under test, and with them what belongs to that file alone.
#include "arch/svm/exit.c"

struct svm_features svm_features = {.next_rip = true};

static struct vcpu vcpu;
static struct vmcb vmcb;
static struct guest_regs regs;
static unsigned injected;

void svm_inject(struct vcpu *v, const struct guest_exception *e, bool has_error_code)
{
    assert_ptr_equal(v, &vcpu);
    assert_int_equal(has_error_code, e->vector == EXCEPTION_AC);
    injected = e->vector;
    fake_called = "inject";
}

void svm_end_instruction(struct vmcb *c, bool repeats, uint64_t hits)
{
    (void)c, (void)repeats, (void)hits;
}

void svm_complete(struct vcpu *v, uint64_t rip, uint64_t rflags, uint64_t hits)
{
    assert_ptr_equal(v, &vcpu);
    (void)rflags, (void)hits;
    vmcb.save.rip = rip;
}

void svm_nmi_open(void) {}

void svm_nmi_close(void) {}

void svm_nmi_iret(struct vcpu *v)
{
    (void)v;
    fake_called = "iret";
}

bool svm_nmi_step(struct vcpu *v)
{
    (void)v;
    return false;
}

#define HERE  0x1000
#define THERE 0x1003

static void exit_with(uint64_t code)
{
    vcpu = (struct vcpu){0};
    vmcb = (struct vmcb){0};
    vmcb.control.exit_code = code;
    vmcb.control.next_rip = vmcb.control.exit_info2 = THERE;
    vmcb.save.rip = HERE;
    injected = 0;
    fake_called = NULL;
    dispatch(&vcpu, &vmcb, &regs);
}

// Exit codes follow the order of the intercept bits (APM volume 2, appendix C).
static uint64_t code_of(enum svm_word word, unsigned bit)
{
    static const uint32_t first[SVM_WORD_COUNT] = {
        [SVM_MISC1] = 0x60, [SVM_MISC2] = 0x80, [SVM_MISC3] = 0xa0};
    return first[word] + bit;
}

static unsigned rows_seen;

static void row_is_done(const struct sensitive_row *row)
{
    for (unsigned i = 0; i < MAX_REFS; i++) {
        const struct ref *r = &row->svm.by[i];
        if (r->kind != REF_SVM_ON || r->word < SVM_MISC1 || r->word > SVM_MISC3) {
            continue;
        }
        for (uint64_t left = r->mask; left != 0; left &= left - 1) {
            // One that HLT and the like rest on is not their own.
            if (row->svm.how == EXITS || row->svm.how == UNLESS) {
                exit_with(code_of((enum svm_word)r->word, (unsigned)__builtin_ctzll(left)));
                expect_what_row_says(row, vmcb.save.rip == THERE);
                rows_seen++;
            }
        }
    }
}

static void rows_are_done(void **state)
{
    (void)state;
    unsigned count;
    const struct sensitive_group *const *groups = sensitive_groups(&count);
    rows_seen = 0;
    for (unsigned g = 0; g < count; g++) {
        for (unsigned i = 0; i < groups[g]->count; i++) {
            row_is_done(&groups[g]->rows[i]);
        }
    }
    assert_true(rows_seen > 25);
}

static void each_intercept_has_a_case(void **state)
{
    (void)state;
    unsigned count, on = 0, off = 0;
    const struct svm_control_rule *rules = svm_control_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        if (rules[i].word < SVM_MISC1 || rules[i].word > SVM_MISC3) {
            continue;
        }
        for (uint32_t left = rules[i].mask; left != 0; left &= left - 1) {
            unsigned bit = (unsigned)__builtin_ctz(left);
            bool trap = rules[i].word == SVM_MISC2 && bit > 14;
            if (trap || left == INTERCEPT_MWAIT_ARMED) {
                continue; // have no code of their own, or one that MWAIT's intercept uses too
            }
            exit_with(code_of(rules[i].word, bit));
            bool asked = fake_called == NULL || strstr(fake_called, "not asked for") == NULL;
            assert_int_equal(asked, rules[i].kind != SVM_OFF);
            on += asked;
            off += !asked;
        }
    }
    assert_true(on > 20 && off > 20);
}

static void exceptions_are_given_back(void **state)
{
    (void)state;
    for (unsigned vector = 0; vector < 32; vector++) {
        exit_with(EXIT_EXCEPTION_FIRST + vector);
        bool given = vector == EXCEPTION_DB || vector == EXCEPTION_AC;
        assert_int_equal(injected, given ? vector : 0);
        assert_int_equal(vmcb.save.rip, HERE);
    }
}

static void fpu_error(void **state)
{
    (void)state;
    exit_with(EXIT_FERR_FREEZE);
    assert_int_equal(injected, EXCEPTION_MF);
    assert_int_equal(vmcb.save.rip, HERE); // #MF is reported before the waiting instruction
}

static void an_end(void **state)
{
    (void)state;
    exit_with(EXIT_SHUTDOWN);
    assert_string_equal(fake_called, "end");
    exit_with(EXIT_INIT);
    assert_null(fake_called);
    exit_with(EXIT_INVALID);
    assert_non_null(strstr(fake_called, "VMRUN refuses"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_done),
        cmocka_unit_test(each_intercept_has_a_case),
        cmocka_unit_test(exceptions_are_given_back),
        cmocka_unit_test(fpu_error),
        cmocka_unit_test(an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
