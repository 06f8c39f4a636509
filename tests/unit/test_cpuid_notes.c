// SPDX-License-Identifier: Apache-2.0
// What the documents say of CPUID beyond its rows, against what a guest's CPUID shows on hosts that
// have every bit and on hosts that have none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "docs/tables/cpuid_notes.h"

static uint32_t host_bits; // of every register
static uint32_t host_vendor;

void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    (void)subleaf;
    for (unsigned i = 0; i < 4; i++) {
        out[i] = host_bits;
    }
    if (leaf == 0 || leaf == CPUID_EXT_BASE) {
        out[CPUID_EAX] = 0xffffffff; // all leaves are there
        out[CPUID_EBX] = host_vendor;
    }
}

struct host {
    uint32_t bits, vendor;
};

static const struct host hosts[] = {
    {0xffffffff, CPUID_INTEL_EBX}, {0xffffffff, 0}, {0, CPUID_INTEL_EBX}, {0, 0}};

static struct cpuid_table table;

static void build_on(const struct host *h)
{
    host_bits = h->bits;
    host_vendor = h->vendor;
    cpuid_build(&table, &(struct cpuid_params){.vcpu_id = 1,
                                               .vcpu_count = 3,
                                               .tsc_khz = 2000000,
                                               .apic_khz = 25000,
                                               .offer_virt_ssbd = h->bits != 0,
                                               .offer_x2apic = h->bits != 0});
}

static uint32_t shown_by_rules(uint32_t leaf, uint32_t subleaf, uint32_t reg)
{
    unsigned count;
    const struct cpuid_rule *r = cpuid_rules(&count);
    uint32_t mask = 0;
    for (unsigned i = 0; i < count; i++) {
        bool here = r[i].leaf == leaf && r[i].first <= subleaf && subleaf <= r[i].last;
        mask |= here && r[i].reg == reg ? r[i].mask : 0;
    }
    return mask;
}

static uint32_t hidden_bits(uint32_t leaf, uint32_t subleaf, uint32_t reg)
{
    unsigned count;
    const struct cpuid_hidden *h = cpuid_hidden(&count);
    uint32_t mask = 0;
    for (unsigned i = 0; i < count; i++) {
        bool here = h[i].leaf == leaf && h[i].subleaf == subleaf && h[i].reg == reg;
        assert_false(here && (mask & h[i].mask) != 0); // twice
        mask |= here ? h[i].mask : 0;
    }
    return mask;
}

static bool is_made(uint32_t leaf, uint32_t reg)
{
    unsigned count;
    const struct cpuid_made *m = cpuid_made(&count);
    for (unsigned i = 0; i < count; i++) {
        if (m[i].leaf == leaf && (m[i].registers >> reg & 1) != 0) {
            return true;
        }
    }
    return false;
}

static uint32_t value(uint32_t leaf, uint32_t subleaf, uint32_t reg)
{
    const struct cpuid_entry *e = cpuid_find(&table, leaf, subleaf);
    const uint32_t out[4] = {e->eax, e->ebx, e->ecx, e->edx};
    return out[reg];
}

static void hidden_bits_read_zero(void **state)
{
    (void)state;
    unsigned count;
    const struct cpuid_hidden *h = cpuid_hidden(&count);
    for (unsigned k = 0; k < ARRAY_SIZE(hosts); k++) {
        build_on(&hosts[k]);
        for (unsigned i = 0; i < count; i++) {
            assert_true(h[i].mask != 0 && strlen(h[i].reason) > 4);
            if ((value(h[i].leaf, h[i].subleaf, h[i].reg) & h[i].mask) != 0) {
                fail_msg("leaf 0x%x subleaf %u register %u: 0x%x is not hidden", h[i].leaf,
                         h[i].subleaf, h[i].reg, h[i].mask);
            }
        }
    }
}

// Does the guest see the bit, on one of the hosts that have it, with all of CR4 on?
static bool seen(const struct cpuid_name *n)
{
    for (unsigned k = 0; k < 2; k++) {
        uint32_t out[4];
        build_on(&hosts[k]);
        cpuid_patch(cpuid_find(&table, n->leaf, n->subleaf), n->subleaf, ~0ull, true, out);
        if ((out[n->reg] & n->mask) != 0) {
            return true;
        }
    }
    return false;
}

// Each bit that has a name is accounted for: shown, made, or hidden with a reason.
static void every_name_is_accounted_for(void **state)
{
    (void)state;
    unsigned count;
    const struct cpuid_name *n = cpuid_names(&count);
    assert_true(count > 250);
    for (unsigned i = 0; i < count; i++) {
        bool shown = (shown_by_rules(n[i].leaf, n[i].subleaf, n[i].reg) & n[i].mask) != 0;
        bool hidden = (hidden_bits(n[i].leaf, n[i].subleaf, n[i].reg) & n[i].mask) != 0;
        bool made = !shown && seen(&n[i]);
        if (shown + hidden + made != 1) {
            fail_msg("leaf 0x%x register %u %s: shown %d, made %d, hidden %d", n[i].leaf, n[i].reg,
                     n[i].name, shown, made, hidden);
        }
    }
}

// A register that is not what the rows leave of the host's is made, and listed as that.
static void what_is_made_is_listed(void **state)
{
    (void)state;
    static const uint32_t bases[] = {0, CPUID_HV_BASE, CPUID_HV_KVM, CPUID_EXT_BASE};
    static const uint32_t counts[] = {CPUID_BASIC_COUNT, CPUID_HV_COUNT, 1, CPUID_EXTENDED_COUNT};
    unsigned made[sizeof(bases) / sizeof(bases[0])][CPUID_EXTENDED_COUNT][4] = {0};
    unsigned differences = 0;
    for (unsigned k = 0; k < ARRAY_SIZE(hosts); k++) {
        build_on(&hosts[k]);
        for (unsigned b = 0; b < ARRAY_SIZE(bases); b++) {
            for (uint32_t i = 0; i < counts[b]; i++) {
                uint32_t leaf = bases[b] + i;
                const struct cpuid_entry *e = cpuid_find(&table, leaf, 0);
                for (unsigned reg = 0; reg < 4; reg++) {
                    uint32_t host[4];
                    host_cpuid(leaf, 0, host);
                    bool differs =
                        value(leaf, 0, reg) != (host[reg] & shown_by_rules(leaf, 0, reg));
                    // At the time of the exit:
                    differs |= reg == CPUID_EBX && (e->flags & CPUID_FLAG_LIVE_EBX) != 0;
                    differs |= reg == CPUID_ECX && leaf == 7;
                    made[b][i][reg] += differs;
                    differences += differs;
                    if (differs && !is_made(leaf, reg)) {
                        fail_msg("leaf 0x%x register %u is made and not listed", leaf, reg);
                    }
                }
            }
        }
    }
    assert_true(differences > 60);
    unsigned count;
    const struct cpuid_made *m = cpuid_made(&count);
    for (unsigned i = 0; i < count; i++) {
        bool found = false;
        for (unsigned b = 0; b < ARRAY_SIZE(bases); b++) {
            for (unsigned reg = 0; reg < 4 && m[i].leaf - bases[b] < counts[b]; reg++) {
                found |= (m[i].registers >> reg & 1) != 0 && made[b][m[i].leaf - bases[b]][reg] > 0;
            }
        }
        if (!found) {
            fail_msg("leaf 0x%x is listed as made and is the host's", m[i].leaf);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_bits_read_zero),
        cmocka_unit_test(every_name_is_accounted_for),
        cmocka_unit_test(what_is_made_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
