// SPDX-License-Identifier: Apache-2.0
// Numbers of model-specific registers and their bits, with the manuals' names (Intel SDM vol. 4;
// AMD APM vol. 2 appendix A and the family manuals). MSR_ is prefixed to all of them.
#ifndef ARCH_CPU_MSR_H
#define ARCH_CPU_MSR_H

#include "arch/lib/types.h"

// Architectural, both vendors
#define MSR_TSC             0x010u
#define MSR_APIC_BASE       0x01bu
#define MSR_SPEC_CTRL       0x048u
#define MSR_PRED_CMD        0x049u
#define MSR_BIOS_SIGN_ID    0x08bu // AMD: PATCH_LEVEL
#define MSR_MPERF           0x0e7u
#define MSR_APERF           0x0e8u
#define MSR_MTRRCAP         0x0feu
#define MSR_FLUSH_CMD       0x10bu
#define MSR_SYSENTER_CS     0x174u
#define MSR_SYSENTER_ESP    0x175u
#define MSR_SYSENTER_EIP    0x176u
#define MSR_MCG_CAP         0x179u
#define MSR_MCG_STATUS      0x17au
#define MSR_MCG_CTL         0x17bu
#define MSR_DEBUGCTL        0x1d9u
#define MSR_LAST_BRANCH     0x1dbu // to 0x1de: last branch and last interrupt, from and to
#define MSR_LAST_BRANCH_END 0x1deu
#define MSR_MTRR_PHYS_BASE  0x200u // followed by its mask, for each variable range
#define MSR_MTRR_PHYS_LAST  0x21fu // for 16 ranges, the most that any known processor has
#define MSR_MTRR_FIX64K     0x250u
#define MSR_MTRR_FIX16K     0x258u // to 0x259
#define MSR_MTRR_FIX16K_END 0x259u
#define MSR_MTRR_FIX4K      0x268u // to 0x26f
#define MSR_MTRR_FIX4K_END  0x26fu
#define MSR_PAT             0x277u
#define MSR_MTRR_DEF_TYPE   0x2ffu
#define MSR_MC_FIRST        0x400u // the banks, 32 of them at most
#define MSR_MC_LAST         0x47fu
#define MSR_MC_CTL(bank)    (0x400u + 4u * (bank))
#define MSR_MC_STATUS(bank) (0x401u + 4u * (bank))
#define MSR_MC_ADDR(bank)   (0x402u + 4u * (bank))
#define MSR_XSS             0xda0u
#define MSR_EFER            0xc0000080u
#define MSR_STAR            0xc0000081u
#define MSR_LSTAR           0xc0000082u
#define MSR_CSTAR           0xc0000083u
#define MSR_SFMASK          0xc0000084u
#define MSR_FS_BASE         0xc0000100u
#define MSR_GS_BASE         0xc0000101u
#define MSR_KERNEL_GS_BASE  0xc0000102u
#define MSR_TSC_AUX         0xc0000103u

