// SPDX-License-Identifier: Apache-2.0
// The choice of VT-x controls: for every row of the table, a processor that has it, lacks it, or
// forces it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/vmx/controls.h"
#include "arch/vmx/vmcs.h"
#include "arch/vmx/xcr0.h"

#define ALLOWED(bits) ((uint64_t)(bits) << 32)

// The default1 class (SDM vol. 3, appendix A.2 to A.5) as the TRUE MSRs give it.
static const uint32_t default1[WORD_COUNT] = {
    [WORD_PIN] = 0x16, [WORD_PROC] = 0x04006172, [WORD_EXIT] = 0x36dfb, [WORD_ENTRY] = 0x11fb};

// A processor that can do everything either way.
static struct vmx_capabilities able(void)
{
    struct vmx_capabilities c = {
        .basic = 6ull << 50 | BIT(55) | 42,
        .ept_vpid = EPT_CAP_WALK_4 | EPT_CAP_WRITE_BACK | EPT_CAP_2M | EPT_CAP_1G | EPT_CAP_INVEPT |
                    EPT_CAP_ACCESSED_DIRTY | EPT_CAP_INVEPT_ALL | EPT_CAP_INVVPID |
                    EPT_CAP_INVVPID_ALL,
    };
    for (unsigned w = 0; w < WORD_COUNT; w++) {
        c.word[w] = ALLOWED(0xffffffffu) | default1[w];
    }
    return c;
}

static char why[2000];

static enum status decide(const struct vmx_capabilities *c, struct vmx_controls *out)
{
    memset(why, 0, sizeof(why));
    return vmx_controls_decide(c, out, why, sizeof(why));
}

static void test_table(void **state)
{
    (void)state;
    unsigned count;
    const struct vmx_control_rule *r = vmx_control_rules(&count);
    uint32_t seen[WORD_COUNT] = {0};
    for (unsigned i = 0; i < count; i++) {
        assert_int_not_equal(r[i].mask, 0);
        assert_int_equal(r[i].mask >> 32, 0);
        assert_int_equal(seen[r[i].word] & (uint32_t)r[i].mask, 0);
        seen[r[i].word] |= (uint32_t)r[i].mask;
        assert_true(strlen(r[i].reason) > 3 && strlen(r[i].name) > 2);
        if (r[i].kind != RULE_ONE) {
            assert_int_equal(__builtin_popcountll(r[i].mask), 1);
        }
    }
}

static void test_able_processor(void **state)
{
    (void)state;
    struct vmx_capabilities c = able();
    struct vmx_controls out;
    assert_int_equal(decide(&c, &out), STATUS_OK);
    unsigned count;
    const struct vmx_control_rule *r = vmx_control_rules(&count);
    uint32_t expected[WORD_COUNT] = {0};
    for (unsigned i = 0; i < count; i++) {
        if (r[i].kind != RULE_OFF && r[i].kind != RULE_FREE && r[i].kind != RULE_MAY) {
            expected[r[i].word] |= (uint32_t)r[i].mask;
        }
    }
    assert_memory_equal(out.word, expected, sizeof(expected));
    assert_true(out.vpid && out.ept_1g && out.ept_2m && out.ept_accessed_dirty);
    assert_true(out.preemption);
    // What the interface promises, in plain numbers.
    assert_int_equal(out.word[WORD_PIN], 0x16 | 1 << 3 | 1 << 5);
    assert_int_equal(out.word[WORD_PROC] & (1 << 7 | 1 << 15 | 1 << 16 | 1 << 19), 0);
    assert_int_equal(out.word[WORD_PROC2],
                     0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x1000 | 0x8000 | 0x100000 | 0x10000000);
}

