// SPDX-License-Identifier: Apache-2.0
// The MSR table and the maps built from it, by exhaustion over every MSR that a map can speak of.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/msr.h"
#include "hv/interrupt/vapic.h"
#include "hv/policy/cpuid_policy.h"
#include "hv/policy/msr_policy.h"

static uint8_t svm[2][8192]; // [x2apic_mode]
static uint8_t vmx[2][4096];

// The maps as a processor reads them: a second reading of the manuals. True: exit.
static bool svm_exits(const uint8_t *map, uint32_t msr, bool write)
{
    uint32_t byte;
    if (msr <= 0x1fff) {
        byte = 0x000 + msr / 4;
    } else if (msr >= 0xc0000000 && msr <= 0xc0001fff) {
        byte = 0x800 + (msr & 0x1fff) / 4;
    } else if (msr >= 0xc0010000 && msr <= 0xc0011fff) {
        byte = 0x1000 + (msr & 0x1fff) / 4;
    } else {
        return true;
    }
    return (map[byte] >> (msr % 4 * 2 + (write ? 1 : 0)) & 1) != 0;
}

static bool vmx_exits(const uint8_t *map, uint32_t msr, bool write)
{
    uint32_t byte = write ? 2048 : 0;
    if (msr >= 0xc0000000 && msr <= 0xc0001fff) {
        byte += 1024 + (msr & 0x1fff) / 8;
    } else if (msr <= 0x1fff) {
        byte += msr / 8;
    } else {
        return true;
    }
    return (map[byte] >> msr % 8 & 1) != 0;
}

static int build(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        memset(svm[mode], 0, sizeof(svm[mode]));
        memset(vmx[mode], 0, sizeof(vmx[mode]));
        msr_policy_build_svm(svm[mode], mode == 1);
        msr_policy_build_vmx(vmx[mode], mode == 1);
    }
    return 0;
}

static bool may_pass(uint32_t msr, bool write, bool x2apic_mode)
{
    const struct msr_rule *rule = msr_policy_find(msr);
    if (msr >= 0x800 && msr <= 0x8ff) {
        return x2apic_mode && vapic_msr_passes(msr, write);
    }
    return (write ? rule->write : rule->read) == MSR_PASS;
}

// Each MSR of each range: the bits say exactly what the rows say.
static void maps_follow_the_table(void **state)
{
    (void)state;
    static const uint32_t bases[] = {0, 0xc0000000, 0xc0010000};
    unsigned passes = 0;
    for (unsigned mode = 0; mode < 2; mode++) {
        for (unsigned range = 0; range < 3; range++) {
            for (uint32_t msr = bases[range]; msr < bases[range] + 0x2000; msr++) {
                for (unsigned write = 0; write < 2; write++) {
                    bool pass = may_pass(msr, write, mode == 1);
                    assert_int_equal(svm_exits(svm[mode], msr, write), !pass);
                    assert_int_equal(vmx_exits(vmx[mode], msr, write), !pass || range == 2);
                    passes += pass;
                    if (pass) { // and has a row of its own that gives a reason
                        const struct msr_rule *rule = msr_policy_find(msr);
                        assert_true(rule->first <= msr && msr <= rule->last);
                        assert_true(rule->last - rule->first < 0x100);
                        assert_int_not_equal(rule->reason[0], 0);
                    }
                }
            }
        }
    }
    assert_true(passes > 60);
}

static void the_rest_of_the_map_is_ones(void **state)
{
    (void)state;
    for (unsigned i = 0x1800; i < 0x2000; i++) {
        assert_int_equal(svm[0][i], 0xff);
        assert_int_equal(svm[1][i], 0xff);
    }
}

static void every_pass_is_in_a_map(void **state)
{
    (void)state;
    unsigned count;
    const struct msr_rule *rules = msr_policy_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        for (uint32_t msr = rules[i].first; msr <= rules[i].last; msr++) {
            if (rules[i].read == MSR_PASS) {
                assert_false(svm_exits(svm[0], msr, false));
            }
            if (rules[i].write == MSR_PASS) {
                assert_false(svm_exits(svm[0], msr, true));
            }
        }
    }
}

