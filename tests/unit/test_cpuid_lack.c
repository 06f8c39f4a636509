// SPDX-License-Identifier: Apache-2.0
// hv/policy/cpuid_lack.c: a guest is shown what the boot CPU has, and another CPU is held against
// it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/policy/cpuid_lack.h"

static struct row {
    uint32_t leaf, subleaf, out[4];
} cpu[] = {
    {0x0, 0, {0xd, 0x756e6547, 0x6c65746e, 0x49656e69}},
    {0x1, 0, {0x000506e3, 0x03100800, 0x7ffafbbf, 0xbfebfbff}},
    {0x7, 0, {1, 0x029c67af, 0x00400000, 0xbc000400}},
    {0x7, 1, {0x30, 0, 0, 0}},
    {0xd, 0, {0x7, 0x340, 0x340, 0}},
    {0xd, 1, {0xf, 0x3c0, 0x100, 0}},
    {0x80000000, 0, {0x80000008, 0, 0, 0}},
    {0x80000001, 0, {0, 0, 0x121, 0x2c100800}},
    {0x80000008, 0, {0x3927, 0x1000, 0, 0}},
};
static struct row before[ARRAY_SIZE(cpu)];
static struct cpuid_table shown;
static char text[200];

void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    memset(out, 0, 16);
    for (unsigned i = 0; i < ARRAY_SIZE(cpu); i++) {
        if (cpu[i].leaf == leaf && cpu[i].subleaf == subleaf)
            memcpy(out, cpu[i].out, 16);
    }
}

static uint32_t *bits(uint32_t leaf, uint32_t subleaf, unsigned reg)
{
    for (unsigned i = 0; i < ARRAY_SIZE(cpu); i++) {
        if (cpu[i].leaf == leaf && cpu[i].subleaf == subleaf)
            return &cpu[i].out[reg];
    }
    fail();
    return NULL;
}

static int boot_cpu(void **state)
{
    (void)state;
    memcpy(before, cpu, sizeof(cpu));
    struct cpuid_params p = {.vcpu_count = 2, .tsc_khz = 1000, .offer_x2apic = true};
    cpuid_build(&shown, &p);
    strcpy(text, "nothing");
    return 0;
}

static int restore(void **state)
{
    (void)state;
    memcpy(cpu, before, sizeof(cpu));
    return 0;
}

static void test_alike(void **state)
{
    (void)state;
    assert_false(cpuid_lacks(&shown, text, sizeof(text)));
    // Features that only this CPU has, another stepping, another APIC ID.
    *bits(7, 0, CPUID_ECX) |= 1u << 8;
    *bits(1, 0, CPUID_EAX) = 0x000506e4;
    *bits(1, 0, CPUID_EBX) = 0x13100800;
    // Features that the guest is not shown: VMX, SMX, MONITOR, performance counters.
    *bits(1, 0, CPUID_ECX) &= ~(1u << 5 | 1u << 6 | 1u << 3 | 1u << 15);
    assert_false(cpuid_lacks(&shown, text, sizeof(text)));
    assert_string_equal(text, "nothing");
}

static void test_lacks(void **state)
{
    (void)state;
    *bits(7, 0, CPUID_EBX) &= ~(1u << 5); // AVX2
    assert_true(cpuid_lacks(&shown, text, sizeof(text)));
    assert_string_equal(text, "CPUID 0x7.0 EBX 0x20");
    *bits(1, 0, CPUID_ECX) &= ~(1u << 12 | 1u << 28); // FMA, AVX
    *bits(0x80000001, 0, CPUID_EDX) &= ~(1u << 26);   // pages of 1 GiB
    *bits(0xd, 0, CPUID_EAX) = 3;
    assert_true(cpuid_lacks(&shown, text, sizeof(text)));
    assert_string_equal(text, "CPUID 0x1.0 ECX 0x10001000, CPUID 0x7.0 EBX 0x20, "
                              "CPUID 0xd.0 EAX 0x4, CPUID 0x80000001.0 EDX 0x4000000");
}

static void test_no_such_leaf(void **state)
{
    (void)state;
    char small[30];
    *bits(0, 0, CPUID_EAX) = 4; // as where firmware limits CPUID
    assert_true(cpuid_lacks(&shown, text, sizeof(text)));
    assert_non_null(strstr(text, "CPUID 0x7.0 EBX "));
    assert_null(strstr(text, "CPUID 0x1.0"));
    assert_true(cpuid_lacks(&shown, small, sizeof(small)));
    assert_true(strlen(small) < sizeof(small));
}

// A processor whose last leaf is another's number of levels: it stands for all leaves beyond it.
static void test_old_processor(void **state)
{
    (void)state;
    *bits(0, 0, CPUID_EAX) = 0xb;
    boot_cpu(state);
    assert_false(cpuid_lacks(&shown, text, sizeof(text)));
    assert_string_equal(text, "nothing");
    *bits(7, 0, CPUID_EBX) &= ~(1u << 5);
    assert_true(cpuid_lacks(&shown, text, sizeof(text)));
    assert_string_equal(text, "CPUID 0x7.0 EBX 0x20");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alike, boot_cpu, restore),
        cmocka_unit_test_setup_teardown(test_lacks, boot_cpu, restore),
        cmocka_unit_test_setup_teardown(test_no_such_leaf, boot_cpu, restore),
        cmocka_unit_test(test_old_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
