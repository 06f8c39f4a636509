// SPDX-License-Identifier: Apache-2.0
// What a guest's CPUID shows over fake hosts: an AMD and an Intel CPU, one that has every bit set,
// and one that has nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/policy/cpuid_policy.h"

// ---- hosts --------------------------------------------------------------------------------------

struct leaf {
    uint32_t leaf, subleaf;
    uint32_t out[4];
};

#define AUTH 0x68747541, 0x444d4163, 0x69746e65 // EBX ECX EDX: AuthenticAMD
#define GENU 0x756e6547, 0x6c65746e, 0x49656e69 // GenuineIntel

static const struct leaf amd[] = {
    {0x0, 0, {0xd, AUTH}},
    {0x1, 0, {0x00800f12, 0x07080800, 0x76d83203, 0x178bfbff}},
    {0x6, 0, {0x4, 0, 1, 0}},
    {0x7, 0, {0, 0x219c91a9, 0, 0}},
    {0xd, 0, {0x7, 0x340, 0x340, 0}},
    {0xd, 1, {0xf, 0x340, 0x1800, 0}},
    {0xd, 2, {0x100, 0x240, 0, 0}},
    {0x80000000, 0, {0x8000001f, AUTH}},
    {0x80000001, 0, {0x00800f12, 0x40000000, 0x35c233ff, 0x2fd3fbff}},
    {0x80000002, 0, {0x20444d41, 1, 2, 3}},
    {0x80000006, 0, {1, 2, 0x02006140, 4}},
    {0x80000007, 0, {0, 0x1b, 0, 0x6799}},
    {0x80000008, 0, {0x00003030, 0x1007, 0x400f, 0}},
    {0x8000000a, 0, {1, 0x8000, 0, 0x1bcff}},
    {0x8000001d, 0, {0x00004121, 0x01c0003f, 63, 0}},
    {0x8000001d, 1, {0x00004122, 0x00c0003f, 255, 0}},
    {0x8000001d, 2, {0x00004143, 0x01c0003f, 1023, 2}},
    {0x8000001d, 3, {0x0001c163, 0x03c0003f, 8191, 1}},
    {0x8000001e, 0, {0x7, 0x103, 0x300, 0}},
    {0x8000001f, 0, {0xf, 0x16f, 0xf, 1}},
};

static const struct leaf intel[] = {
    {0x0, 0, {0x16, GENU}},
    {0x1, 0, {0x000506e3, 0x03100800, 0x7ffafbbf, 0xbfebfbff}},
    {0x2, 0, {0x76036301, 0x00f0b5ff, 0, 0x00c30000}},
    {0x4, 0, {0x1c004121, 0x01c0003f, 0x3f, 0}},
    {0x4, 1, {0x1c004122, 0x01c0003f, 0x3f, 0}},
    {0x4, 2, {0x1c004143, 0x00c0003f, 0x3ff, 0}},
    {0x4, 3, {0x1c03c163, 0x03c0003f, 0x1fff, 6}},
    {0x5, 0, {0x40, 0x40, 3, 0x142120}},
    {0x6, 0, {0x27f7, 2, 9, 0}},
    {0x7, 0, {0, 0x029c67af, 0, 0xbc000400}},
    {0xa, 0, {0x07300404, 0, 0, 0x603}},
    {0xb, 0, {1, 2, 0x100, 3}},
    {0xb, 1, {4, 8, 0x201, 3}},
    {0xd, 0, {0x1f, 0x440, 0x440, 0}},
    {0xd, 1, {0xf, 0x3c0, 0x100, 0}},
    {0xd, 2, {0x100, 0x240, 0, 0}},
    {0xd, 3, {0x40, 0x3c0, 0, 0}},
    {0xd, 4, {0x40, 0x400, 0, 0}},
    {0xd, 8, {0x80, 0, 1, 0}},
    {0x14, 0, {1, 0xf, 7, 0}},
    {0x15, 0, {2, 0x11a, 0, 0}},
    {0x16, 0, {0xd48, 0x1068, 0x64, 0}},
    {0x80000000, 0, {0x80000008, 0, 0, 0}},
    {0x80000001, 0, {0, 0, 0x121, 0x2c100800}},
    {0x80000006, 0, {0, 0, 0x01006040, 0}},
    {0x80000007, 0, {0, 0, 0, 0x100}},
    {0x80000008, 0, {0x3927, 0, 0, 0}},
};

