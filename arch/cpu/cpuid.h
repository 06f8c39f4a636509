// SPDX-License-Identifier: Apache-2.0
// Names of the leaves and bits of the CPUID instruction (Intel SDM vol. 2, "CPUID"; AMD APM vol. 3,
// appendix E). Numbers only.
#ifndef ARCH_CPU_CPUID_H
#define ARCH_CPU_CPUID_H

#include "arch/lib/types.h"

// Leaves
#define CPUID_VENDOR            0x0u
#define CPUID_FEATURES          0x1u
#define CPUID_CACHES_INTEL      0x4u
#define CPUID_POWER             0x6u
#define CPUID_EXTENDED_FEATURES 0x7u
#define CPUID_TOPOLOGY          0xbu
#define CPUID_XSAVE             0xdu
#define CPUID_TSC_RATIO         0x15u
#define CPUID_TOPOLOGY_V2       0x1fu
#define CPUID_HV_BASE           0x40000000u
#define CPUID_HV_FREQUENCY      0x40000010u
#define CPUID_HV_KVM            0x40000100u
#define CPUID_EXT_BASE          0x80000000u
#define CPUID_EXT_FEATURES      0x80000001u
#define CPUID_EXT_POWER         0x80000007u
#define CPUID_EXT_SIZES         0x80000008u
#define CPUID_EXT_CACHES_AMD    0x8000001du
#define CPUID_EXT_TOPOLOGY_AMD  0x8000001eu
#define CPUID_EXT_ENCRYPTION    0x8000001fu

// Signatures: four characters in each register, in the order EBX, ECX, EDX.
#define CPUID_INTEL_EBX         0x756e6547u // "Genu"
#define CPUID_AMD_EBX           0x68747541u // "Auth"
#define CPUID_HYGON_EBX         0x6f677948u // "Hygo"
#define CPUID_HV_SIGNATURE_EBX  0x6b6c7542u // "BulkheadHv  "
#define CPUID_HV_SIGNATURE_ECX  0x64616568u
#define CPUID_HV_SIGNATURE_EDX  0x20207648u
#define CPUID_KVM_SIGNATURE_EBX 0x4b4d564bu // "KVMKVMKVM"
#define CPUID_KVM_SIGNATURE_ECX 0x564b4d56u
#define CPUID_KVM_SIGNATURE_EDX 0x0000004du

// Leaf 0x40000001: identifies the hypercall interface, and its version.
#define CPUID_HV_INTERFACE         0x64486b42u // "BkHd"
#define CPUID_HV_INTERFACE_VERSION 1u

// Leaf 1
#define CPUID_1_ECX_SSE3         BIT(0)
#define CPUID_1_ECX_PCLMULQDQ    BIT(1)
#define CPUID_1_ECX_DTES64       BIT(2)
#define CPUID_1_ECX_MONITOR      BIT(3)
#define CPUID_1_ECX_DS_CPL       BIT(4)
#define CPUID_1_ECX_VMX          BIT(5)
#define CPUID_1_ECX_SMX          BIT(6)
#define CPUID_1_ECX_EIST         BIT(7)
#define CPUID_1_ECX_TM2          BIT(8)
#define CPUID_1_ECX_SSSE3        BIT(9)
#define CPUID_1_ECX_CNXT_ID      BIT(10)
#define CPUID_1_ECX_SDBG         BIT(11)
#define CPUID_1_ECX_FMA          BIT(12)
#define CPUID_1_ECX_CX16         BIT(13)
#define CPUID_1_ECX_XTPR         BIT(14)
#define CPUID_1_ECX_PDCM         BIT(15)
#define CPUID_1_ECX_PCID         BIT(17)
#define CPUID_1_ECX_DCA          BIT(18)
#define CPUID_1_ECX_SSE4_1       BIT(19)
#define CPUID_1_ECX_SSE4_2       BIT(20)
#define CPUID_1_ECX_X2APIC       BIT(21)
#define CPUID_1_ECX_MOVBE        BIT(22)
#define CPUID_1_ECX_POPCNT       BIT(23)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_1_ECX_AES          BIT(25)
#define CPUID_1_ECX_XSAVE        BIT(26)
#define CPUID_1_ECX_OSXSAVE      BIT(27)
#define CPUID_1_ECX_AVX          BIT(28)
#define CPUID_1_ECX_F16C         BIT(29)
#define CPUID_1_ECX_RDRAND       BIT(30)
#define CPUID_1_ECX_HYPERVISOR   BIT(31)

