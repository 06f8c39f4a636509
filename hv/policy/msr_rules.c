// SPDX-License-Identifier: Apache-2.0
// The MSRs that a guest may reach, in ascending order. An MSR without a row gives #GP(0), as if it
// did not exist. Rows that deny are here if a reader could think that they were forgotten. An MSR
// that passes but that this CPU lacks gives the CPU's own #GP. A row that denies says why no guest
// that follows CPUID gets its #GP. An MSR that some system accesses without a handler gives a
// value.
#include "arch/cpu/cpuid.h"
#include "arch/cpu/msr.h"
#include "arch/interrupt/apic_defs.h"
#include "hv/policy/cpuid_policy.h"
#include "hv/policy/msr_policy.h"

#define NONE 0

#define OPEN                                                                                       \
    {                                                                                              \
        MSR_OPEN, 0, 0, 0, 0                                                                       \
    }
#define HIDDEN(leaf, reg, mask)                                                                    \
    {                                                                                              \
        MSR_CPUID, reg, 0, leaf, mask                                                              \
    }
#define BY_MSR(msr, mask)                                                                          \
    {                                                                                              \
        MSR_BY_MSR, 0, 0, msr, mask                                                                \
    }
#define ONE_WAY                                                                                    \
    {                                                                                              \
        MSR_ONE_WAY, 0, 0, 0, 0                                                                    \
    }
#define PROBED                                                                                     \
    {                                                                                              \
        MSR_PROBED, 0, 0, 0, 0                                                                     \
    }
#define BARE                                                                                       \
    {                                                                                              \
        MSR_BARE, 0, 0, 0, 0                                                                       \
    }
#define FIRMWARE                                                                                   \
    {                                                                                              \
        MSR_FIRMWARE, 0, 0, 0, 0                                                                   \
    }
#define HIDDEN_SVM    HIDDEN(CPUID_EXT_FEATURES, CPUID_ECX, CPUID_80000001_ECX_SVM)
#define HIDDEN_PSTATE HIDDEN(CPUID_EXT_POWER, CPUID_EDX, CPUID_80000007_EDX_HW_PSTATE)

static const char time_stays[] = "the hypervisor keeps time by the TSC, so a write has no effect";
static const char no_banks[] = "no machine-check banks are shown";
static const char own_cpu[] = "state of this CPU that the hypervisor never uses";
static const char no_pmu[] = "no performance counters are shown: they could count the hypervisor";
static const char old_pmu[] = "counters that no CPUID bit announces, and that stand still: kernels "
                              "and test suites set them up "
                              "at start";
static const char is_smm[] = "system management mode belongs to the firmware";
static const char is_virt[] =
    "no virtualization is shown; writing it would reach hypervisor memory";
static const char no_lbr[] = "branch records would show the hypervisor's branches; stays off";
static const char memory_map[] = "the physical memory map belongs to the hypervisor";
static const char shared_power[] = "clocks and power are shared with other partitions' CPUs";
static const char tuning[] = "undocumented switches of the core; could break the hypervisor";
static const char tuning_read[] =
    "switches of the core, which only the model announces: some systems set those of errata "
    "unguarded. They stay as they are";
static const char fixed_mtrr[] = "write-back, as all memory; MTRRcap says that there are none, and "
                                 "NetBSD touches them all the same";
static const char old_kernels[] = "some systems read it by the model alone; nothing a guest needs";
static const char microcode[] = "loads microcode";

