// SPDX-License-Identifier: Apache-2.0
// The MSRs that a guest may reach, in ascending order. What has no row gives #GP(0), as an MSR that
// does not exist; rows that deny are here where somebody could think that they were forgotten.
// An MSR that passes and that this CPU lacks gives the CPU's own #GP.
#include "arch/apic_defs.h"
#include "arch/msr.h"
#include "hv/msr_policy.h"

#define NONE 0

static const char time_stays[] = "the hypervisor keeps time by the TSC, so a write has no effect";
static const char no_banks[] = "no machine-check banks are shown";
static const char own_cpu[] = "state of this CPU that the hypervisor never uses";
static const char no_pmu[] = "no performance counters are shown: they could count the hypervisor";
static const char is_smm[] = "system management mode belongs to the firmware";
static const char is_virt[] =
    "no virtualization is shown; writing it would reach hypervisor memory";
static const char no_lbr[] = "branch records would show the hypervisor's branches; stays off";
static const char memory_map[] = "the physical memory map belongs to the hypervisor";
static const char shared_power[] = "clocks and power are shared with other partitions' CPUs";
static const char tuning[] = "undocumented switches of the core; could break the hypervisor";

static const struct msr_rule rules[] = {
    {MSR_TSC, MSR_TSC, MSR_PASS, MSR_IGNORE, NONE, "TSC", time_stays},
    {MSR_PLATFORM_ID, MSR_PLATFORM_ID, MSR_VALUE, MSR_DENY, 0, "IA32_PLATFORM_ID",
     "Linux reads it on every Intel CPU; names a socket, nothing a guest needs"},
    {MSR_APIC_BASE, MSR_APIC_BASE, MSR_EMULATE, MSR_EMULATE, NONE, "IA32_APIC_BASE",
     "the guest's APIC mode is its own, the physical one's is not"},
    {MSR_EBC_FREQUENCY, MSR_EBC_FREQUENCY, MSR_VALUE, MSR_IGNORE, 0, "MSR_EBC_FREQUENCY_ID",
     "old kernels read it on family 15"},
    {MSR_FEATURE_CONTROL, MSR_FEATURE_CONTROL, MSR_VALUE, MSR_VALUE, FEATURE_CONTROL_LOCK,
     "IA32_FEATURE_CONTROL", "locked, with everything off: as firmware leaves it without VMX"},
    {MSR_TSC_ADJUST, MSR_TSC_ADJUST, MSR_DENY, MSR_DENY, NONE, "IA32_TSC_ADJUST", time_stays},
    {MSR_SPEC_CTRL, MSR_SPEC_CTRL, MSR_PASS, MSR_PASS, NONE, "SPEC_CTRL",
     "speculation of this CPU, which is the guest's alone; the hypervisor maps no other's memory"},
    {MSR_PRED_CMD, MSR_PRED_CMD, MSR_DENY, MSR_PASS, NONE, "PRED_CMD",
     "flushes this CPU's branch predictor; write-only"},
    {MSR_BIOS_UPDT_TRIG, MSR_BIOS_UPDT_TRIG, MSR_DENY, MSR_DENY, NONE, "IA32_BIOS_UPDT_TRIG",
     "loads microcode"},
    {MSR_BIOS_SIGN_ID, MSR_BIOS_SIGN_ID, MSR_EMULATE, MSR_IGNORE, NONE, "IA32_BIOS_SIGN_ID",
     "microcode version (AMD: PATCH_LEVEL); Linux reads it unguarded, emulators lack it"},
    {MSR_PLATFORM_INFO, MSR_PLATFORM_INFO, MSR_VALUE, MSR_DENY, 0, "MSR_PLATFORM_INFO",
     "no turbo ratios, no CPUID faulting; Linux reads it unguarded on some models"},
    {MSR_MPERF, MSR_APERF, MSR_DENY, MSR_DENY, NONE, "MPERF, APERF", shared_power},
    {MSR_MTRRCAP, MSR_MTRRCAP, MSR_VALUE, MSR_DENY, MTRRCAP_WC, "MTRRcap",
     "no range registers: memory types come from the second-level tables and the PAT"},
    {MSR_ARCH_CAPS, MSR_ARCH_CAPS, MSR_DENY, MSR_DENY, NONE, "IA32_ARCH_CAPABILITIES",
     "announces MSRs that are denied"},
    {MSR_FLUSH_CMD, MSR_FLUSH_CMD, MSR_DENY, MSR_PASS, NONE, "IA32_FLUSH_CMD",
     "flushes this CPU's L1 cache; write-only"},
    {MSR_SYSENTER_CS, MSR_SYSENTER_EIP, MSR_PASS, MSR_PASS, NONE, "SYSENTER_CS, ESP, EIP", own_cpu},
    {MSR_MCG_CAP, MSR_MCG_CAP, MSR_VALUE, MSR_DENY, 0, "MCG_CAP", no_banks},
    {MSR_MCG_STATUS, MSR_MCG_STATUS, MSR_VALUE, MSR_VALUE, 0, "MCG_STATUS", no_banks},
    {MSR_MISC_ENABLE, MSR_MISC_ENABLE, MSR_VALUE, MSR_IGNORE,
     MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_BTS_UNAVAILABLE | MISC_ENABLE_PEBS_UNAVAILABLE,
     "IA32_MISC_ENABLE", "Linux reads it on every Intel CPU; its switches are not a guest's"},
    {MSR_DEBUGCTL, MSR_DEBUGCTL, MSR_VALUE, MSR_IGNORE, 0, "DEBUGCTL", no_lbr},
    {MSR_LAST_BRANCH, MSR_LAST_BRANCH_END, MSR_VALUE, MSR_IGNORE, 0, "LastBranchFromIP, ...",
     no_lbr},
    {MSR_PAT, MSR_PAT, MSR_PASS, MSR_PASS, NONE, "PAT",
     "with nested paging it is the guest's own register (gPAT; VT-x switches it)"},
    {MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE, MSR_VALUE, MSR_IGNORE,
     MTRR_DEF_TYPE_ENABLE | MTRR_DEF_TYPE_WRITE_BACK, "MTRRdefType",
     "memory is write-back; Linux turns MTRRs off and on again around its PAT setup"},
    {MSR_PERF_CAPS, MSR_PERF_CAPS, MSR_DENY, MSR_DENY, NONE, "IA32_PERF_CAPABILITIES", no_pmu},
    {MSR_VMX_FIRST, MSR_VMX_LAST, MSR_DENY, MSR_DENY, NONE, "IA32_VMX_BASIC, ...", is_virt},
    {MSR_RTIT_FIRST, MSR_RTIT_LAST, MSR_DENY, MSR_DENY, NONE, "IA32_RTIT_...",
     "processor trace writes to physical memory"},
    {MSR_DS_AREA, MSR_DS_AREA, MSR_DENY, MSR_DENY, NONE, "IA32_DS_AREA", no_pmu},
    {MSR_CET_FIRST, MSR_CET_LAST, MSR_DENY, MSR_DENY, NONE, "IA32_U_CET, ...",
     "CET is not shown: its supervisor state would stay in force in the hypervisor"},
    {MSR_TSC_DEADLINE, MSR_TSC_DEADLINE, MSR_PASS, MSR_PASS, NONE, "IA32_TSC_DEADLINE",
     "arms this CPU's own APIC timer"},
    {MSR_X2APIC_FIRST, MSR_X2APIC_LAST, MSR_EMULATE, MSR_EMULATE, NONE, "x2APIC registers",
     "in x2APIC mode those pass that vapic_rules.c says; the others are checked"},
    {MSR_XSS, MSR_XSS, MSR_VALUE, MSR_VALUE, 0, "XSS",
     "no supervisor states: XRSTORS would load MSRs past this table"},
    {MSR_EFER, MSR_EFER, MSR_EMULATE, MSR_EMULATE, NONE, "EFER",
     "AMD-V needs SVME set; the guest sees it clear and may not set it"},
    {MSR_STAR, MSR_SFMASK, MSR_PASS, MSR_PASS, NONE, "STAR, LSTAR, CSTAR, SFMASK", own_cpu},
    {MSR_FS_BASE, MSR_KERNEL_GS_BASE, MSR_PASS, MSR_PASS, NONE, "FS_BASE, GS_BASE, KernelGSBase",
     own_cpu},
    {MSR_TSC_AUX, MSR_TSC_AUX, MSR_PASS, MSR_PASS, NONE, "TSC_AUX", own_cpu},
    {MSR_TSC_RATIO, MSR_TSC_RATIO, MSR_DENY, MSR_DENY, NONE, "TscRateMsr", is_virt},

    {MSR_PERF_LEGACY, MSR_PERF_LEGACY_END, MSR_DENY, MSR_DENY, NONE, "PerfEvtSel, PerfCtr", no_pmu},
    {MSR_SYSCFG, MSR_SYSCFG, MSR_VALUE, MSR_IGNORE, 0, "SYSCFG",
     "Linux reads it with the MTRRs; no memory above TOM is typed, none is encrypted"},
    {MSR_HWCR, MSR_HWCR, MSR_VALUE, MSR_IGNORE, HWCR_TSC_FREQ_SEL, "HWCR",
     "Linux wants to see that the TSC counts at a constant rate; its switches are not a guest's"},
    {MSR_IORR_FIRST, MSR_IORR_LAST, MSR_DENY, MSR_DENY, NONE, "IORRBase, IORRMask", memory_map},
    {MSR_TOP_MEM, MSR_TOP_MEM, MSR_DENY, MSR_DENY, NONE, "TOP_MEM", memory_map},
    {MSR_TOP_MEM2, MSR_TOP_MEM2, MSR_DENY, MSR_DENY, NONE, "TOP_MEM2", memory_map},
    {MSR_NB_CFG, MSR_NB_CFG, MSR_VALUE, MSR_IGNORE, 0, "NB_CFG",
     "Linux asks for extended configuration cycles; there is no physical bus behind the ports"},
    {MSR_PATCH_LOADER, MSR_PATCH_LOADER, MSR_DENY, MSR_DENY, NONE, "PATCH_LOADER",
     "loads microcode"},
    {MSR_SMI_TRIGGERS, MSR_SMI_TRIGGERS_END, MSR_DENY, MSR_DENY, NONE, "SMI_ON_IO_TRAP", is_smm},
    {MSR_INT_PENDING, MSR_INT_PENDING, MSR_VALUE, MSR_IGNORE, 0, "INT_PENDING_MSG",
     "Linux looks for C1E on old families: off, the firmware's matter"},
    {MSR_SMI_IO_TRIGGER, MSR_SMI_IO_TRIGGER, MSR_DENY, MSR_DENY, NONE, "SMI trigger port", is_smm},
    {MSR_MMIO_CFG_BASE, MSR_MMIO_CFG_BASE, MSR_VALUE, MSR_DENY, 0, "MMIO_CFG_BASE",
     "no memory-mapped PCI configuration; setting it would move a window over memory"},
    {MSR_PSTATE_FIRST, MSR_PSTATE_LAST, MSR_DENY, MSR_DENY, NONE, "P-state registers",
     shared_power},
    {MSR_SMM_BASE, MSR_SMM_MASK, MSR_DENY, MSR_DENY, NONE, "SMM_BASE, SMMAddr, SMMMask", is_smm},
    {MSR_VM_CR, MSR_VM_CR, MSR_DENY, MSR_DENY, NONE, "VM_CR", is_virt},
    {MSR_IGNNE, MSR_IGNNE, MSR_DENY, MSR_DENY, NONE, "IGNNE", is_virt},
    {MSR_SMM_CTL, MSR_SMM_CTL, MSR_DENY, MSR_DENY, NONE, "SMM_CTL", is_smm},
    {MSR_VM_HSAVE_PA, MSR_VM_HSAVE_PA, MSR_DENY, MSR_DENY, NONE, "VM_HSAVE_PA", is_virt},
    {MSR_SVM_KEY, MSR_SVM_KEY, MSR_DENY, MSR_DENY, NONE, "SVM_KEY", is_virt},
    {MSR_AVIC_DOORBELL, MSR_AVIC_DOORBELL, MSR_DENY, MSR_DENY, NONE, "AVIC doorbell",
     "interrupts any CPU of the machine"},
    {MSR_VIRT_SPEC_CTRL, MSR_VIRT_SPEC_CTRL, MSR_DENY, MSR_DENY, NONE, "VIRT_SPEC_CTRL",
     "is not shown; SPEC_CTRL is there"},
    {MSR_SEV_FIRST, MSR_SEV_LAST, MSR_DENY, MSR_DENY, NONE, "SEV_ES_GHCB, SEV_STATUS, ...",
     is_virt},
    {MSR_OSVW_ID_LENGTH, MSR_OSVW_STATUS, MSR_PASS, MSR_IGNORE, NONE, "OSVW",
     "list of errata; the firmware's to write"},
    {MSR_PERF_CORE, MSR_PERF_CORE_END, MSR_DENY, MSR_DENY, NONE, "PerfEvtSel, PerfCtr", no_pmu},
    {MSR_CPUID_OVERRIDE, MSR_CPUID_OVERRIDE_END, MSR_DENY, MSR_DENY, NONE, "CPUID overrides",
     tuning},
    {MSR_DR1_ADDR_MASK, MSR_DR3_ADDR_MASK, MSR_PASS, MSR_PASS, NONE, "DR1 to DR3 address masks",
     "for the guest's own breakpoints; #VMEXIT turns breakpoints off"},
    {MSR_LS_CFG, MSR_DC_CFG, MSR_DENY, MSR_DENY, NONE, "LS_CFG, IC_CFG, DC_CFG", tuning},
    {MSR_DR0_ADDR_MASK, MSR_DR0_ADDR_MASK, MSR_PASS, MSR_PASS, NONE, "DR0 address mask",
     "for the guest's own breakpoints; #VMEXIT turns breakpoints off"},
    {MSR_DE_CFG, MSR_DE_CFG, MSR_VALUE, MSR_IGNORE, DE_CFG_LFENCE_SERIALIZE, "DE_CFG",
     "LFENCE serializes, which the hypervisor sees to at boot; the other bits are chicken bits"},
    {MSR_IBS_FIRST, MSR_IBS_LAST, MSR_DENY, MSR_DENY, NONE, "IBS",
     "sampling would show the hypervisor's addresses"},
};

const struct msr_rule *msr_policy_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}