#define CPUID_1_EDX_FPU   BIT(0)
#define CPUID_1_EDX_VME   BIT(1)
#define CPUID_1_EDX_DE    BIT(2)
#define CPUID_1_EDX_PSE   BIT(3)
#define CPUID_1_EDX_TSC   BIT(4)
#define CPUID_1_EDX_MSR   BIT(5)
#define CPUID_1_EDX_PAE   BIT(6)
#define CPUID_1_EDX_MCE   BIT(7)
#define CPUID_1_EDX_CX8   BIT(8)
#define CPUID_1_EDX_APIC  BIT(9)
#define CPUID_1_EDX_SEP   BIT(11)
#define CPUID_1_EDX_MTRR  BIT(12)
#define CPUID_1_EDX_PGE   BIT(13)
#define CPUID_1_EDX_MCA   BIT(14)
#define CPUID_1_EDX_CMOV  BIT(15)
#define CPUID_1_EDX_PAT   BIT(16)
#define CPUID_1_EDX_PSE36 BIT(17)
#define CPUID_1_EDX_PSN   BIT(18)
#define CPUID_1_EDX_CLFSH BIT(19)
#define CPUID_1_EDX_DS    BIT(21)
#define CPUID_1_EDX_ACPI  BIT(22)
#define CPUID_1_EDX_MMX   BIT(23)
#define CPUID_1_EDX_FXSR  BIT(24)
#define CPUID_1_EDX_SSE   BIT(25)
#define CPUID_1_EDX_SSE2  BIT(26)
#define CPUID_1_EDX_SS    BIT(27)
#define CPUID_1_EDX_HTT   BIT(28)
#define CPUID_1_EDX_TM    BIT(29)
#define CPUID_1_EDX_PBE   BIT(31)

// Leaf 6, thermal and power management
#define CPUID_6_EAX_ARAT        BIT(2)
#define CPUID_6_ECX_APERF       BIT(0) // MPERF and APERF
#define CPUID_6_ECX_ENERGY_BIAS BIT(3)

// Leaf 7, subleaf 0
#define CPUID_7_EBX_FSGSBASE        BIT(0)
#define CPUID_7_EBX_TSC_ADJUST      BIT(1)
#define CPUID_7_EBX_SGX             BIT(2)
#define CPUID_7_EBX_BMI1            BIT(3)
#define CPUID_7_EBX_HLE             BIT(4)
#define CPUID_7_EBX_AVX2            BIT(5)
#define CPUID_7_EBX_FDP_EXCPTN_ONLY BIT(6)
#define CPUID_7_EBX_SMEP            BIT(7)
#define CPUID_7_EBX_BMI2            BIT(8)
#define CPUID_7_EBX_ERMS            BIT(9)
#define CPUID_7_EBX_INVPCID         BIT(10)
#define CPUID_7_EBX_RTM             BIT(11)
#define CPUID_7_EBX_PQM             BIT(12)
#define CPUID_7_EBX_ZERO_FCS_FDS    BIT(13)
#define CPUID_7_EBX_MPX             BIT(14)
#define CPUID_7_EBX_PQE             BIT(15)
#define CPUID_7_EBX_AVX512F         BIT(16)
#define CPUID_7_EBX_AVX512DQ        BIT(17)
#define CPUID_7_EBX_RDSEED          BIT(18)
#define CPUID_7_EBX_ADX             BIT(19)
#define CPUID_7_EBX_SMAP            BIT(20)
#define CPUID_7_EBX_AVX512_IFMA     BIT(21)
#define CPUID_7_EBX_CLFLUSHOPT      BIT(23)
#define CPUID_7_EBX_CLWB            BIT(24)
#define CPUID_7_EBX_PT              BIT(25)
#define CPUID_7_EBX_AVX512PF        BIT(26)
#define CPUID_7_EBX_AVX512ER        BIT(27)
#define CPUID_7_EBX_AVX512CD        BIT(28)
#define CPUID_7_EBX_SHA             BIT(29)
#define CPUID_7_EBX_AVX512BW        BIT(30)
#define CPUID_7_EBX_AVX512VL        BIT(31)