static const struct msr_rule rules[] = {
    {MSR_P5_MC_ADDR, MSR_P5_MC_TYPE, MSR_VALUE, MSR_VALUE, 0, "P5_MC_ADDR, P5_MC_TYPE", no_banks,
     OPEN},
    {MSR_TSC, MSR_TSC, MSR_PASS, MSR_IGNORE, NONE, "TSC", time_stays, OPEN},
    {MSR_PLATFORM_ID, MSR_PLATFORM_ID, MSR_VALUE, MSR_DENY, 0, "IA32_PLATFORM_ID",
     "Linux reads it on every Intel CPU; names a socket, nothing a guest needs", ONE_WAY},
    {MSR_APIC_BASE, MSR_APIC_BASE, MSR_EMULATE, MSR_EMULATE, NONE, "IA32_APIC_BASE",
     "its mode and the place of its page are the guest's own, not the physical APIC's", OPEN},
    {MSR_EBL_CR_POWERON, MSR_EBL_CR_POWERON, MSR_VALUE, MSR_IGNORE, 0, "MSR_EBL_CR_POWERON",
     old_kernels, OPEN},
    {MSR_EBC_FREQUENCY, MSR_EBC_FREQUENCY, MSR_VALUE, MSR_IGNORE, 0, "MSR_EBC_FREQUENCY_ID",
     "old kernels read it on family 15", OPEN},
    {MSR_SMI_COUNT, MSR_SMI_COUNT, MSR_VALUE, MSR_DENY, 0, "MSR_SMI_COUNT", is_smm, ONE_WAY},
    {MSR_FEATURE_CONTROL, MSR_FEATURE_CONTROL, MSR_VALUE, MSR_VALUE, FEATURE_CONTROL_LOCK,
     "IA32_FEATURE_CONTROL", "locked, with everything off: as firmware leaves it without VMX",
     OPEN},
    {MSR_TSC_ADJUST, MSR_TSC_ADJUST, MSR_DENY, MSR_DENY, NONE, "IA32_TSC_ADJUST", time_stays,
     HIDDEN(CPUID_EXTENDED_FEATURES, CPUID_EBX, CPUID_7_EBX_TSC_ADJUST)},
    {MSR_SPEC_CTRL, MSR_SPEC_CTRL, MSR_PASS, MSR_PASS, NONE, "SPEC_CTRL",
     "speculation of this CPU, which is the guest's alone; the hypervisor maps no other's memory",
     OPEN},
    {MSR_PRED_CMD, MSR_PRED_CMD, MSR_DENY, MSR_PASS, NONE, "PRED_CMD",
     "flushes this CPU's branch predictor; write-only", ONE_WAY},
    {MSR_PPIN_CTL, MSR_PPIN_CTL, MSR_VALUE, MSR_DENY, PPIN_CTL_LOCK, "PPIN_CTL",
     "the machine's serial number: locked and not to be read, as firmware leaves it; locked, it "
     "takes no write",
     ONE_WAY},
    {MSR_PPIN, MSR_PPIN, MSR_DENY, MSR_DENY, NONE, "PPIN", "the machine's serial number",
     BY_MSR(MSR_PPIN_CTL, PPIN_CTL_ENABLE)},
    {MSR_BIOS_UPDT_TRIG, MSR_BIOS_UPDT_TRIG, MSR_DENY, MSR_DENY, NONE, "IA32_BIOS_UPDT_TRIG",
     microcode, BARE},
    {MSR_BIOS_SIGN_ID, MSR_BIOS_SIGN_ID, MSR_EMULATE, MSR_IGNORE, NONE, "IA32_BIOS_SIGN_ID",
     "microcode version (AMD: PATCH_LEVEL); Linux reads it unguarded, emulators lack it", OPEN},
    {MSR_PERF_P6, MSR_PERF_P6_END, MSR_VALUE, MSR_IGNORE, 0, "PMC0, PMC1", old_pmu, OPEN},
    {MSR_FSB_FREQ, MSR_FSB_FREQ, MSR_VALUE, MSR_DENY, 0, "MSR_FSB_FREQ", old_kernels, ONE_WAY},
    {MSR_PLATFORM_INFO, MSR_PLATFORM_INFO, MSR_VALUE, MSR_DENY, 0, "MSR_PLATFORM_INFO",
     "no turbo ratios, no CPUID faulting; Linux reads it unguarded on some models", ONE_WAY},
    {MSR_MPERF, MSR_APERF, MSR_DENY, MSR_DENY, NONE, "MPERF, APERF", shared_power,
     HIDDEN(CPUID_POWER, CPUID_ECX, CPUID_6_ECX_APERF)},
    {MSR_MTRRCAP, MSR_MTRRCAP, MSR_VALUE, MSR_DENY, MTRRCAP_WC, "MTRRcap",
     "no range registers: memory types come from the second-level tables and the PAT", ONE_WAY},
    {MSR_ARCH_CAPS, MSR_ARCH_CAPS, MSR_DENY, MSR_DENY, NONE, "IA32_ARCH_CAPABILITIES",
     "announces MSRs that are denied",
     HIDDEN(CPUID_EXTENDED_FEATURES, CPUID_EDX, CPUID_7_EDX_ARCH_CAPS)},
    {MSR_FLUSH_CMD, MSR_FLUSH_CMD, MSR_DENY, MSR_PASS, NONE, "IA32_FLUSH_CMD",
     "flushes this CPU's L1 cache; write-only", ONE_WAY},
    {MSR_BBL_CR_CTL3, MSR_BBL_CR_CTL3, MSR_VALUE, MSR_IGNORE,
     BBL_CR_CTL3_L2_THERE | BBL_CR_CTL3_L2_ENABLED, "MSR_BBL_CR_CTL3",
     "the L2 cache is there and on; some systems read it by the model alone", OPEN},
    {MSR_MISC_FEATURES, MSR_MISC_FEATURES, MSR_DENY, MSR_DENY, NONE, "MSR_MISC_FEATURES_ENABLES",
     "CPUID faulting and MWAIT from ring 3, which a guest has not",
     BY_MSR(MSR_PLATFORM_INFO, PLATFORM_INFO_CPUID_FAULT)},
    {MSR_SYSENTER_CS, MSR_SYSENTER_EIP, MSR_PASS, MSR_PASS, NONE, "SYSENTER_CS, ESP, EIP", own_cpu,
     OPEN},
    {MSR_MCG_CAP, MSR_MCG_CAP, MSR_VALUE, MSR_DENY, 0, "MCG_CAP", no_banks, ONE_WAY},
    {MSR_MCG_STATUS, MSR_MCG_STATUS, MSR_VALUE, MSR_VALUE, 0, "MCG_STATUS", no_banks, OPEN},
    {MSR_MCG_CTL, MSR_MCG_CTL, MSR_DENY, MSR_DENY, NONE, "MCG_CTL", no_banks,
     BY_MSR(MSR_MCG_CAP, MCG_CAP_CONTROL)},
    {MSR_EVENT_P6, MSR_EVENT_P6_END, MSR_VALUE, MSR_IGNORE, 0, "PERFEVTSEL0, PERFEVTSEL1", old_pmu,
     OPEN},
    {MSR_PERF_STATUS, MSR_PERF_STATUS, MSR_VALUE, MSR_DENY, 0, "IA32_PERF_STATUS", shared_power,
     ONE_WAY},
    {MSR_PERF_CTL, MSR_PERF_CTL, MSR_VALUE, MSR_IGNORE, 0, "IA32_PERF_CTL", shared_power, OPEN},
    {MSR_THERM_FIRST, MSR_THERM_LAST, MSR_DENY, MSR_DENY, NONE, "IA32_CLOCK_MODULATION, ...",
     shared_power, HIDDEN(CPUID_FEATURES, CPUID_EDX, CPUID_1_EDX_ACPI)},
    {MSR_MISC_ENABLE, MSR_MISC_ENABLE, MSR_VALUE, MSR_IGNORE,
     MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_BTS_UNAVAILABLE | MISC_ENABLE_PEBS_UNAVAILABLE,
     "IA32_MISC_ENABLE", "Linux reads it on every Intel CPU; its switches are not a guest's", OPEN},
    {MSR_TEMPERATURE, MSR_TEMPERATURE, MSR_VALUE, MSR_IGNORE, 0, "MSR_TEMPERATURE_TARGET",
     shared_power, OPEN},
    {MSR_ENERGY_BIAS, MSR_ENERGY_BIAS, MSR_DENY, MSR_DENY, NONE, "IA32_ENERGY_PERF_BIAS",
     shared_power, HIDDEN(CPUID_POWER, CPUID_ECX, CPUID_6_ECX_ENERGY_BIAS)},
    {MSR_DEBUGCTL, MSR_DEBUGCTL, MSR_VALUE, MSR_IGNORE, 0, "DEBUGCTL", no_lbr, OPEN},
    {MSR_LAST_BRANCH, MSR_LAST_BRANCH_END, MSR_VALUE, MSR_IGNORE, 0, "LastBranchFromIP, ...",
     no_lbr, OPEN},
    {MSR_MTRR_PHYS_BASE, MSR_MTRR_PHYS_LAST, MSR_DENY, MSR_DENY, NONE, "MTRRphysBase0, ...",
     memory_map, BY_MSR(MSR_MTRRCAP, MTRRCAP_COUNT)},
    {MSR_MTRR_FIX64K, MSR_MTRR_FIX64K, MSR_VALUE, MSR_IGNORE, MTRR_FIX_WRITE_BACK, "MTRRfix64K",
     fixed_mtrr, OPEN},
    {MSR_MTRR_FIX16K, MSR_MTRR_FIX16K_END, MSR_VALUE, MSR_IGNORE, MTRR_FIX_WRITE_BACK, "MTRRfix16K",
     fixed_mtrr, OPEN},
    {MSR_MTRR_FIX4K, MSR_MTRR_FIX4K_END, MSR_VALUE, MSR_IGNORE, MTRR_FIX_WRITE_BACK, "MTRRfix4K",
     fixed_mtrr, OPEN},
    {MSR_PAT, MSR_PAT, MSR_PASS, MSR_PASS, NONE, "PAT",
     "with nested paging it is the guest's own register (gPAT; VT-x switches it)", OPEN},
    {MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE, MSR_VALUE, MSR_IGNORE,
     MTRR_DEF_TYPE_ENABLE | MTRR_DEF_TYPE_WRITE_BACK, "MTRRdefType",
     "memory is write-back; Linux turns MTRRs off and on again around its PAT setup", OPEN},
    {MSR_PERF_CAPS, MSR_PERF_CAPS, MSR_DENY, MSR_DENY, NONE, "IA32_PERF_CAPABILITIES", no_pmu,
     HIDDEN(CPUID_FEATURES, CPUID_ECX, CPUID_1_ECX_PDCM)},
    {MSR_MC_FIRST, MSR_MC_LAST, MSR_DENY, MSR_DENY, NONE, "MC0_CTL, ...", no_banks,
     BY_MSR(MSR_MCG_CAP, MCG_CAP_COUNT)},
    {MSR_VMX_FIRST, MSR_VMX_LAST, MSR_DENY, MSR_DENY, NONE, "IA32_VMX_BASIC, ...", is_virt,
     HIDDEN(CPUID_FEATURES, CPUID_ECX, CPUID_1_ECX_VMX)},
    {MSR_RTIT_FIRST, MSR_RTIT_LAST, MSR_DENY, MSR_DENY, NONE, "IA32_RTIT_...",
     "processor trace writes to physical memory",
     HIDDEN(CPUID_EXTENDED_FEATURES, CPUID_EBX, CPUID_7_EBX_PT)},
    {MSR_DS_AREA, MSR_DS_AREA, MSR_DENY, MSR_DENY, NONE, "IA32_DS_AREA", no_pmu,
     HIDDEN(CPUID_FEATURES, CPUID_EDX, CPUID_1_EDX_DS)},
    {MSR_RAPL_UNIT, MSR_RAPL_UNIT, MSR_VALUE, MSR_IGNORE, 0, "MSR_RAPL_POWER_UNIT", shared_power,
     OPEN},
    {MSR_RAPL_PACKAGE, MSR_RAPL_PACKAGE_END, MSR_VALUE, MSR_IGNORE, 0, "MSR_PKG_..., MSR_DRAM_...",
     shared_power, OPEN},
    {MSR_RAPL_PP0, MSR_RAPL_PP0_END, MSR_VALUE, MSR_IGNORE, 0, "MSR_PP0_...", shared_power, OPEN},
    {MSR_RAPL_PP1, MSR_RAPL_PP1_END, MSR_VALUE, MSR_IGNORE, 0, "MSR_PP1_...", shared_power, OPEN},
    {MSR_CET_FIRST, MSR_CET_LAST, MSR_DENY, MSR_DENY, NONE, "IA32_U_CET, ...",
     "CET is not shown: its supervisor state would stay in force in the hypervisor",
     HIDDEN(CPUID_EXTENDED_FEATURES, CPUID_ECX, CPUID_7_ECX_CET_SS)},
    {MSR_TSC_DEADLINE, MSR_TSC_DEADLINE, MSR_PASS, MSR_PASS, NONE, "IA32_TSC_DEADLINE",
     "arms this CPU's own APIC timer", OPEN},
    {MSR_X2APIC_FIRST, MSR_X2APIC_LAST, MSR_EMULATE, MSR_EMULATE, NONE, "x2APIC registers",
     "in x2APIC mode those pass that vapic_rules.c says; the others are checked", OPEN},
    {MSR_XSS, MSR_XSS, MSR_VALUE, MSR_VALUE, 0, "XSS",
     "no supervisor states: XRSTORS would load MSRs past this table", OPEN},
    {MSR_EFER, MSR_EFER, MSR_EMULATE, MSR_EMULATE, NONE, "EFER",
     "AMD-V needs SVME set; the guest sees it clear and may not set it", OPEN},
    {MSR_STAR, MSR_SFMASK, MSR_PASS, MSR_PASS, NONE, "STAR, LSTAR, CSTAR, SFMASK", own_cpu, OPEN},
    {MSR_FS_BASE, MSR_KERNEL_GS_BASE, MSR_PASS, MSR_PASS, NONE, "FS_BASE, GS_BASE, KernelGSBase",
     own_cpu, OPEN},
    {MSR_TSC_AUX, MSR_TSC_AUX, MSR_PASS, MSR_PASS, NONE, "TSC_AUX", own_cpu, OPEN},
    {MSR_TSC_RATIO, MSR_TSC_RATIO, MSR_DENY, MSR_DENY, NONE, "TscRateMsr", is_virt, HIDDEN_SVM},

    {MSR_PERF_LEGACY, MSR_PERF_LEGACY_END, MSR_VALUE, MSR_IGNORE, 0, "PerfEvtSel, PerfCtr", old_pmu,
     OPEN},
    {MSR_SYSCFG, MSR_SYSCFG, MSR_VALUE, MSR_IGNORE, 0, "SYSCFG",
     "Linux reads it with the MTRRs; no memory above TOM is typed, none is encrypted", OPEN},
    {MSR_HWCR, MSR_HWCR, MSR_VALUE, MSR_IGNORE, HWCR_TSC_FREQ_SEL, "HWCR",
     "Linux wants to see that the TSC counts at a constant rate; its switches are not a guest's",
     OPEN},
    {MSR_IORR_FIRST, MSR_IORR_LAST, MSR_DENY, MSR_DENY, NONE, "IORRBase, IORRMask", memory_map,
     FIRMWARE},
    {MSR_TOP_MEM, MSR_TOP_MEM, MSR_DENY, MSR_DENY, NONE, "TOP_MEM", memory_map,
     BY_MSR(MSR_SYSCFG, SYSCFG_TOP_MEM)},
    {MSR_TOP_MEM2, MSR_TOP_MEM2, MSR_DENY, MSR_DENY, NONE, "TOP_MEM2", memory_map,
     BY_MSR(MSR_SYSCFG, SYSCFG_TOP_MEM2)},
    {MSR_NB_CFG, MSR_NB_CFG, MSR_VALUE, MSR_IGNORE, 0, "NB_CFG",
     "Linux asks for extended configuration cycles; there is no physical bus behind the ports",
     OPEN},
    {MSR_PATCH_LOADER, MSR_PATCH_LOADER, MSR_DENY, MSR_DENY, NONE, "PATCH_LOADER", microcode, BARE},
    {MSR_MC_CTL_MASK, MSR_MC_CTL_MASK_END, MSR_DENY, MSR_DENY, NONE, "MC0_CTL_MASK, ...", no_banks,
     BY_MSR(MSR_MCG_CAP, MCG_CAP_COUNT)},
    {MSR_SMI_TRIGGERS, MSR_SMI_TRIGGERS_END, MSR_DENY, MSR_DENY, NONE, "SMI_ON_IO_TRAP", is_smm,
     FIRMWARE},
    {MSR_INT_PENDING, MSR_INT_PENDING, MSR_VALUE, MSR_IGNORE, 0, "INT_PENDING_MSG",
     "Linux looks for C1E on old families: off, the firmware's matter", OPEN},
    {MSR_SMI_IO_TRIGGER, MSR_SMI_IO_TRIGGER, MSR_DENY, MSR_DENY, NONE, "SMI trigger port", is_smm,
     FIRMWARE},
    {MSR_MMIO_CFG_BASE, MSR_MMIO_CFG_BASE, MSR_VALUE, MSR_IGNORE, 0, "MMIO_CFG_BASE",
     "no memory-mapped PCI configuration; Linux may want to set it on family 10h, which would move "
     "a window over memory",
     OPEN},
    {MSR_PSTATE_FIRST, MSR_PSTATE_LAST, MSR_DENY, MSR_DENY, NONE, "P-state registers", shared_power,
     HIDDEN_PSTATE},
    {MSR_SMM_BASE, MSR_SMM_BASE, MSR_DENY, MSR_DENY, NONE, "SMM_BASE", is_smm, FIRMWARE},
    {MSR_SMM_ADDR, MSR_SMM_MASK, MSR_VALUE, MSR_IGNORE, 0, "SMMAddr, SMMMask",
     "no memory is kept for system management mode, which is the firmware's; Windows reads it",
     OPEN},
    {MSR_VM_CR, MSR_VM_CR, MSR_DENY, MSR_DENY, NONE, "VM_CR", is_virt, HIDDEN_SVM},
    {MSR_IGNNE, MSR_IGNNE, MSR_DENY, MSR_DENY, NONE, "IGNNE", is_virt, HIDDEN_SVM},
    {MSR_SMM_CTL, MSR_SMM_CTL, MSR_DENY, MSR_DENY, NONE, "SMM_CTL", is_smm, HIDDEN_SVM},
    {MSR_VM_HSAVE_PA, MSR_VM_HSAVE_PA, MSR_DENY, MSR_DENY, NONE, "VM_HSAVE_PA", is_virt,
     HIDDEN_SVM},
    {MSR_SVM_KEY, MSR_SVM_KEY, MSR_DENY, MSR_DENY, NONE, "SVM_KEY", is_virt, HIDDEN_SVM},
    {MSR_AVIC_DOORBELL, MSR_AVIC_DOORBELL, MSR_DENY, MSR_DENY, NONE, "AVIC doorbell",
     "interrupts any CPU of the machine", HIDDEN_SVM},
    {MSR_VIRT_SPEC_CTRL, MSR_VIRT_SPEC_CTRL, MSR_EMULATE, MSR_EMULATE, NONE, "VIRT_SPEC_CTRL",
     "SSBD of processors whose SPEC_CTRL has none, shown by CPUID 0x80000008 there: a bit of "
     "LS_CFG, "
     "which is on while one of a core's threads wants it; elsewhere #GP",
     OPEN},
    {MSR_SEV_FIRST, MSR_SEV_LAST, MSR_DENY, MSR_DENY, NONE, "SEV_ES_GHCB, SEV_STATUS, ...", is_virt,
     HIDDEN(CPUID_EXT_ENCRYPTION, CPUID_EAX, CPUID_8000001F_EAX_SME | CPUID_8000001F_EAX_SEV)},
    {MSR_OSVW_ID_LENGTH, MSR_OSVW_STATUS, MSR_PASS, MSR_IGNORE, NONE, "OSVW",
     "list of errata; the firmware's to write", OPEN},
    {MSR_PERF_CORE, MSR_PERF_CORE_END, MSR_DENY, MSR_DENY, NONE, "PerfEvtSel, PerfCtr", no_pmu,
     HIDDEN(CPUID_EXT_FEATURES, CPUID_ECX,
            CPUID_80000001_ECX_PERFCTR_CORE | CPUID_80000001_ECX_PERFCTR_NB |
                CPUID_80000001_ECX_PERFCTR_LLC)},
    {MSR_CPUID_OVERRIDE, MSR_CPUID_OVERRIDE_END, MSR_DENY, MSR_DENY, NONE, "CPUID overrides",
     tuning, PROBED},
    {MSR_DR1_ADDR_MASK, MSR_DR3_ADDR_MASK, MSR_PASS, MSR_PASS, NONE, "DR1 to DR3 address masks",
     "for the guest's own breakpoints; #VMEXIT turns breakpoints off", OPEN},
    {MSR_LS_CFG, MSR_IC_CFG, MSR_DENY, MSR_DENY, NONE, "LS_CFG, IC_CFG",
     "switches of the core. Linux tries them, and takes what can be read for what can be set: "
     "SSBD, for one",
     PROBED},
    {MSR_DC_CFG, MSR_BU_CFG, MSR_VALUE, MSR_IGNORE, 0, "DC_CFG, BU_CFG", tuning_read, OPEN},
    {MSR_DR0_ADDR_MASK, MSR_DR0_ADDR_MASK, MSR_PASS, MSR_PASS, NONE, "DR0 address mask",
     "for the guest's own breakpoints; #VMEXIT turns breakpoints off", OPEN},
    {MSR_DE_CFG, MSR_DE_CFG, MSR_VALUE, MSR_IGNORE, DE_CFG_LFENCE_SERIALIZE, "DE_CFG",
     "LFENCE serializes, which the hypervisor sees to at boot; the other bits are chicken bits",
     OPEN},
    {MSR_BU_CFG2, MSR_BU_CFG2, MSR_VALUE, MSR_IGNORE, 0, "BU_CFG2", tuning_read, OPEN},
    {MSR_EX_CFG, MSR_EX_CFG, MSR_VALUE, MSR_IGNORE, 0, "EX_CFG", tuning_read, OPEN},
    {MSR_IBS_FIRST, MSR_IBS_LAST, MSR_DENY, MSR_DENY, NONE, "IBS",
     "sampling would show the hypervisor's addresses",
     HIDDEN(CPUID_EXT_FEATURES, CPUID_ECX, CPUID_80000001_ECX_IBS)},
};

const struct msr_rule *msr_policy_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}