static const struct leaf *host;
static unsigned host_count;
static bool all_ones, all_zeros;
static uint32_t ones_vendor; // EBX of leaf 0
static unsigned calls;

void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    calls++;
    if (all_ones) {
        memset(out, 0xff, 16);
        if (leaf == 0) {
            out[1] = ones_vendor;
        }
        return;
    }
    memset(out, 0, 16);
    for (unsigned i = 0; !all_zeros && i < host_count; i++) {
        if (host[i].leaf == leaf && host[i].subleaf == subleaf) {
            memcpy(out, host[i].out, 16);
            return;
        }
    }
    // As Intel's: out of range gives the last basic leaf.
    if (!all_zeros && host == intel && (leaf > 0x16 && leaf < 0x80000000)) {
        memcpy(out, (uint32_t[]){0xd48, 0x1068, 0x64, 0}, 16);
    }
}

static struct cpuid_table table;

static struct cpuid_params params(uint32_t id, uint32_t count)
{
    return (struct cpuid_params){.vcpu_id = id,
                                 .vcpu_count = count,
                                 .tsc_khz = 2500000,
                                 .apic_khz = 100000,
                                 .offer_x2apic = true};
}

static void build_on(const struct leaf *leaves, unsigned count, struct cpuid_params p)
{
    all_ones = all_zeros = false;
    host = leaves;
    host_count = count;
    memset(&table, 0xaa, sizeof(table));
    cpuid_build(&table, &p);
}

#define ON_AMD(p)   build_on(amd, ARRAY_SIZE(amd), p)
#define ON_INTEL(p) build_on(intel, ARRAY_SIZE(intel), p)

static void on_ones(uint32_t vendor, struct cpuid_params p)
{
    all_ones = true;
    all_zeros = false;
    host = NULL;
    ones_vendor = vendor;
    cpuid_build(&table, &p);
}

static const struct cpuid_entry *find(uint32_t leaf, uint32_t subleaf)
{
    const struct cpuid_entry *e = cpuid_find(&table, leaf, subleaf);
    assert_non_null(e);
    return e;
}

static void expect(uint32_t leaf, uint32_t subleaf, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const struct cpuid_entry *e = find(leaf, subleaf);
    assert_int_equal(e->eax, a);
    assert_int_equal(e->ebx, b);
    assert_int_equal(e->ecx, c);
    assert_int_equal(e->edx, d);
}

// ---- what is hidden
// -------------------------------------------------------------------------------

// On a CPU that has every bit set, exactly these are shown. By number, as a second list: a row that
// is widened by mistake fails here.
static void exactly_the_allowed_bits(void **state)
{
    (void)state;
    on_ones(0x68747541, params(0, 1));
    const struct cpuid_entry *e = find(1, 0);
    assert_int_equal(e->ecx, 0xf7fa3203); // OSXSAVE comes with CR4
    assert_int_equal(e->edx, 0x0f8bfbff);
    assert_int_equal(e->ebx, 0x0001ff00);
    expect(6, 0, 0x4, 0, 0, 0);
    e = find(7, 0);
    assert_int_equal(e->eax, 2);
    assert_int_equal(e->ebx, 0xfdbf27e9);
    assert_int_equal(e->ecx, 0x1a405f4f);
    assert_int_equal(e->edx, 0x9c80451c);
    expect(7, 1, 0x00801c30, 0, 0, 0x00004030);
    expect(7, 2, 0, 0, 0, 0x3f);
    assert_int_equal(find(0xd, 0)->eax, 0x2e7);
    assert_int_equal(find(0xd, 0)->edx, 0);
    expect(0xd, 1, 0xf, 0, 0, 0);
    e = find(0x80000001, 0);
    assert_int_equal(e->ecx, 0x446103f1 | 0x10800); // with XOP and FMA4
    assert_int_equal(e->edx, 0xedd3fbff);
    expect(0x80000007, 0, 0, 0, 0, 0x100);
    e = find(0x80000008, 0);
    assert_int_equal(e->eax, 0x30ff);
    assert_int_equal(e->ebx, 0x750fd005);
    assert_int_equal(e->edx, 0);
    expect(0x80000021, 0, 0x38000c45, 0, 0, 0);
}