static void test_each_row(void **state)
{
    (void)state;
    unsigned count;
    const struct vmx_control_rule *r = vmx_control_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        struct vmx_controls out;
        struct vmx_capabilities lacks = able();
        lacks.word[r[i].word] &= ~(ALLOWED(r[i].mask) | r[i].mask);
        struct vmx_capabilities forces = able();
        forces.word[r[i].word] |= r[i].mask;
        enum status without = decide(&lacks, &out);
        bool clear = (out.word[r[i].word] & (uint32_t)r[i].mask) == 0;
        bool named = strstr(why, r[i].name) != NULL;
        switch (r[i].kind) {
        case RULE_ON:
        case RULE_FREE:
            assert_int_equal(without, ERR_UNSUPPORTED);
            assert_true(named);
            break;
        default:
            assert_int_equal(without, STATUS_OK);
            assert_true(clear);
            break;
        }
        enum status with = decide(&forces, &out);
        named = strstr(why, r[i].name) != NULL;
        if (r[i].kind == RULE_OFF || r[i].kind == RULE_FREE || r[i].kind == RULE_MAY) {
            assert_int_equal(with, ERR_UNSUPPORTED);
            assert_true(named);
        } else {
            assert_int_equal(with, STATUS_OK);
        }
    }
}

static void test_unknown_bits(void **state)
{
    (void)state;
    unsigned count;
    const struct vmx_control_rule *r = vmx_control_rules(&count);
    unsigned unknown = 0;
    for (unsigned w = 0; w < WORD_COUNT; w++) {
        uint32_t known = 0;
        for (unsigned i = 0; i < count; i++) {
            known |= r[i].word == (enum vmx_word)w ? (uint32_t)r[i].mask : 0;
        }
        for (unsigned bit = 0; bit < 32; bit++) {
            if (known >> bit & 1) {
                continue;
            }
            unknown++;
            struct vmx_capabilities c = able();
            struct vmx_controls out;
            c.word[w] |= BIT(bit);
            char text[32];
            snprintf(text, sizeof(text), "bit %u", bit);
            assert_int_equal(decide(&c, &out), ERR_UNSUPPORTED);
            assert_non_null(strstr(why, text));
            // Able but not forced: left off.
            c = able();
            assert_int_equal(decide(&c, &out), STATUS_OK);
            assert_int_equal(out.word[w] >> bit & 1, 0);
        }
    }
    assert_true(unknown > 40);
}

static void test_without_ept(void **state)
{
    (void)state;
    struct vmx_capabilities c = able();
    struct vmx_controls out;
    // No secondary controls at all, as on the first processors with VT-x.
    c.word[WORD_PROC] &= ~ALLOWED(PROC_SECONDARY);
    c.word[WORD_PROC2] = 0;
    c.ept_vpid = 0;
    assert_int_equal(decide(&c, &out), ERR_UNSUPPORTED);
    assert_non_null(strstr(why, "no EPT, no unrestricted guest"));
    assert_null(strstr(why, "INVEPT"));
}

static void test_ept_needs(void **state)
{
    (void)state;
    static const struct {
        uint64_t mask;
        bool needed;
        const char *name;
    } rows[] = {
        {EPT_CAP_WALK_4, true, "4 levels"},
        {EPT_CAP_WRITE_BACK, true, "write-back"},
        {EPT_CAP_INVEPT, true, "INVEPT"},
        {EPT_CAP_INVEPT_ALL, true, "INVEPT of all"},
        {EPT_CAP_2M, false, NULL},
        {EPT_CAP_1G, false, NULL},
        {EPT_CAP_ACCESSED_DIRTY, false, NULL},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct vmx_capabilities c = able();
        struct vmx_controls out;
        c.ept_vpid &= ~rows[i].mask;
        enum status s = decide(&c, &out);
        assert_int_equal(s, rows[i].needed ? ERR_UNSUPPORTED : STATUS_OK);
        if (rows[i].needed) {
            assert_non_null(strstr(why, rows[i].name));
            continue;
        }
        assert_int_equal(out.ept_2m, rows[i].mask != EPT_CAP_2M);
        assert_int_equal(out.ept_1g, rows[i].mask != EPT_CAP_1G);
        assert_int_equal(out.ept_accessed_dirty, rows[i].mask != EPT_CAP_ACCESSED_DIRTY);
    }
}