#define CPUID_7_ECX_PREFETCHWT1      BIT(0)
#define CPUID_7_ECX_AVX512_VBMI      BIT(1)
#define CPUID_7_ECX_UMIP             BIT(2)
#define CPUID_7_ECX_PKU              BIT(3)
#define CPUID_7_ECX_OSPKE            BIT(4)
#define CPUID_7_ECX_WAITPKG          BIT(5)
#define CPUID_7_ECX_AVX512_VBMI2     BIT(6)
#define CPUID_7_ECX_CET_SS           BIT(7)
#define CPUID_7_ECX_GFNI             BIT(8)
#define CPUID_7_ECX_VAES             BIT(9)
#define CPUID_7_ECX_VPCLMULQDQ       BIT(10)
#define CPUID_7_ECX_AVX512_VNNI      BIT(11)
#define CPUID_7_ECX_AVX512_BITALG    BIT(12)
#define CPUID_7_ECX_TME              BIT(13)
#define CPUID_7_ECX_AVX512_VPOPCNTDQ BIT(14)
#define CPUID_7_ECX_LA57             BIT(16)
#define CPUID_7_ECX_RDPID            BIT(22)
#define CPUID_7_ECX_KL               BIT(23)
#define CPUID_7_ECX_BUS_LOCK_DETECT  BIT(24)
#define CPUID_7_ECX_CLDEMOTE         BIT(25)
#define CPUID_7_ECX_MOVDIRI          BIT(27)
#define CPUID_7_ECX_MOVDIR64B        BIT(28)
#define CPUID_7_ECX_ENQCMD           BIT(29)
#define CPUID_7_ECX_SGX_LC           BIT(30)
#define CPUID_7_ECX_PKS              BIT(31)

#define CPUID_7_EDX_AVX512_4VNNIW       BIT(2)
#define CPUID_7_EDX_AVX512_4FMAPS       BIT(3)
#define CPUID_7_EDX_FSRM                BIT(4)
#define CPUID_7_EDX_UINTR               BIT(5)
#define CPUID_7_EDX_AVX512_VP2INTERSECT BIT(8)
#define CPUID_7_EDX_SRBDS_CTRL          BIT(9)
#define CPUID_7_EDX_MD_CLEAR            BIT(10)
#define CPUID_7_EDX_SERIALIZE           BIT(14)
#define CPUID_7_EDX_HYBRID              BIT(15)
#define CPUID_7_EDX_TSXLDTRK            BIT(16)
#define CPUID_7_EDX_PCONFIG             BIT(18)
#define CPUID_7_EDX_ARCH_LBR            BIT(19)
#define CPUID_7_EDX_CET_IBT             BIT(20)
#define CPUID_7_EDX_AMX_BF16            BIT(22)
#define CPUID_7_EDX_AVX512_FP16         BIT(23)
#define CPUID_7_EDX_AMX_TILE            BIT(24)
#define CPUID_7_EDX_AMX_INT8            BIT(25)
#define CPUID_7_EDX_IBRS_IBPB           BIT(26)
#define CPUID_7_EDX_STIBP               BIT(27)
#define CPUID_7_EDX_L1D_FLUSH           BIT(28)
#define CPUID_7_EDX_ARCH_CAPS           BIT(29)
#define CPUID_7_EDX_CORE_CAPS           BIT(30)
#define CPUID_7_EDX_SSBD                BIT(31)

// Leaf 7, subleaf 1
#define CPUID_7_1_EAX_AVX_VNNI    BIT(4)
#define CPUID_7_1_EAX_AVX512_BF16 BIT(5)
#define CPUID_7_1_EAX_FZRM        BIT(10)
#define CPUID_7_1_EAX_FSRS        BIT(11)
#define CPUID_7_1_EAX_FSRCS       BIT(12)
#define CPUID_7_1_EAX_AVX_IFMA    BIT(23)
#define CPUID_7_1_EAX_LAM         BIT(26)

#define CPUID_7_1_EDX_AVX_VNNI_INT8  BIT(4)
#define CPUID_7_1_EDX_AVX_NE_CONVERT BIT(5)
#define CPUID_7_1_EDX_PREFETCHI      BIT(14)