static void hidden_leaves(void **state)
{
    (void)state;
    static const uint32_t hidden[] = {
        0x3,        0x5,        0x8,        0x9,        0xa,        0xc,        0xe,
        0xf,        0x10,       0x11,       0x12,       0x13,       0x14,       0x17,
        0x18,       0x19,       0x1a,       0x1b,       0x1c,       0x1d,       0x1e,
        0x80000009, 0x8000000a, 0x80000010, 0x8000001b, 0x8000001c, 0x8000001f, 0x80000020};
    for (unsigned vendor = 0; vendor < 2; vendor++) {
        on_ones(vendor ? CPUID_INTEL_EBX : 0x68747541, params(0, 2));
        for (unsigned i = 0; i < ARRAY_SIZE(hidden); i++) {
            for (uint32_t sub = 0; sub < 4; sub++) {
                expect(hidden[i], sub, 0, 0, 0, 0);
            }
        }
    }
}

// Nothing that the host lacks is invented, but for what describes the partition.
static void nothing_from_nothing(void **state)
{
    (void)state;
    struct cpuid_params p = params(0, 1);
    all_ones = false;
    all_zeros = true;
    cpuid_build(&table, &p);
    expect(0, 0, 0, 0, 0, 0);
    expect(1, 0, 0, 0, 0, 0); // past the last leaf
    static const struct leaf bare[] = {{0x0, 0, {0x1f, AUTH}}, {0x80000000, 0, {0x80000021, AUTH}}};
    build_on(bare, ARRAY_SIZE(bare), p);
    expect(1, 0, 0, 1 << 16, 0x80000000, 0); // one CPU, a hypervisor
    for (uint32_t leaf = 2; leaf < 0x20; leaf++) {
        if (leaf != 0xb && leaf != 0x1f) {
            expect(leaf, 0, 0, 0, 0, 0);
        }
    }
    for (uint32_t leaf = 0x80000001; leaf < 0x80000022; leaf++) {
        expect(leaf, 0, 0, 0, 0, 0);
    }
}

static void rules_are_whole(void **state)
{
    (void)state;
    unsigned count;
    const struct cpuid_rule *rules = cpuid_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(rules[i].first <= rules[i].last);
        assert_true(rules[i].reg <= CPUID_EDX);
        assert_int_not_equal(rules[i].mask, 0);
        assert_true(rules[i].reason != NULL && rules[i].reason[0] != 0);
        for (unsigned j = 0; j < i; j++) { // a bit has one reason
            if (rules[j].leaf == rules[i].leaf && rules[j].reg == rules[i].reg &&
                rules[j].first <= rules[i].last && rules[i].first <= rules[j].last) {
                assert_int_equal(rules[i].mask & rules[j].mask, 0);
            }
        }
    }
}

static void real_hosts(void **state)
{
    (void)state;
    ON_AMD(params(1, 2));
    assert_int_equal(find(0x80000001, 0)->ecx & 0x4, 0);             // SVM
    assert_int_equal(find(0x80000001, 0)->ecx & 0x400000, 0x400000); // TOPOEXT
    assert_int_equal(find(1, 0)->ecx & 0x8, 0);                      // MONITOR
    assert_int_equal(find(1, 0)->eax, 0x00800f12);
    expect(0, 0, 0xd, AUTH);
    expect(0x80000000, 0, 0x8000001f, AUTH);
    expect(0x80000002, 0, 0x20444d41, 1, 2, 3);
    ON_INTEL(params(1, 2));
    assert_int_equal(find(1, 0)->ecx & 0x20, 0); // VMX
    assert_int_equal(find(0x7, 0)->ebx & (1u << 2 | 1u << 4 | 1u << 11 | 1u << 14 | 1u << 25), 0);
    assert_int_equal(find(0x7, 0)->edx & 1u << 29, 0); // ARCH_CAPS
    expect(0, 0, 0x16, GENU);
    expect(2, 0, 0x76036301, 0x00f0b5ff, 0, 0x00c30000);
    expect(0x80000001, 0, 0, 0, 0x121, 0x2c100800); // LAHF, LZCNT, PREFETCHW
}

// ---- topology
// -------------------------------------------------------------------------------------

