// SPDX-License-Identifier: Apache-2.0
// The table of CR0's and CR4's bits (SDM volume 3, 2.5).
#include "arch/vmx/cr_rules.h"

static const struct vmx_cr_rule rules[] = {
    {0, false, CR0_NE, "NE",
     "VT-x demands that it is set; the old way of reporting FPU errors needs an 8259"},
    {0, false, CR0_NW | CR0_CD, "NW, CD",
     "no exit or entry switches them, so the hypervisor would run uncached too; memory is coherent "
     "without"},

    {4, true, CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE, "VME, PVI, TSD, DE, PSE",
     "how the guest's own programs run"},
    {4, true, CR4_PAE | CR4_PGE | CR4_PCIDE, "PAE, PGE, PCIDE", "the guest's own paging"},
    {4, false, CR4_SHOWN_ONLY, "MCE",
     "shown as written; stays set, so that a machine check exits and does not shut the CPU down"},
    {4, true, CR4_PCE, "PCE", "RDPMC gives #GP whatever it says"},
    {4, true, CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE, "OSFXSR, OSXMMEXCPT, OSXSAVE",
     "registers that stay its own"},
    {4, true, CR4_UMIP, "UMIP", "what its own programs may do"},
    {4, false, CR4_LA57, "LA57", "hidden"},
    {4, false, CR4_VMXE, "VMXE", "VT-x demands that it is set; the guest sees it clear"},
    {4, false, CR4_SMXE, "SMXE", "hidden: GETSEC gives #UD"},
    {4, true, CR4_FSGSBASE, "FSGSBASE", "what its own programs may do"},
    {4, false, CR4_KL, "KL", "hidden: LOADIWKEY gives #UD"},
    {4, true, CR4_SMEP | CR4_SMAP | CR4_PKE, "SMEP, SMAP, PKE", "the guest's own paging"},
    {4, false, CR4_CET | CR4_PKS, "CET, PKS",
     "hidden: supervisor state that would stay in force in the hypervisor"},
    {4, false, CR4_UINTR, "UINTR", "hidden: SENDUIPI sends interrupts to physical APIC IDs"},
    {4, false, CR4_FRED, "FRED", "hidden: its MSRs are denied"},
};

const struct vmx_cr_rule *vmx_cr_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}

static uint64_t sum(unsigned number, bool passed)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        mask |= rules[i].number == number && rules[i].passed == passed ? rules[i].mask : 0;
    }
    return mask;
}

uint64_t vmx_cr0_kept(void)
{
    return sum(0, false);
}

uint64_t vmx_cr4_kept(void)
{
    return ~sum(4, true);
}