static void test_vpid_needs_a_flush(void **state)
{
    (void)state;
    static const uint64_t flushes[] = {EPT_CAP_INVVPID, EPT_CAP_INVVPID_ALL};
    for (unsigned i = 0; i < ARRAY_SIZE(flushes); i++) {
        struct vmx_capabilities c = able();
        struct vmx_controls out;
        c.ept_vpid &= ~flushes[i];
        assert_int_equal(decide(&c, &out), STATUS_OK);
        assert_false(out.vpid);
        assert_int_equal(out.word[WORD_PROC2] & PROC2_VPID, 0);
    }
}

static void test_vmcs_memory(void **state)
{
    (void)state;
    struct vmx_controls out;
    struct vmx_capabilities c = able();
    c.basic &= ~(15ull << 50); // uncacheable
    assert_int_equal(decide(&c, &out), ERR_UNSUPPORTED);
    c = able();
    c.basic |= BIT(48);
    assert_int_equal(decide(&c, &out), ERR_UNSUPPORTED);
    assert_non_null(strstr(why, "VMCS"));
}

static void test_short_message(void **state)
{
    (void)state;
    struct vmx_capabilities c = {0};
    struct vmx_controls out;
    for (size_t size = 1; size < 300; size++) {
        char *text = test_malloc(size);
        memset(text, 'x', size);
        assert_int_equal(vmx_controls_decide(&c, &out, text, size), ERR_UNSUPPORTED);
        assert_true(memchr(text, '\0', size) != NULL);
        test_free(text);
    }
}

static void test_feature_control(void **state)
{
    (void)state;
    assert_false(vmx_locked_off(0)); // unlocked: ours to set
    assert_false(vmx_locked_off(4));
    assert_false(vmx_locked_off(5));
    assert_false(vmx_locked_off(7));
    assert_true(vmx_locked_off(1));
    assert_true(vmx_locked_off(3)); // inside SMX only
}

// One that can do less than the boot CPU, in words and beside them.
static void test_differ(void **state)
{
    (void)state;
    struct vmx_capabilities c = able();
    struct vmx_controls first, out;
    assert_int_equal(decide(&c, &first), STATUS_OK);
    out = first;
    assert_false(vmx_controls_differ(&out, &first, why, sizeof(why)));
    out.word[WORD_PROC2] &= ~(uint32_t)PROC2_XSAVES;
    out.vpid = false;
    out.ept_1g = false;
    assert_true(vmx_controls_differ(&out, &first, why, sizeof(why)));
    assert_non_null(strstr(why, "second processor-based controls 0x"));
    assert_non_null(strstr(why, ", VPID, EPT"));
    assert_null(strstr(why, "pin-based"));
}

static void test_xcr0(void **state)
{
    (void)state;
    const uint64_t avx512 = 0xe7;
    assert_true(xcr0_valid(1, avx512));
    assert_true(xcr0_valid(3, avx512));
    assert_true(xcr0_valid(7, avx512));
    assert_true(xcr0_valid(0xe7, avx512));
    assert_false(xcr0_valid(0, avx512));     // without x87
    assert_false(xcr0_valid(5, avx512));     // AVX without SSE
    assert_false(xcr0_valid(0xe3, avx512));  // AVX-512 without AVX
    assert_false(xcr0_valid(0x67, avx512));  // a part of AVX-512
    assert_false(xcr0_valid(0x207, avx512)); // not shown
    assert_true(xcr0_valid(0x207, avx512 | 0x200));
    assert_false(xcr0_valid(0xb, ~0ull)); // half of MPX
    assert_true(xcr0_valid(0x1b, ~0ull));
    assert_false(xcr0_valid(BIT(17) | 3, ~0ull)); // half of AMX
    assert_false(xcr0_valid(1, 0));               // no XSAVE at all
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),           cmocka_unit_test(test_able_processor),
        cmocka_unit_test(test_each_row),        cmocka_unit_test(test_unknown_bits),
        cmocka_unit_test(test_without_ept),     cmocka_unit_test(test_ept_needs),
        cmocka_unit_test(test_vmcs_memory),     cmocka_unit_test(test_vpid_needs_a_flush),
        cmocka_unit_test(test_short_message),   cmocka_unit_test(test_xcr0),
        cmocka_unit_test(test_feature_control), cmocka_unit_test(test_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