static uint32_t log2_up(uint32_t n)
{
    uint32_t bits = 0;
    for (uint64_t power = 1; power < n; power *= 2) {
        bits++;
    }
    return bits;
}

static void topology(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= MAX_CPUS; count++) {
        for (uint32_t id = 0; id < count; id += 1 + count / 3) {
            uint32_t bits = log2_up(count), ids = 1u << bits;

            ON_AMD(params(id, count));
            const struct cpuid_entry *e = find(1, 0);
            assert_int_equal(e->ebx >> 24, id);
            assert_int_equal(e->ebx >> 16 & 0xff, count);
            assert_int_equal(e->ebx >> 8 & 0xff, 8); // CLFLUSH
            assert_int_equal(e->edx >> 28 & 1, count > 1);
            assert_int_equal(find(0x80000001, 0)->ecx >> 1 & 1, count > 1);
            assert_int_equal(find(0x80000008, 0)->ecx, bits << 12 | (count - 1));
            expect(0x8000001e, 0, id, id, 0, 0);
            expect(0xb, 0, 0, 1, 0x100, id);
            expect(0xb, 1, bits, count, 0x201, id);
            assert_int_equal(find(0x8000001d, 2)->eax, 0x143);                     // L2: own
            assert_int_equal(find(0x8000001d, 3)->eax, 0x163 | (count - 1) << 14); // L3: all

            ON_INTEL(params(id, count));
            assert_int_equal(find(0x80000008, 0)->ecx, 0);
            assert_int_equal(find(4, 2)->eax, 0x143 | (ids - 1) << 26);
            assert_int_equal(find(4, 3)->eax, 0x163 | (ids - 1) << 26 | (ids - 1) << 14);
            expect(0xb, 0, 0, 1, 0x100, id);
            expect(0xb, 1, bits, count, 0x201, id);
        }
    }
}

static void subleaves_end(void **state)
{
    (void)state;
    ON_AMD(params(1, 2));
    expect(0x8000001d, 4, 0, 0, 0, 0);
    expect(0x8000001d, 5, 0, 0, 0, 0);
    expect(0x8000001d, 0xffffffff, 0, 0, 0, 0);
    expect(7, 1, 0, 0, 0, 0); // leaf 7 has no more
    expect(7, 0xffffffff, 0, 0, 0, 0);
    ON_INTEL(params(1, 2));
    expect(4, 4, 0, 0, 0, 0);
    expect(4, 100, 0, 0, 0, 0);
    // Past the last level the subleaf comes back, and the ID stays.
    uint32_t out[4];
    static const uint32_t subs[] = {2, 3, 0x1ff, 0xffffffff};
    for (unsigned i = 0; i < ARRAY_SIZE(subs); i++) {
        const struct cpuid_entry *e = find(0xb, subs[i]);
        assert_true(e->flags & CPUID_FLAG_DYNAMIC);
        cpuid_patch(e, subs[i], 0, true, out);
        assert_int_equal(out[0], 0);
        assert_int_equal(out[1], 0);
        assert_int_equal(out[2], subs[i] & 0xff);
        assert_int_equal(out[3], 1);
    }
    // A leaf without subleaves ignores ECX.
    assert_ptr_equal(find(1, 7), find(1, 0));
    assert_ptr_equal(find(0x80000008, 3), find(0x80000008, 0));
}

// A CPU that claims caches and subleaves without end does not overrun the table.
static void endless_subleaves(void **state)
{
    (void)state;
    for (unsigned vendor = 0; vendor < 2; vendor++) {
        on_ones(vendor ? CPUID_INTEL_EBX : 0x68747541, params(63, 64));
        assert_true(table.more_used < CPUID_MORE_COUNT);
        assert_int_equal(find(4, 7)->eax & 0x1f, 0x1f);
        expect(4, 8, 0, 0, 0, 0);
        assert_int_equal(find(0, 0)->eax, 0x1f);
        assert_int_equal(find(0x80000000, 0)->eax, 0x80000021);
    }
}

// ---- state components ---------------------------------------------------------------------------