// Intel
#define MSR_P5_MC_ADDR       0x000u // and P5_MC_TYPE
#define MSR_P5_MC_TYPE       0x001u
#define MSR_PLATFORM_ID      0x017u
#define MSR_EBL_CR_POWERON   0x02au
#define MSR_EBC_FREQUENCY    0x02cu
#define MSR_SMI_COUNT        0x034u
#define MSR_FEATURE_CONTROL  0x03au
#define MSR_TSC_ADJUST       0x03bu
#define MSR_PPIN_CTL         0x04eu
#define MSR_PPIN             0x04fu
#define MSR_BIOS_UPDT_TRIG   0x079u
#define MSR_PERF_P6          0x0c1u // PMC0 and PMC1
#define MSR_PERF_P6_END      0x0c2u
#define MSR_FSB_FREQ         0x0cdu
#define MSR_PLATFORM_INFO    0x0ceu
#define MSR_ARCH_CAPS        0x10au
#define MSR_BBL_CR_CTL3      0x11eu
#define MSR_MISC_FEATURES    0x140u
#define MSR_EVENT_P6         0x186u // PERFEVTSEL0 and PERFEVTSEL1
#define MSR_EVENT_P6_END     0x187u
#define MSR_PERF_STATUS      0x198u
#define MSR_PERF_CTL         0x199u
#define MSR_THERM_FIRST      0x19au // CLOCK_MODULATION, THERM_INTERRUPT, THERM_STATUS
#define MSR_THERM_LAST       0x19cu
#define MSR_MISC_ENABLE      0x1a0u
#define MSR_TEMPERATURE      0x1a2u // TEMPERATURE_TARGET
#define MSR_ENERGY_BIAS      0x1b0u // ENERGY_PERF_BIAS
#define MSR_PERF_CAPS        0x345u
#define MSR_PERF_GLOBAL_CTRL 0x38fu
#define MSR_PEBS_ENABLE      0x3f1u
#define MSR_VMX_FIRST        0x480u
#define MSR_VMX_LAST         0x493u
#define MSR_VMX_MISC         0x485u
#define VMX_MISC_TIMER_SHIFT 0x1fu // the preemption timer counts when this bit of the TSC changes
#define MSR_RTIT_FIRST       0x560u
#define MSR_RTIT_CTL         0x570u
#define MSR_RTIT_LAST        0x587u
#define MSR_DS_AREA          0x600u
#define MSR_RAPL_UNIT        0x606u // RAPL: units, then four domains
#define MSR_RAPL_PACKAGE     0x610u // package and DRAM
#define MSR_RAPL_PACKAGE_END 0x61cu
#define MSR_RAPL_PP0         0x638u
#define MSR_RAPL_PP0_END     0x63bu
#define MSR_RAPL_PP1         0x640u
#define MSR_RAPL_PP1_END     0x642u
#define MSR_CET_FIRST        0x6a0u
#define MSR_CET_LAST         0x6a8u
#define MSR_TSC_DEADLINE     0x6e0u
#define MSR_LBR_CTL          0x14ceu

// AMD
#define MSR_TSC_RATIO          0xc0000104u
#define MSR_PERF_GLOBAL_AMD    0xc0000301u // PerfCntrGlobalCtl
#define MSR_PERF_LEGACY        0xc0010000u // to 0xc0010007
#define MSR_PERF_LEGACY_END    0xc0010007u
#define MSR_SYSCFG             0xc0010010u
#define MSR_HWCR               0xc0010015u
#define MSR_IORR_FIRST         0xc0010016u
#define MSR_IORR_LAST          0xc0010019u
#define MSR_TOP_MEM            0xc001001au
#define MSR_TOP_MEM2           0xc001001du
#define MSR_NB_CFG             0xc001001fu
#define MSR_PATCH_LOADER       0xc0010020u
#define MSR_MC_CTL_MASK        0xc0010044u // of the machine-check banks
#define MSR_MC_CTL_MASK_END    0xc001004au
#define MSR_SMI_TRIGGERS       0xc0010050u // to 0xc0010054, and 0xc0010056
#define MSR_SMI_TRIGGERS_END   0xc0010054u
#define MSR_INT_PENDING        0xc0010055u
#define MSR_SMI_IO_TRIGGER     0xc0010056u
#define MSR_MMIO_CFG_BASE      0xc0010058u
#define MSR_PSTATE_FIRST       0xc0010061u
#define MSR_PSTATE_LAST        0xc001006bu
#define MSR_SMM_BASE           0xc0010111u
#define MSR_SMM_ADDR           0xc0010112u
#define MSR_SMM_MASK           0xc0010113u
#define MSR_VM_CR              0xc0010114u
#define MSR_IGNNE              0xc0010115u
#define MSR_SMM_CTL            0xc0010116u
#define MSR_VM_HSAVE_PA        0xc0010117u
#define MSR_SVM_KEY            0xc0010118u
#define MSR_AVIC_DOORBELL      0xc001011bu
#define MSR_VIRT_SPEC_CTRL     0xc001011fu
#define MSR_SEV_FIRST          0xc0010130u
#define MSR_SEV_LAST           0xc001013fu
#define MSR_OSVW_ID_LENGTH     0xc0010140u
#define MSR_OSVW_STATUS        0xc0010141u
#define MSR_PERF_CORE          0xc0010200u // counters of core, northbridge and L3
#define MSR_PERF_CORE_END      0xc001024fu
#define MSR_CPUID_OVERRIDE     0xc0011002u // to 0xc0011005
#define MSR_CPUID_OVERRIDE_END 0xc0011005u
#define MSR_DR1_ADDR_MASK      0xc0011019u // to 0xc001101b: DR1, DR2, DR3
#define MSR_DR3_ADDR_MASK      0xc001101bu
#define MSR_LS_CFG             0xc0011020u
#define MSR_IC_CFG             0xc0011021u
#define MSR_DC_CFG             0xc0011022u
#define MSR_BU_CFG             0xc0011023u // later TW_CFG
#define MSR_DR0_ADDR_MASK      0xc0011027u
#define MSR_DE_CFG             0xc0011029u
#define MSR_BU_CFG2            0xc001102au
#define MSR_EX_CFG             0xc001102cu // load and store unit, family 15h
#define MSR_IBS_FIRST          0xc0011030u
#define MSR_IBS_LAST           0xc001103fu
#define MSR_IBS_FETCH_CTL      0xc0011030u
#define MSR_IBS_OP_CTL         0xc0011033u