static void rows_are_sorted_and_whole(void **state)
{
    (void)state;
    unsigned count;
    const struct msr_rule *rules = msr_policy_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        const struct msr_rule *r = &rules[i];
        assert_true(r->first <= r->last);
        assert_true(i == 0 || rules[i - 1].last < r->first);
        assert_true(r->name != NULL && r->name[0] != 0);
        assert_true(r->reason != NULL && r->reason[0] != 0);
        assert_int_not_equal(r->read, MSR_IGNORE);
        assert_true(r->write != MSR_VALUE || r->read == MSR_VALUE);
        assert_true(r->read == MSR_VALUE || r->value == 0);
        assert_ptr_equal(msr_policy_find(r->first), r);
        assert_ptr_equal(msr_policy_find(r->last), r);
    }
}

static void no_row_means_denied(void **state)
{
    (void)state;
    static const uint32_t unknown[] = {0x2,        0x9,        0x1fff,     0x2000,     0x40000000,
                                       0x4b564d00, 0x4b564d01, 0x4ff,      0xc000007f, 0xc0000105,
                                       0xc0002000, 0xc001ffff, 0xffffffff, 0x1a1,      0x800000ff};
    for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
        const struct msr_rule *rule = msr_policy_find(unknown[i]);
        assert_int_equal(rule->read, MSR_DENY);
        assert_int_equal(rule->write, MSR_DENY);
        assert_true(svm_exits(svm[1], unknown[i], false) && svm_exits(svm[1], unknown[i], true));
    }
}

// The MSRs that were left open elsewhere, and what else breaks the walls, by number.
static void never_passes(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, last;
    } closed[] = {
        {0x1b, 0x1b},             // IA32_APIC_BASE
        {0x3a, 0x3b},             // FEATURE_CONTROL, TSC_ADJUST
        {0x79, 0x79},             // microcode
        {0xc1, 0xe8},             // counters
        {0x186, 0x199},           // event selects, P-states
        {0x1a0, 0x1a4},           // MISC_ENABLE, prefetchers
        {0x1d9, 0x1de},           // DEBUGCTL, branch records
        {0x200, 0x276},           // MTRRs
        {0x2ff, 0x2ff},           // MTRRdefType
        {0x400, 0x4ff},           // machine-check banks, VMX
        {0x560, 0x600},           // processor trace, DS area
        {0xda0, 0xda0},           // XSS
        {0xc0000080, 0xc0000080}, // EFER
        {0xc0000104, 0xc0000104}, // TSC ratio
        {0xc0010000, 0xc001001f}, // counters, SYSCFG, HWCR, IORRs, TOP_MEM
        {0xc0010050, 0xc001006b}, // SMI triggers, P-states
        {0xc0010111, 0xc001011f}, // SMM, VM_CR, VM_HSAVE_PA, SVM_KEY, doorbell
        {0xc0010130, 0xc001013f}, // SEV
        {0xc0011020, 0xc0011026}, // core configuration
        {0xc0011029, 0xc001103f}, // DE_CFG, IBS
    };
    for (unsigned i = 0; i < ARRAY_SIZE(closed); i++) {
        for (uint32_t msr = closed[i].first; msr <= closed[i].last; msr++) {
            for (unsigned mode = 0; mode < 2; mode++) {
                assert_true(svm_exits(svm[mode], msr, false));
                assert_true(svm_exits(svm[mode], msr, true));
                assert_true(vmx_exits(vmx[mode], msr, false));
                assert_true(vmx_exits(vmx[mode], msr, true));
            }
        }
    }
    assert_true(svm_exits(svm[1], 0x10, true)); // the TSC may be read only
    assert_false(svm_exits(svm[1], 0x10, false));
}