static void xsave(void **state)
{
    (void)state;
    ON_INTEL(params(0, 1));
    // MPX (components 3 and 4) is hidden, and the size without it is AVX's end.
    const struct cpuid_entry *e = find(0xd, 0);
    assert_int_equal(e->eax, 0x7);
    assert_int_equal(e->ecx, 0x240 + 0x100);
    assert_int_equal(e->edx, 0);
    assert_true(e->flags & CPUID_FLAG_LIVE_EBX);
    expect(0xd, 1, 0xf, 0, 0, 0); // no supervisor state (the host has PT's)
    expect(0xd, 2, 0x100, 0x240, 0, 0);
    expect(0xd, 3, 0, 0, 0, 0);
    expect(0xd, 4, 0, 0, 0, 0);
    expect(0xd, 8, 0, 0, 0, 0);
    expect(0xd, 63, 0, 0, 0, 0);

    // EBX is asked of the CPU at the exit, since it follows XCR0.
    uint32_t out[4];
    struct leaf now[] = {{0xd, 0, {0x1f, 0x240, 0x440, 0}}, {0xd, 1, {0xf, 0x250, 0, 0}}};
    host = now;
    host_count = 2;
    cpuid_patch(e, 0, 0, true, out);
    assert_int_equal(out[0], 0x7);
    assert_int_equal(out[1], 0x240);
    assert_int_equal(out[2], 0x340);
    cpuid_patch(find(0xd, 1), 1, 0, true, out);
    assert_int_equal(out[1], 0x250);
    assert_int_equal(out[2], 0);

    static const struct leaf none[] = {{0x0, 0, {0xd, AUTH}}, {0x80000000, 0, {0x80000008, AUTH}}};
    build_on(none, ARRAY_SIZE(none), params(0, 1));
    expect(0xd, 0, 0, 0, 0, 0);
    assert_int_equal(find(0xd, 0)->flags & CPUID_FLAG_DYNAMIC, 0);

    on_ones(CPUID_INTEL_EBX, params(0, 1)); // has every component
    assert_int_equal(find(0xd, 0)->eax, 0x2e7);
}

static void patched_bits(void **state)
{
    (void)state;
    ON_AMD(params(0, 1));
    uint32_t out[4];
    const struct cpuid_entry *e = find(1, 0);
    assert_true(e->flags & CPUID_FLAG_DYNAMIC);
    calls = 0;
    cpuid_patch(e, 0, 0, true, out);
    assert_int_equal(out[2] >> 27 & 1, 0);
    assert_int_equal(out[3] >> 9 & 1, 1);
    cpuid_patch(e, 0, 1u << 18, true, out);
    assert_int_equal(out[2] >> 27 & 1, 1);
    assert_int_equal(out[2] & ~(1u << 27), e->ecx);
    cpuid_patch(e, 0, ~0ull, false, out);
    assert_int_equal(out[3] >> 9 & 1, 0); // disabled through IA32_APIC_BASE
    cpuid_patch(find(0x80000001, 0), 0, ~0ull, false, out);
    assert_int_equal(out[3] >> 9 & 1, 0);
    cpuid_patch(find(0x80000001, 0), 0, 0, true, out);
    assert_int_equal(out[3] >> 9 & 1, 1);
    cpuid_patch(find(7, 0), 0, 1u << 22, true, out);
    assert_int_equal(out[2] >> 4 & 1, 1);
    cpuid_patch(find(7, 0), 0, ~(1ull << 22), true, out);
    assert_int_equal(out[2] >> 4 & 1, 0);
    assert_int_equal(calls, 0);
    // All other leaves are constant.
    for (uint32_t leaf = 0; leaf <= 0xd; leaf++) {
        bool dynamic = leaf == 1 || leaf == 7 || leaf == 0xd;
        assert_int_equal((find(leaf, 0)->flags & CPUID_FLAG_DYNAMIC) != 0, dynamic);
    }
}

static void x2apic_only_if_offered(void **state)
{
    (void)state;
    struct cpuid_params p = params(0, 1);
    ON_INTEL(p);
    assert_int_equal(find(1, 0)->ecx >> 21 & 1, 1);
    p.offer_x2apic = false;
    ON_INTEL(p);
    assert_int_equal(find(1, 0)->ecx >> 21 & 1, 0);
    p.offer_x2apic = true;
    ON_AMD(p); // the CPU lacks it
    assert_int_equal(find(1, 0)->ecx >> 21 & 1, 0);
}

// ---- hypervisor, frequencies, ranges
// --------------------------------------------------------------

