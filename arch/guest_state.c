// SPDX-License-Identifier: Apache-2.0
// The processor state that no VM entry swaps. Which MSRs pass is decided in hv/msr_policy.c; those
// of them that the vendor's own state area does not hold are reset here.
#include "arch/guest_state.h"

#include "arch/cpu.h"
#include "arch/msr.h"
#include "arch/msr_access.h"

#define CPUID_1_ECX_XSAVE   BIT(26)
#define CPUID_D1_EAX_XSAVES BIT(3)
#define XCR0_X87            1u

// MSRs that a guest writes without an exit (hv/msr_rules.c) and no state area holds. Each exists
// where its CPUID bit says so; its reset value is 0.
struct passed_msr {
    uint32_t first, last;
    uint32_t leaf, subleaf;
    unsigned reg; // 0 to 3: EAX, EBX, ECX, EDX
    uint32_t mask;
};

static const struct passed_msr passed_msrs[] = {
    {MSR_TSC_AUX, MSR_TSC_AUX, 0x80000001, 0, 3, BIT(27)},                         // RDTSCP
    {MSR_SPEC_CTRL, MSR_SPEC_CTRL, 7, 0, 3, BIT(26) | BIT(27) | BIT(31)},          // Intel
    {MSR_SPEC_CTRL, MSR_SPEC_CTRL, 0x80000008, 0, 1, BIT(14) | BIT(15) | BIT(24)}, // AMD
    {MSR_DR0_ADDR_MASK, MSR_DR0_ADDR_MASK, 0x80000001, 0, 2, BIT(26)}, // data breakpoint extension
    {MSR_DR1_ADDR_MASK, MSR_DR3_ADDR_MASK, 0x80000001, 0, 2, BIT(26)},
};

static uint32_t cpuid_bits(uint32_t leaf, uint32_t subleaf, unsigned reg)
{
    uint32_t max[4];
    uint32_t out[4];
    cpuid(leaf & 0x80000000, 0, max);
    if (leaf > max[0]) {
        return 0;
    }
    cpuid(leaf, subleaf, out);
    return out[reg];
}

static void reset_xsave(void)
{
    if ((cpuid_bits(1, 0, 2) & CPUID_1_ECX_XSAVE) == 0) {
        return;
    }
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_OSXSAVE);
    __asm__ volatile("xsetbv" : : "c"(0), "a"(XCR0_X87), "d"(0));
    write_cr4(cr4);
    if (cpuid_bits(0xd, 1, 0) & CPUID_D1_EAX_XSAVES) {
        wrmsr(MSR_XSS, 0);
    }
}

void guest_debug_read(struct guest_debug *out, uint64_t dr7, uint64_t cr4)
{
    __asm__ volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3"
                     : "=r"(out->address[0]), "=r"(out->address[1]), "=r"(out->address[2]),
                       "=r"(out->address[3]));
    out->dr7 = dr7;
    out->ports = (cr4 & CR4_DE) != 0;
}

void guest_state_reset(void)
{
    __asm__ volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3" : : "r"(0ull));
    write_cr2(0);
    reset_xsave();
    for (unsigned i = 0; i < ARRAY_SIZE(passed_msrs); i++) {
        const struct passed_msr *m = &passed_msrs[i];
        if (cpuid_bits(m->leaf, m->subleaf, m->reg) & m->mask) {
            for (uint32_t msr = m->first; msr <= m->last; msr++) {
                msr_write_safe(msr, 0); // some emulated CPUs show the bit and lack the register
            }
        }
    }
}