static void x2apic_registers(void **state)
{
    (void)state;
    for (uint32_t msr = 0x800; msr <= 0x8ff; msr++) {
        assert_true(svm_exits(svm[0], msr, false) && svm_exits(svm[0], msr, true));
        assert_true(vmx_exits(vmx[0], msr, false) && vmx_exits(vmx[0], msr, true));
    }
    // ICR, ID, LDR and the entries with a delivery mode are checked; the hot ones pass.
    static const uint32_t checked[] = {0x82f, 0x830, 0x833, 0x834, 0x835, 0x836, 0x837};
    for (unsigned i = 0; i < ARRAY_SIZE(checked); i++) {
        assert_true(svm_exits(svm[1], checked[i], true));
        assert_true(vmx_exits(vmx[1], checked[i], true));
    }
    assert_true(svm_exits(svm[1], 0x802, false) && svm_exits(svm[1], 0x80d, false));
    static const uint32_t hot[] = {0x808, 0x80b, 0x832, 0x838, 0x83f};
    for (unsigned i = 0; i < ARRAY_SIZE(hot); i++) {
        assert_false(svm_exits(svm[1], hot[i], true));
        assert_false(vmx_exits(vmx[1], hot[i], true));
    }
}

// ---- what a guest meets that does what CPUID says
// ------------------------------------------------

// A machine that has everything.
void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    (void)subleaf;
    memset(out, 0xff, 4 * sizeof(*out));
    if (leaf == CPUID_VENDOR) {
        out[CPUID_EBX] = CPUID_AMD_EBX;
    }
}

static bool any_guest_sees(const struct msr_gate *g)
{
    static struct cpuid_table table;
    cpuid_build(&table, &(struct cpuid_params){
                            .vcpu_count = 2, .tsc_khz = 1, .apic_khz = 1, .offer_x2apic = true});
    uint32_t out[4];
    const struct cpuid_entry *e = cpuid_find(&table, g->number, g->subleaf);
    cpuid_patch(e, g->subleaf, ~0ull, true, out);
    return (out[g->reg] & g->mask) != 0;
}

// A row that denies says why no guest meets its #GP unguarded, and the reason holds.
static void each_denied_row_says_why_it_is_not_met(void **state)
{
    (void)state;
    unsigned count, denied = 0;
    const struct msr_rule *rules = msr_policy_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        const struct msr_rule *r = &rules[i];
        const struct msr_gate *g = &r->gate;
        bool denies = r->read == MSR_DENY || r->write == MSR_DENY;
        if ((g->guard == MSR_OPEN) == denies) {
            fail_msg("%s: %s", r->name, denies ? "denies without a gate" : "a gate for nothing");
        }
        if (g->guard == MSR_CPUID && (g->mask == 0 || any_guest_sees(g))) {
            fail_msg("%s: a guest sees the CPUID bits that announce it", r->name);
        }
        if (g->guard == MSR_BY_MSR) {
            const struct msr_rule *by = msr_policy_find(g->number);
            assert_int_equal(by->read, MSR_VALUE);
            assert_true(g->mask != 0 && (by->value & g->mask) == 0);
        }
        if (g->guard == MSR_ONE_WAY) { // one way is denied, the other is not
            assert_true((r->read == MSR_DENY) != (r->write == MSR_DENY));
        }
        if (g->guard == MSR_BARE) {
            const struct msr_gate shown = {MSR_CPUID, CPUID_ECX, 0, CPUID_FEATURES,
                                           CPUID_1_ECX_HYPERVISOR};
            assert_true(any_guest_sees(&shown));
        }
        denied += denies;
    }
    assert_true(denied > 30);
}

enum { R = 1, W = 2 };