static void signature(uint32_t leaf, const char *expected)
{
    char text[13] = {0};
    const struct cpuid_entry *e = find(leaf, 0);
    memcpy(text, &e->ebx, 4);
    memcpy(text + 4, &e->ecx, 4);
    memcpy(text + 8, &e->edx, 4);
    assert_memory_equal(text, expected, 12);
}

static void hypervisor_leaves(void **state)
{
    (void)state;
    for (unsigned vendor = 0; vendor < 2; vendor++) {
        if (vendor) {
            ON_INTEL(params(0, 1));
        } else {
            ON_AMD(params(0, 1));
        }
        assert_int_equal(find(1, 0)->ecx >> 31, 1);
        signature(0x40000000, "BulkheadHv  ");
        assert_int_equal(find(0x40000000, 0)->eax, 0x40000010);
        assert_int_not_equal(find(0x40000001, 0)->eax, 0);
        expect(0x40000002, 0, 0, 0, 0, 0);
        expect(0x40000010, 0, 2500000, 100000, 0, 0);
        signature(0x40000100, "KVMKVMKVM\0\0\0");
        assert_int_equal(find(0x40000100, 0)->eax, 0x40000101);
        expect(0x40000101, 0, 0, 0, 0, 0); // no features
        static const uint32_t empty[] = {0x40000011, 0x400000ff, 0x40000102, 0x40000200,
                                         0x4fffffff};
        for (unsigned i = 0; i < ARRAY_SIZE(empty); i++) {
            expect(empty[i], 0, 0, 0, 0, 0);
        }
    }
}

static void out_of_range(void **state)
{
    (void)state;
    static const uint32_t leaves[] = {0x17,       0x1f,       0x20,       0x3fffffff, 0x7fffffff,
                                      0x80000009, 0x8000ffff, 0x80860000, 0xc0000000, 0xffffffff};
    ON_INTEL(params(0, 1)); // gives the last basic leaf
    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
        expect(leaves[i], 0, 0xd48, 0x1068, 0x64, 0);
    }
    ON_AMD(params(0, 1)); // gives zeros
    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
        if (leaves[i] != 0x80000009) { // in range there, and empty
            assert_ptr_equal(find(leaves[i], 0), &table.none);
        }
        expect(leaves[i], 0, 0, 0, 0, 0);
    }
    // Leaves that the host lacks but its CPUID answers anyhow are not taken for its own.
    struct leaf short_intel[] = {{0x0, 0, {0x4, GENU}}, {0x7, 0, {0, ~0u, ~0u, ~0u}}};
    build_on(short_intel, 2, params(0, 1));
    expect(7, 0, 0, 0, 0, 0);
}

static void frequencies(void **state)
{
    (void)state;
    ON_INTEL(params(0, 1));
    const struct cpuid_entry *e = find(0x15, 0);
    assert_int_equal(e->ecx, 100000000);
    assert_int_equal((uint64_t)e->ecx * e->ebx / e->eax, 2500000000);
    struct cpuid_params p = params(0, 1);
    p.apic_khz = 0;
    ON_INTEL(p);
    expect(0x15, 0, 0, 0, 0, 0);
    p.apic_khz = 5000000; // more than 32 bits of Hz
    ON_INTEL(p);
    expect(0x15, 0, 0, 0, 0, 0);
}

static void address_widths(void **state)
{
    (void)state;
    ON_INTEL(params(0, 1)); // the host has LA57
    assert_int_equal(find(0x80000008, 0)->eax, 0x3027);
    ON_AMD(params(0, 1));
    assert_int_equal(find(0x80000008, 0)->eax, 0x3030);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_allowed_bits),
        cmocka_unit_test(hidden_leaves),
        cmocka_unit_test(nothing_from_nothing),
        cmocka_unit_test(rules_are_whole),
        cmocka_unit_test(real_hosts),
        cmocka_unit_test(topology),
        cmocka_unit_test(subleaves_end),
        cmocka_unit_test(endless_subleaves),
        cmocka_unit_test(xsave),
        cmocka_unit_test(patched_bits),
        cmocka_unit_test(x2apic_only_if_offered),
        cmocka_unit_test(hypervisor_leaves),
        cmocka_unit_test(out_of_range),
        cmocka_unit_test(frequencies),
        cmocka_unit_test(address_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