// Leaf 7, subleaf 2
#define CPUID_7_2_EDX_PSFD       BIT(0)
#define CPUID_7_2_EDX_IPRED_CTRL BIT(1)
#define CPUID_7_2_EDX_RRSBA_CTRL BIT(2)
#define CPUID_7_2_EDX_DDPD_U     BIT(3)
#define CPUID_7_2_EDX_BHI_CTRL   BIT(4)
#define CPUID_7_2_EDX_MCDT_NO    BIT(5)

// Leaf 0xd, subleaf 0: the components of XCR0
#define XCR0_X87       BIT(0)
#define XCR0_SSE       BIT(1)
#define XCR0_AVX       BIT(2)
#define XCR0_BNDREGS   BIT(3)
#define XCR0_BNDCSR    BIT(4)
#define XCR0_OPMASK    BIT(5)
#define XCR0_ZMM_HI256 BIT(6)
#define XCR0_HI16_ZMM  BIT(7)
#define XCR0_PKRU      BIT(9)
#define XCR0_TILECFG   BIT(17)
#define XCR0_TILEDATA  BIT(18)

// Leaf 0xd, subleaf 1
#define CPUID_D_1_EAX_XSAVEOPT BIT(0)
#define CPUID_D_1_EAX_XSAVEC   BIT(1)
#define CPUID_D_1_EAX_XGETBV1  BIT(2)
#define CPUID_D_1_EAX_XSAVES   BIT(3)
#define CPUID_D_1_EAX_XFD      BIT(4)

// Leaf 0x80000001
#define CPUID_80000001_ECX_LAHF          BIT(0)
#define CPUID_80000001_ECX_CMP_LEGACY    BIT(1)
#define CPUID_80000001_ECX_SVM           BIT(2)
#define CPUID_80000001_ECX_EXT_APIC      BIT(3)
#define CPUID_80000001_ECX_CR8_LEGACY    BIT(4)
#define CPUID_80000001_ECX_ABM           BIT(5)
#define CPUID_80000001_ECX_SSE4A         BIT(6)
#define CPUID_80000001_ECX_MISALIGN_SSE  BIT(7)
#define CPUID_80000001_ECX_PREFETCH      BIT(8)
#define CPUID_80000001_ECX_OSVW          BIT(9)
#define CPUID_80000001_ECX_IBS           BIT(10)
#define CPUID_80000001_ECX_XOP           BIT(11)
#define CPUID_80000001_ECX_SKINIT        BIT(12)
#define CPUID_80000001_ECX_WDT           BIT(13)
#define CPUID_80000001_ECX_LWP           BIT(15)
#define CPUID_80000001_ECX_FMA4          BIT(16)
#define CPUID_80000001_ECX_TCE           BIT(17)
#define CPUID_80000001_ECX_NODEID_MSR    BIT(19)
#define CPUID_80000001_ECX_TBM           BIT(21)
#define CPUID_80000001_ECX_TOPOEXT       BIT(22)
#define CPUID_80000001_ECX_PERFCTR_CORE  BIT(23)
#define CPUID_80000001_ECX_PERFCTR_NB    BIT(24)
#define CPUID_80000001_ECX_DBEXT         BIT(26)
#define CPUID_80000001_ECX_PERFTSC       BIT(27)
#define CPUID_80000001_ECX_PERFCTR_LLC   BIT(28)
#define CPUID_80000001_ECX_MONITORX      BIT(29)
#define CPUID_80000001_ECX_ADDR_MASK_EXT BIT(30)

