// SPDX-License-Identifier: Apache-2.0
// The sensitive-instruction table: every claim that it makes holds in the hypervisor's own tables,
// and no control, intercept or instruction of those is missing from it.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/virt/exception_intercepts.h"
#include "arch/vmx/cr_rules.h"
#include "docs/tables/insn_names.h"
#include "docs/tables/sensitive.h"
#include "hv/emulate/decode.h"

// A host that has every bit.
void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    (void)subleaf;
    memset(out, 0xff, 16);
    out[CPUID_EBX] = leaf == 0 ? CPUID_INTEL_EBX : out[CPUID_EBX];
}

typedef void each_fn(const struct sensitive_row *row);

static unsigned for_each(each_fn *f)
{
    unsigned count, rows = 0;
    const struct sensitive_group *const *groups = sensitive_groups(&count);
    for (unsigned g = 0; g < count; g++) {
        for (unsigned i = 0; i < groups[g]->count; i++, rows++) {
            f(&groups[g]->rows[i]);
        }
    }
    return rows;
}

static bool empty(const char *s)
{
    return s == NULL || strlen(s) < 2;
}

static void part_is_whole(const struct sensitive_row *row, const struct vendor_part *part)
{
    if (part->by[0].kind == REF_NONE && empty(part->note)) {
        fail_msg("%s: neither a control nor a reason", row->id);
    }
    // A claim that it exits rests on a control, or on the processor's own rule.
    if ((part->how == EXITS || part->how == UNLESS) && part->by[0].kind == REF_NONE) {
        fail_msg("%s: exits by nothing", row->id);
    }
    bool ended = false;
    for (unsigned i = 0; i < MAX_REFS; i++) {
        assert_false(ended && part->by[i].kind != REF_NONE);
        ended = part->by[i].kind == REF_NONE;
    }
}

static void row_is_whole(const struct sensitive_row *row)
{
    assert_false(empty(row->id) || empty(row->names) || empty(row->reaches) || empty(row->sees));
    for (const char *c = row->id; *c != '\0'; c++) {
        assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-');
    }
    if (empty(row->test) == empty(row->untested)) {
        fail_msg("%s: has to have a test or a reason, and not both", row->id);
    }
    part_is_whole(row, &row->vmx);
    part_is_whole(row, &row->svm);
}

static void rows_are_whole(void **state)
{
    (void)state;
    assert_true(for_each(row_is_whole) > 120);
}

static const char *seen[512];
static unsigned seen_count;

static void id_is_new(const struct sensitive_row *row)
{
    for (unsigned i = 0; i < seen_count; i++) {
        if (strcmp(seen[i], row->id) == 0) {
            fail_msg("%s: twice", row->id);
        }
    }
    assert_true(seen_count < ARRAY_SIZE(seen));
    seen[seen_count++] = row->id;
}

static void ids_are_unique(void **state)
{
    (void)state;
    seen_count = 0;
    for_each(id_is_new);
}

// Checks of the equivalence guest are looked for under the row's own name.
static void tests_are_its_own(const struct sensitive_row *row)
{
    char own[64];
    snprintf(own, sizeof(own), "insn.%s", row->id);
    const char *at = row->test != NULL ? strstr(row->test, "insn.") : NULL;
    if (at != NULL &&
        (strncmp(at, own, strlen(own)) != 0 || isgraph((unsigned char)at[strlen(own)]))) {
        fail_msg("%s: the test of another row", row->id);
    }
}

static void tests_are_named_for_rows(void **state)
{
    (void)state;
    for_each(tests_are_its_own);
}

static void part_holds(const struct sensitive_row *row, const char *vendor,
                       const struct vendor_part *part)
{
    for (unsigned i = 0; i < MAX_REFS && part->by[i].kind != REF_NONE; i++) {
        if (!ref_holds(&part->by[i])) {
            fail_msg("%s: reference %u of %s is not so", row->id, i, vendor);
        }
    }
}

static void row_holds(const struct sensitive_row *row)
{
    part_holds(row, "VT-x", &row->vmx);
    part_holds(row, "AMD-V", &row->svm);
}

static void references_hold(void **state)
{
    (void)state;
    for_each(row_holds);
}

// The check itself can fail.
static void wrong_references_are_found(void **state)
{
    (void)state;
    static const struct ref wrong[] = {
        {REF_NONE, 0, 0},
        SVM1(INTERCEPT_HLT),
        SVM1(INTERCEPT_CPUID | INTERCEPT_HLT),
        SVM1_OFF(INTERCEPT_CPUID),
        SVM1(0),
        {REF_SVM_ON, SVM_WORD_COUNT, 1},
        PROC(PROC_INVLPG),
        PROC_OFF(PROC_MWAIT),
        PIN(BIT(1)), // reserved
        CAUGHT(EXCEPTION_PF),
        ALWAYS(12), // HLT
        KEPT(0, BIT(0)),
        KEPT(4, BIT(5)),
        PASSED(4, BIT(13)),
        NO_MSR(MSR_STAR),
        NO_MSR(MSR_EFER),
        OWN_MSR(MSR_VM_HSAVE_PA),
        OWN_MSR(MSR_TSC), // a write is ignored
    };
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_false(ref_holds(&wrong[i]));
    }
}

