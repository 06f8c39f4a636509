// SPDX-License-Identifier: Apache-2.0
// Reading the MTRRs, and writing them in the manual's order. CPUs of one core share their MTRRs. A
// CPU whose MTRRs differ therefore shares them with no running CPU, and no two CPUs have to write
// them together.
#include "arch/cpu/mtrr_cpu.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/cpuid.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/msr_access.h"

struct mtrrs mtrr_boot;

static void read_mtrrs(struct mtrrs *m)
{
    uint32_t leaf[4];
    uint64_t capabilities, syscfg;
    *m = (struct mtrrs){0};
    cpuid(1, 0, leaf);
    if ((leaf[3] & CPUID_1_EDX_MTRR) == 0 || !msr_read_safe(MSR_MTRRCAP, &capabilities) ||
        !msr_read_safe(MSR_MTRR_DEF_TYPE, &m->default_type)) {
        return;
    }
    m->present = true;
    m->ranges = (unsigned)min_u64(capabilities & MTRRCAP_COUNT, MTRR_MOST_RANGES);
    for (unsigned i = 0; i < MTRR_FIXED && (capabilities & MTRRCAP_FIXED); i++) {
        m->fixed[i] = rdmsr(mtrr_fixed_msr(i));
    }
    for (unsigned i = 0; i < m->ranges; i++) {
        m->base[i] = rdmsr(mtrr_base_msr(i));
        m->mask[i] = rdmsr(mtrr_base_msr(i) + 1);
    }
    // Intel has neither MSR.
    if (msr_read_safe(MSR_SYSCFG, &syscfg) && msr_read_safe(MSR_TOP_MEM2, &m->top_mem2)) {
        m->syscfg = syscfg & SYSCFG_MEMORY;
    }
}

void mtrr_boot_init(void)
{
    read_mtrrs(&mtrr_boot);
}

static void write_changed(uint32_t msr, uint64_t value, uint64_t old)
{
    if (value != old) {
        msr_write_safe(msr, value); // a refused write shows when the register is read again
    }
}

// SDM vol. 3, 12.11.8, from step 4 on. CR4.PGE is clear at both writes of CR3, so that they flush
// global pages too.
static void write_mtrrs(const struct mtrrs *to, const struct mtrrs *old)
{
    uint64_t cr0 = read_cr0(), cr4 = read_cr4();
    write_cr0((cr0 | CR0_CD) & ~CR0_NW);
    __asm__ volatile("wbinvd" : : : "memory");
    write_cr4(cr4 & ~CR4_PGE);
    write_cr3(read_cr3());
    wrmsr(MSR_MTRR_DEF_TYPE, old->default_type & ~MTRR_DEF_TYPE_ENABLE);
    for (unsigned i = 0; i < MTRR_FIXED; i++) {
        write_changed(mtrr_fixed_msr(i), to->fixed[i], old->fixed[i]);
    }
    for (unsigned i = 0; i < to->ranges; i++) {
        write_changed(mtrr_base_msr(i), to->base[i], old->base[i]);
        write_changed(mtrr_base_msr(i) + 1, to->mask[i], old->mask[i]);
    }
    wrmsr(MSR_MTRR_DEF_TYPE, to->default_type);
    __asm__ volatile("wbinvd" : : : "memory");
    write_cr3(read_cr3());
    write_cr0(cr0);
    write_cr4(cr4);
}

enum mtrr_state mtrr_follow(char *text, size_t size)
{
    struct mtrrs own;
    bool fixable;
    read_mtrrs(&own);
    if (!mtrr_difference(&own, &mtrr_boot, &fixable, text, size)) {
        return MTRR_EVEN;
    }
    if (!fixable) {
        return MTRR_ODD;
    }
    bool off = !mtrr_on(&own);
    write_mtrrs(&mtrr_boot, &own);
    read_mtrrs(&own);
    return mtrr_difference(&own, &mtrr_boot, &fixable, text, size) ? MTRR_ODD
           : off                                                   ? MTRR_EVEN
                                                                   : MTRR_MADE;
}