#define CPUID_80000001_EDX_FPU      BIT(0)
#define CPUID_80000001_EDX_VME      BIT(1)
#define CPUID_80000001_EDX_DE       BIT(2)
#define CPUID_80000001_EDX_PSE      BIT(3)
#define CPUID_80000001_EDX_TSC      BIT(4)
#define CPUID_80000001_EDX_MSR      BIT(5)
#define CPUID_80000001_EDX_PAE      BIT(6)
#define CPUID_80000001_EDX_MCE      BIT(7)
#define CPUID_80000001_EDX_CX8      BIT(8)
#define CPUID_80000001_EDX_APIC     BIT(9)
#define CPUID_80000001_EDX_SYSCALL  BIT(11)
#define CPUID_80000001_EDX_MTRR     BIT(12)
#define CPUID_80000001_EDX_PGE      BIT(13)
#define CPUID_80000001_EDX_MCA      BIT(14)
#define CPUID_80000001_EDX_CMOV     BIT(15)
#define CPUID_80000001_EDX_PAT      BIT(16)
#define CPUID_80000001_EDX_PSE36    BIT(17)
#define CPUID_80000001_EDX_MP       BIT(19)
#define CPUID_80000001_EDX_NX       BIT(20)
#define CPUID_80000001_EDX_MMXEXT   BIT(22)
#define CPUID_80000001_EDX_MMX      BIT(23)
#define CPUID_80000001_EDX_FXSR     BIT(24)
#define CPUID_80000001_EDX_FFXSR    BIT(25)
#define CPUID_80000001_EDX_1GIB     BIT(26)
#define CPUID_80000001_EDX_RDTSCP   BIT(27)
#define CPUID_80000001_EDX_LM       BIT(29)
#define CPUID_80000001_EDX_3DNOWEXT BIT(30)
#define CPUID_80000001_EDX_3DNOW    BIT(31)

// Leaf 0x80000007
#define CPUID_80000007_EDX_HW_PSTATE     BIT(7)
#define CPUID_80000007_EDX_INVARIANT_TSC BIT(8)

// Leaf 0x80000008
#define CPUID_80000008_EBX_CLZERO         BIT(0)
#define CPUID_80000008_EBX_IRPERF         BIT(1)
#define CPUID_80000008_EBX_XSAVEERPTR     BIT(2)
#define CPUID_80000008_EBX_INVLPGB        BIT(3)
#define CPUID_80000008_EBX_RDPRU          BIT(4)
#define CPUID_80000008_EBX_WBNOINVD       BIT(9)
#define CPUID_80000008_EBX_IBPB           BIT(12)
#define CPUID_80000008_EBX_INT_WBINVD     BIT(13)
#define CPUID_80000008_EBX_IBRS           BIT(14)
#define CPUID_80000008_EBX_STIBP          BIT(15)
#define CPUID_80000008_EBX_IBRS_ALWAYS    BIT(16)
#define CPUID_80000008_EBX_STIBP_ALWAYS   BIT(17)
#define CPUID_80000008_EBX_IBRS_PREFERRED BIT(18)
#define CPUID_80000008_EBX_IBRS_SAME_MODE BIT(19)
#define CPUID_80000008_EBX_NO_LMSLE       BIT(20)
#define CPUID_80000008_EBX_INVLPGB_NESTED BIT(21)
#define CPUID_80000008_EBX_PPIN           BIT(23)
#define CPUID_80000008_EBX_SSBD           BIT(24)
#define CPUID_80000008_EBX_VIRT_SSBD      BIT(25)
#define CPUID_80000008_EBX_SSB_NO         BIT(26)
#define CPUID_80000008_EBX_CPPC           BIT(27)
#define CPUID_80000008_EBX_PSFD           BIT(28)
#define CPUID_80000008_EBX_BTC_NO         BIT(29)
#define CPUID_80000008_EBX_IBPB_RET       BIT(30)

// Leaf 0x8000001f
#define CPUID_8000001F_EAX_SME BIT(0)
#define CPUID_8000001F_EAX_SEV BIT(1)

// Leaf 0x80000021
#define CPUID_80000021_EAX_NO_NESTED_DATA_BP    BIT(0)
#define CPUID_80000021_EAX_LFENCE_SERIALIZE     BIT(2)
#define CPUID_80000021_EAX_NULL_SEL_CLEARS_BASE BIT(6)
#define CPUID_80000021_EAX_UAI                  BIT(7)
#define CPUID_80000021_EAX_AUTO_IBRS            BIT(8)
#define CPUID_80000021_EAX_FSRS                 BIT(10)
#define CPUID_80000021_EAX_FSRC                 BIT(11)
#define CPUID_80000021_EAX_PREFETCH_CTL         BIT(13)
#define CPUID_80000021_EAX_CPUID_USER_DIS       BIT(17)
#define CPUID_80000021_EAX_SBPB                 BIT(27)
#define CPUID_80000021_EAX_IBPB_BRTYPE          BIT(28)
#define CPUID_80000021_EAX_SRSO_NO              BIT(29)

#endif