static void every_control_is_named(void **state)
{
    (void)state;
    unsigned count, svm_count;
    const struct vmx_control_rule *vmx = vmx_control_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        bool concerns = vmx[i].word <= WORD_PROC2 && vmx[i].kind != RULE_ONE;
        if (concerns && !sensitive_names_vmx(vmx[i].word, (uint32_t)vmx[i].mask)) {
            fail_msg("VT-x: no row names %s", vmx[i].name);
        }
    }
    const struct svm_control_rule *svm = svm_control_rules(&svm_count);
    for (unsigned i = 0; i < svm_count; i++) {
        for (uint32_t left = svm[i].mask; left != 0; left &= left - 1) {
            bool broad = svm[i].word == SVM_CR || svm[i].word == SVM_DR;
            if (!broad && !sensitive_names_svm(svm[i].word, left & -left)) {
                fail_msg("AMD-V: no row names %s, bit %d", svm[i].name, __builtin_ctz(left));
            }
        }
    }
    const struct exception_intercept *exceptions = exception_intercepts(&count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(sensitive_names_exception(exceptions[i].vector));
    }
}

static void controls_are_whole(void **state)
{
    (void)state;
    unsigned count;
    const struct svm_control_rule *r = svm_control_rules(&count);
    uint32_t known[SVM_WORD_COUNT] = {0};
    for (unsigned i = 0; i < count; i++) {
        assert_int_not_equal(r[i].mask, 0);
        assert_int_equal(known[r[i].word] & r[i].mask, 0);
        known[r[i].word] |= r[i].mask;
        assert_false(empty(r[i].name) || strlen(r[i].reason) < 8);
    }
    // Every intercept bit that the manual defines has a row.
    assert_int_equal(known[SVM_MISC1], 0xffffffff);
    assert_int_equal(known[SVM_MISC2], 0xffffffff);
    assert_int_equal(known[SVM_MISC3], 0x7f);
    // What may never be missing, in plain numbers.
    assert_int_equal(svm_control_word(SVM_MISC1), 0xdc4c800a);
    assert_int_equal(svm_control_word(SVM_MISC2), 0x4e7f);
    assert_int_equal(svm_control_word(SVM_MISC3), 0x11);
    assert_int_equal(svm_control_word(SVM_NESTED), 1);
    assert_int_equal(exception_intercept_mask(), 1u << 1 | 1u << 17 | 1u << 18);
}

static struct cpuid_table cpuid_table;

static void bits_are_hidden(const struct sensitive_row *row)
{
    for (unsigned i = 0; i < MAX_HIDDEN && row->hidden[i].mask != 0; i++) {
        const struct hidden_bits *h = &row->hidden[i];
        uint32_t out[4];
        cpuid_patch(cpuid_find(&cpuid_table, h->leaf, h->subleaf), h->subleaf, ~0ull, true, out);
        if ((out[h->reg] & h->mask) != 0) {
            fail_msg("%s: CPUID 0x%x shows it", row->id, h->leaf);
        }
    }
}

static void hidden_is_hidden(void **state)
{
    (void)state;
    cpuid_build(&cpuid_table,
                &(struct cpuid_params){.vcpu_count = 2, .tsc_khz = 2000000, .offer_x2apic = true});
    for_each(bits_are_hidden);
}

// ---- the decoder's instructions ------------------------------------------------------------

static const char *wanted;
static bool found;

static void look_for_name(const struct sensitive_row *row)
{
    size_t length = strlen(wanted);
    for (const char *c = row->names; *c != '\0'; c++) {
        bool begins = c == row->names || !isalnum((unsigned char)c[-1]);
        if (begins && strncasecmp(c, wanted, length) == 0) {
            // INS and OUTS have a letter of their size, the others end here.
            found |= !isalnum((unsigned char)c[length]) || length > 2;
        }
    }
}

static void decoded_instructions_have_rows(void **state)
{
    (void)state;
    unsigned checked = 0;
    for (enum insn_op op = INSN_INS; op <= INSN_SKINIT; op++, checked++) {
        wanted = insn_name(op);
        if (strncmp(wanted, "mov ", 4) == 0) {
            wanted = strstr(wanted, "cr") != NULL ? "CR0" : "DR";
        }
        found = false;
        for_each(look_for_name);
        if (!found) {
            fail_msg("no row has %s", wanted);
        }
    }
    assert_true(checked > 45);
    wanted = "hltx";
    found = false;
    for_each(look_for_name);
    assert_false(found);
}

static void control_register_masks(void **state)
{
    (void)state;
    assert_int_equal(vmx_cr0_kept(), CR0_NE | CR0_NW | CR0_CD);
    uint64_t passed = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE |
                      CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE |
                      CR4_OSXSAVE | CR4_SMEP | CR4_SMAP | CR4_PKE;
    assert_int_equal(vmx_cr4_kept(), ~passed);
    // No bit has two rows, and each row says why.
    uint64_t bits[5] = {0};
    unsigned count;
    const struct vmx_cr_rule *rules = vmx_cr_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(rules[i].number == 0 || rules[i].number == 4);
        assert_int_equal(bits[rules[i].number] & rules[i].mask, 0);
        bits[rules[i].number] |= rules[i].mask;
        assert_true(rules[i].name[0] != 0 && rules[i].reason[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_register_masks), cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(ids_are_unique),         cmocka_unit_test(tests_are_named_for_rows),
        cmocka_unit_test(references_hold),        cmocka_unit_test(wrong_references_are_found),
        cmocka_unit_test(every_control_is_named), cmocka_unit_test(controls_are_whole),
        cmocka_unit_test(hidden_is_hidden),       cmocka_unit_test(decoded_instructions_have_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