// What systems touch without a handler for #GP, and not because a bit of CPUID said so.
static void what_systems_touch_unguarded(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, last;
        unsigned ways;
    } touched[] = {
        // Linux 6.1 and 6.12
        {0x17, 0x17, R},
        {0x8b, 0x8b, R | W},
        {0xcd, 0xce, R},
        {0xfe, 0xfe, R},
        {0x179, 0x179, R},
        {0x17a, 0x17a, R | W},
        {0x1a0, 0x1a0, R | W},
        {0x1d9, 0x1d9, R | W},
        {0x277, 0x277, R | W},
        {0x2ff, 0x2ff, R | W},
        {0xc0000080, 0xc0000084, R | W},
        {0xc0000100, 0xc0000103, R | W},
        {0xc0010010, 0xc0010010, R},
        {0xc0010015, 0xc0010015, R | W},
        {0xc001001f, 0xc001001f, R | W},
        {0xc0010055, 0xc0010055, R},
        {0xc0010058, 0xc0010058, R | W},
        {0xc0010140, 0xc0010141, R},
        {0xc0011029, 0xc0011029, R | W},
        // kvm-unit-tests' start code on AMD, and the same registers on Intel
        {0xc0010000, 0xc0010007, R | W},
        {0xc1, 0xc2, R | W},
        {0x186, 0x187, R | W},
        // NetBSD
        {0x250, 0x250, R | W},
        {0x258, 0x259, R | W},
        {0x268, 0x26f, R | W},
        // Windows, older systems: what other hypervisors give for them
        {0x0, 0x1, R},
        {0x2a, 0x2a, R},
        {0x2c, 0x2c, R},
        {0x34, 0x34, R},
        {0x4e, 0x4e, R},
        {0x11e, 0x11e, R},
        {0x198, 0x199, R},
        {0x1db, 0x1de, R},
        {0x606, 0x606, R},
        {0x611, 0x611, R},
        {0x619, 0x619, R},
        {0x639, 0x639, R},
        {0x641, 0x641, R},
        {0xc0010112, 0xc0010113, R},
        {0xc0011022, 0xc0011023, R | W},
        {0xc001102a, 0xc001102a, R | W},
        {0xc001102c, 0xc001102c, R | W},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(touched); i++) {
        for (uint32_t msr = touched[i].first; msr <= touched[i].last; msr++) {
            const struct msr_rule *r = msr_policy_find(msr);
            if (((touched[i].ways & R) && r->read == MSR_DENY) ||
                ((touched[i].ways & W) && r->write == MSR_DENY)) {
                fail_msg("MSR 0x%x gives #GP", msr);
            }
        }
    }
}

static void values(void **state)
{
    (void)state;
    assert_int_equal(msr_policy_find(0x2ff)->value, 0x806);    // MTRRs on, write-back
    assert_int_equal(msr_policy_find(0xfe)->value & 0x1ff, 0); // no ranges of either kind
    assert_int_equal(msr_policy_find(0x26f)->value, 0x0606060606060606);
    assert_int_equal(msr_policy_find(0x179)->value, 0); // no banks
    assert_int_equal(msr_policy_find(0x4e)->value, 1);  // PPIN: locked, disabled
    assert_int_equal(msr_policy_find(0xc0010015)->value, 1u << 24);
    assert_int_equal(msr_policy_find(0x2ff)->write, MSR_IGNORE);
    assert_int_equal(msr_policy_find(0xda0)->write, MSR_VALUE); // 0 may be written, nothing else
    for (uint32_t msr = 0xc0010000; msr <= 0xc0010007; msr++) {
        assert_int_equal(msr_policy_find(msr)->read, MSR_VALUE);
        assert_int_equal(msr_policy_find(msr)->value, 0);
        assert_int_equal(msr_policy_find(msr)->write, MSR_IGNORE);
    }
    // Linux believes of LS_CFG that it can set what it can read.
    assert_int_equal(msr_policy_find(0xc0011020)->read, MSR_DENY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_follow_the_table),
        cmocka_unit_test(the_rest_of_the_map_is_ones),
        cmocka_unit_test(every_pass_is_in_a_map),
        cmocka_unit_test(rows_are_sorted_and_whole),
        cmocka_unit_test(no_row_means_denied),
        cmocka_unit_test(never_passes),
        cmocka_unit_test(x2apic_registers),
        cmocka_unit_test(each_denied_row_says_why_it_is_not_met),
        cmocka_unit_test(what_systems_touch_unguarded),
        cmocka_unit_test(values),
    };
    return cmocka_run_group_tests(tests, build, NULL);
}
