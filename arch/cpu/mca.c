// SPDX-License-Identifier: Apache-2.0
// Reading and clearing the machine-check banks of this CPU.
#include "arch/cpu/mca.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/cpuid.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/msr_access.h"

#define CPUID_80000007_EBX_SCALABLE_MCA BIT(3)

#define MCG_CAP_BANKS 0xff
#define MCG_CAP_CTL   BIT(8)

#define MCG_STATUS_MCIP BIT(2)

static unsigned bank_count(uint64_t *capabilities)
{
    uint32_t leaf[4];
    cpuid(1, 0, leaf);
    *capabilities = 0;
    if ((leaf[3] & CPUID_1_EDX_MCA) == 0 || !msr_read_safe(MSR_MCG_CAP, capabilities)) {
        return 0;
    }
    return (unsigned)min_u64(*capabilities & MCG_CAP_BANKS, MC_MAX_BANKS);
}

static bool addresses_are_physical(void)
{
    uint32_t leaf[4];
    cpuid(0x80000000, 0, leaf);
    if (leaf[0] < 0x80000007) {
        return true;
    }
    cpuid(0x80000007, 0, leaf);
    return (leaf[1] & CPUID_80000007_EBX_SCALABLE_MCA) == 0;
}

void mca_cpu_init(void)
{
    uint64_t capabilities;
    unsigned banks = bank_count(&capabilities);
    // A flag left set would turn the next machine check into a shutdown.
    msr_write_safe(MSR_MCG_STATUS, 0);
    if (capabilities & MCG_CAP_CTL) {
        msr_write_safe(MSR_MCG_CTL, ~0ull);
    }
    for (unsigned i = 0; i < banks; i++) {
        msr_write_safe(MSR_MC_STATUS(i), 0);
        msr_write_safe(MSR_MC_CTL(i), ~0ull);
    }
}

bool mca_in_progress(void)
{
    uint64_t status;
    return msr_read_safe(MSR_MCG_STATUS, &status) && (status & MCG_STATUS_MCIP) != 0;
}

void mca_collect(struct machine_check *out)
{
    uint64_t capabilities;
    *out = (struct machine_check){
        .bank_count = bank_count(&capabilities),
        .physical = addresses_are_physical(),
    };
    msr_read_safe(MSR_MCG_STATUS, &out->global);
    for (unsigned i = 0; i < out->bank_count; i++) {
        struct mc_bank *b = &out->bank[i];
        if (msr_read_safe(MSR_MC_STATUS(i), &b->status) && b->status != 0) {
            msr_read_safe(MSR_MC_ADDR(i), &b->address); // not every bank has an address register
            msr_write_safe(MSR_MC_STATUS(i), 0);
        }
    }
    msr_write_safe(MSR_MCG_STATUS, 0);
}