// EFER
#define EFER_SCE   BIT(0)
#define EFER_LME   BIT(8)
#define EFER_LMA   BIT(10)
#define EFER_NXE   BIT(11)
#define EFER_SVME  BIT(12)
#define EFER_FFXSR BIT(14)
#define EFER_TCE   BIT(15)

// VM_CR
#define VM_CR_SVMDIS BIT(4)

// FEATURE_CONTROL
#define FEATURE_CONTROL_LOCK        BIT(0)
#define FEATURE_CONTROL_VMX_OUTSIDE BIT(2) // VMXON outside SMX

// DE_CFG
#define DE_CFG_LFENCE_SERIALIZE BIT(1)

// SYSCFG: the bits that decide what is memory and how it is cached (APM vol. 2, 7.9.1)
#define SYSCFG_MEMORY          0x7c0000ull
#define SYSCFG_TOP_MEM         BIT(20) // TOP_MEM is in force
#define SYSCFG_TOP_MEM2        BIT(21)
#define SYSCFG_TOM2_WRITE_BACK BIT(22) // from 4 GiB up to TOP_MEM2

// HWCR
#define HWCR_TSC_FREQ_SEL BIT(24)

// MTRRCAP
#define MTRRCAP_COUNT 0xffu // of variable ranges
#define MTRRCAP_FIXED BIT(8)
#define MTRRCAP_WC    BIT(10)

// MTRR_DEF_TYPE
#define MTRR_DEF_TYPE_ENABLE     BIT(11)
#define MTRR_DEF_TYPE_WRITE_BACK 6u

// PPIN_CTL
#define PPIN_CTL_LOCK   BIT(0)
#define PPIN_CTL_ENABLE BIT(1)

// PLATFORM_INFO
#define PLATFORM_INFO_CPUID_FAULT BIT(31)

// MCG_CAP
#define MCG_CAP_COUNT   0xffu
#define MCG_CAP_CONTROL BIT(8) // MCG_CTL exists

// BBL_CR_CTL3
#define BBL_CR_CTL3_L2_THERE   BIT(0)
#define BBL_CR_CTL3_L2_ENABLED BIT(8)

// MTRR_FIX...: eight ranges of write-back memory
#define MTRR_FIX_WRITE_BACK 0x0606060606060606ull

// MISC_ENABLE
#define MISC_ENABLE_FAST_STRINGS     BIT(0)
#define MISC_ENABLE_BTS_UNAVAILABLE  BIT(11)
#define MISC_ENABLE_PEBS_UNAVAILABLE BIT(12)

// The memory types of the PAT's eight entries, from bit 0 up: the reset value, and the hypervisor's
// own value, whose last entry is write-combining (arch/memory/pt_format.c).
#define PAT_RESET 0x0007040600070406ull
#define PAT_HOST  0x0107040600070406ull

#endif
