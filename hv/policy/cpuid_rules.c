// SPDX-License-Identifier: Apache-2.0
// The CPUID bits that a guest may see if the host has them. A bit without a row is hidden, even a
// future CPU's new feature. Rows say why a bit may pass. docs/tables/cpuid_notes.c says why known
// bits may not. Topology, hypervisor and frequency leaves have no rows: cpuid_policy.c makes them.
#include "hv/policy/cpuid_policy.h"

#define ALL 0xffffffffu

static const char user_instructions[] = "instructions without privilege or state of their own";
static const char vector_state[] = "vector instructions; state in XCR0, which is the guest's own";
static const char paging[] = "how the guest's own page tables work";
static const char old_pc[] = "the 32-bit processor's base, on every CPU";
static const char description[] = "describes the silicon, controls nothing";
static const char speculation[] =
    "speculation controls of the guest's own CPU (SPEC_CTRL, PRED_CMD)";

static const struct cpuid_rule rules[] = {
    {0x0, 0, 0, CPUID_EBX, ALL, description},
    {0x0, 0, 0, CPUID_ECX, ALL, description},
    {0x0, 0, 0, CPUID_EDX, ALL, description},

    {0x1, 0, 0, CPUID_EAX, ALL, description},
    {0x1, 0, 0, CPUID_EBX, 0x0000ff00, "line size of CLFLUSH"},
    {0x1, 0, 0, CPUID_ECX,
     CPUID_1_ECX_SSE3 | CPUID_1_ECX_PCLMULQDQ | CPUID_1_ECX_SSSE3 | CPUID_1_ECX_CX16 |
         CPUID_1_ECX_SSE4_1 | CPUID_1_ECX_SSE4_2 | CPUID_1_ECX_MOVBE | CPUID_1_ECX_POPCNT |
         CPUID_1_ECX_AES | CPUID_1_ECX_RDRAND,
     user_instructions},
    {0x1, 0, 0, CPUID_ECX, CPUID_1_ECX_FMA | CPUID_1_ECX_XSAVE | CPUID_1_ECX_AVX | CPUID_1_ECX_F16C,
     vector_state},
    {0x1, 0, 0, CPUID_ECX, CPUID_1_ECX_PCID, paging},
    {0x1, 0, 0, CPUID_ECX, CPUID_1_ECX_X2APIC, "only where the host is in x2APIC mode"},
    {0x1, 0, 0, CPUID_ECX, CPUID_1_ECX_TSC_DEADLINE, "a mode of the CPU's own APIC timer"},
    {0x1, 0, 0, CPUID_EDX,
     CPUID_1_EDX_FPU | CPUID_1_EDX_VME | CPUID_1_EDX_DE | CPUID_1_EDX_TSC | CPUID_1_EDX_MSR |
         CPUID_1_EDX_CX8 | CPUID_1_EDX_APIC | CPUID_1_EDX_SEP | CPUID_1_EDX_CMOV |
         CPUID_1_EDX_CLFSH | CPUID_1_EDX_MMX | CPUID_1_EDX_FXSR | CPUID_1_EDX_SSE |
         CPUID_1_EDX_SSE2 | CPUID_1_EDX_SS,
     old_pc},
    {0x1, 0, 0, CPUID_EDX,
     CPUID_1_EDX_PSE | CPUID_1_EDX_PAE | CPUID_1_EDX_PGE | CPUID_1_EDX_PAT | CPUID_1_EDX_PSE36,
     paging},
    {0x1, 0, 0, CPUID_EDX, CPUID_1_EDX_MTRR,
     "with no range registers and a fixed default of write-back: some kernels set up PAT only "
     "then"},
    {0x1, 0, 0, CPUID_EDX, CPUID_1_EDX_MCE | CPUID_1_EDX_MCA,
     "with no banks: machine checks are the hypervisor's"},

    {0x2, 0, 0, CPUID_EAX, ALL, description},
    {0x2, 0, 0, CPUID_EBX, ALL, description},
    {0x2, 0, 0, CPUID_ECX, ALL, description},
    {0x2, 0, 0, CPUID_EDX, ALL, description},

    // Intel's caches. The numbers of sharing cores are made by cpuid_policy.c.
    {0x4, 0, 7, CPUID_EAX, 0x000003ff, description},
    {0x4, 0, 7, CPUID_EBX, ALL, description},
    {0x4, 0, 7, CPUID_ECX, ALL, description},
    {0x4, 0, 7, CPUID_EDX, ALL, description},

    {0x6, 0, 0, CPUID_EAX, CPUID_6_EAX_ARAT, "the APIC timer does not stop while idle"},

    {0x7, 0, 0, CPUID_EBX,
     CPUID_7_EBX_FSGSBASE | CPUID_7_EBX_BMI1 | CPUID_7_EBX_FDP_EXCPTN_ONLY | CPUID_7_EBX_BMI2 |
         CPUID_7_EBX_ERMS | CPUID_7_EBX_ZERO_FCS_FDS | CPUID_7_EBX_RDSEED | CPUID_7_EBX_ADX |
         CPUID_7_EBX_CLFLUSHOPT | CPUID_7_EBX_CLWB | CPUID_7_EBX_SHA,
     user_instructions},
    {0x7, 0, 0, CPUID_EBX,
     CPUID_7_EBX_AVX2 | CPUID_7_EBX_AVX512F | CPUID_7_EBX_AVX512DQ | CPUID_7_EBX_AVX512_IFMA |
         CPUID_7_EBX_AVX512PF | CPUID_7_EBX_AVX512ER | CPUID_7_EBX_AVX512CD | CPUID_7_EBX_AVX512BW |
         CPUID_7_EBX_AVX512VL,
     vector_state},
    {0x7, 0, 0, CPUID_EBX, CPUID_7_EBX_SMEP | CPUID_7_EBX_INVPCID | CPUID_7_EBX_SMAP, paging},
    {0x7, 0, 0, CPUID_ECX,
     CPUID_7_ECX_PREFETCHWT1 | CPUID_7_ECX_GFNI | CPUID_7_ECX_RDPID | CPUID_7_ECX_CLDEMOTE |
         CPUID_7_ECX_MOVDIRI | CPUID_7_ECX_MOVDIR64B,
     user_instructions},
    {0x7, 0, 0, CPUID_ECX,
     CPUID_7_ECX_AVX512_VBMI | CPUID_7_ECX_AVX512_VBMI2 | CPUID_7_ECX_VAES |
         CPUID_7_ECX_VPCLMULQDQ | CPUID_7_ECX_AVX512_VNNI | CPUID_7_ECX_AVX512_BITALG |
         CPUID_7_ECX_AVX512_VPOPCNTDQ,
     vector_state},
    {0x7, 0, 0, CPUID_ECX, CPUID_7_ECX_UMIP | CPUID_7_ECX_PKU, paging},
    {0x7, 0, 0, CPUID_EDX, CPUID_7_EDX_FSRM | CPUID_7_EDX_MD_CLEAR | CPUID_7_EDX_SERIALIZE,
     user_instructions},
    {0x7, 0, 0, CPUID_EDX,
     CPUID_7_EDX_AVX512_4VNNIW | CPUID_7_EDX_AVX512_4FMAPS | CPUID_7_EDX_AVX512_VP2INTERSECT |
         CPUID_7_EDX_AVX512_FP16,
     vector_state},
    {0x7, 0, 0, CPUID_EDX,
     CPUID_7_EDX_IBRS_IBPB | CPUID_7_EDX_STIBP | CPUID_7_EDX_L1D_FLUSH | CPUID_7_EDX_SSBD,
     speculation},
    {0x7, 1, 1, CPUID_EAX, CPUID_7_1_EAX_FZRM | CPUID_7_1_EAX_FSRS | CPUID_7_1_EAX_FSRCS,
     user_instructions},
    {0x7, 1, 1, CPUID_EAX,
     CPUID_7_1_EAX_AVX_VNNI | CPUID_7_1_EAX_AVX512_BF16 | CPUID_7_1_EAX_AVX_IFMA, vector_state},
    {0x7, 1, 1, CPUID_EDX,
     CPUID_7_1_EDX_AVX_VNNI_INT8 | CPUID_7_1_EDX_AVX_NE_CONVERT | CPUID_7_1_EDX_PREFETCHI,
     vector_state},
    {0x7, 2, 2, CPUID_EDX,
     CPUID_7_2_EDX_PSFD | CPUID_7_2_EDX_IPRED_CTRL | CPUID_7_2_EDX_RRSBA_CTRL |
         CPUID_7_2_EDX_DDPD_U | CPUID_7_2_EDX_BHI_CTRL | CPUID_7_2_EDX_MCDT_NO,
     speculation},

    {0xd, 0, 0, CPUID_EAX,
     XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM | XCR0_PKRU,
     "registers that the hypervisor never touches, so they stay the guest's"},
    {0xd, 1, 1, CPUID_EAX,
     CPUID_D_1_EAX_XSAVEOPT | CPUID_D_1_EAX_XSAVEC | CPUID_D_1_EAX_XGETBV1 | CPUID_D_1_EAX_XSAVES,
     "formats of the save area; IA32_XSS stays 0"},
    {0xd, 2, 63, CPUID_EAX, ALL, "size of a component that XCR0 may have"},
    {0xd, 2, 63, CPUID_EBX, ALL, "offset of a component that XCR0 may have"},
    {0xd, 2, 63, CPUID_ECX, 0x2, "alignment of a component that XCR0 may have"},

    {0x16, 0, 0, CPUID_EAX, 0xffff, description},
    {0x16, 0, 0, CPUID_EBX, 0xffff, description},
    {0x16, 0, 0, CPUID_ECX, 0xffff, description},

    {0x80000000, 0, 0, CPUID_EBX, ALL, description},
    {0x80000000, 0, 0, CPUID_ECX, ALL, description},
    {0x80000000, 0, 0, CPUID_EDX, ALL, description},

    {0x80000001, 0, 0, CPUID_EAX, ALL, description},
    {0x80000001, 0, 0, CPUID_ECX,
     CPUID_80000001_ECX_LAHF | CPUID_80000001_ECX_ABM | CPUID_80000001_ECX_SSE4A |
         CPUID_80000001_ECX_MISALIGN_SSE | CPUID_80000001_ECX_PREFETCH | CPUID_80000001_ECX_TBM,
     user_instructions},
    {0x80000001, 0, 0, CPUID_ECX, CPUID_80000001_ECX_XOP | CPUID_80000001_ECX_FMA4, vector_state},
    {0x80000001, 0, 0, CPUID_ECX, CPUID_80000001_ECX_CR8_LEGACY, "TPR of the CPU's own APIC"},
    {0x80000001, 0, 0, CPUID_ECX, CPUID_80000001_ECX_OSVW, "read-only list of errata"},
    {0x80000001, 0, 0, CPUID_ECX, CPUID_80000001_ECX_TOPOEXT, "its leaves are made"},
    {0x80000001, 0, 0, CPUID_ECX, CPUID_80000001_ECX_DBEXT | CPUID_80000001_ECX_ADDR_MASK_EXT,
     "address masks of the guest's own breakpoints"},
    {0x80000001, 0, 0, CPUID_EDX,
     CPUID_80000001_EDX_FPU | CPUID_80000001_EDX_VME | CPUID_80000001_EDX_DE |
         CPUID_80000001_EDX_TSC | CPUID_80000001_EDX_MSR | CPUID_80000001_EDX_CX8 |
         CPUID_80000001_EDX_APIC | CPUID_80000001_EDX_SYSCALL | CPUID_80000001_EDX_CMOV |
         CPUID_80000001_EDX_MMXEXT | CPUID_80000001_EDX_MMX | CPUID_80000001_EDX_FXSR |
         CPUID_80000001_EDX_RDTSCP | CPUID_80000001_EDX_LM | CPUID_80000001_EDX_3DNOWEXT |
         CPUID_80000001_EDX_3DNOW,
     old_pc},
    {0x80000001, 0, 0, CPUID_EDX,
     CPUID_80000001_EDX_PSE | CPUID_80000001_EDX_PAE | CPUID_80000001_EDX_PGE |
         CPUID_80000001_EDX_PAT | CPUID_80000001_EDX_PSE36 | CPUID_80000001_EDX_NX |
         CPUID_80000001_EDX_1GIB,
     paging},
    {0x80000001, 0, 0, CPUID_EDX,
     CPUID_80000001_EDX_MTRR | CPUID_80000001_EDX_MCE | CPUID_80000001_EDX_MCA, "as in leaf 1"},

    {0x80000002, 0, 0, CPUID_EAX, ALL, description},
    {0x80000002, 0, 0, CPUID_EBX, ALL, description},
    {0x80000002, 0, 0, CPUID_ECX, ALL, description},
    {0x80000002, 0, 0, CPUID_EDX, ALL, description},
    {0x80000003, 0, 0, CPUID_EAX, ALL, description},
    {0x80000003, 0, 0, CPUID_EBX, ALL, description},
    {0x80000003, 0, 0, CPUID_ECX, ALL, description},
    {0x80000003, 0, 0, CPUID_EDX, ALL, description},
    {0x80000004, 0, 0, CPUID_EAX, ALL, description},
    {0x80000004, 0, 0, CPUID_EBX, ALL, description},
    {0x80000004, 0, 0, CPUID_ECX, ALL, description},
    {0x80000004, 0, 0, CPUID_EDX, ALL, description},
    {0x80000005, 0, 0, CPUID_EAX, ALL, description},
    {0x80000005, 0, 0, CPUID_EBX, ALL, description},
    {0x80000005, 0, 0, CPUID_ECX, ALL, description},
    {0x80000005, 0, 0, CPUID_EDX, ALL, description},
    {0x80000006, 0, 0, CPUID_EAX, ALL, description},
    {0x80000006, 0, 0, CPUID_EBX, ALL, description},
    {0x80000006, 0, 0, CPUID_ECX, ALL, description},
    {0x80000006, 0, 0, CPUID_EDX, ALL, description},

    {0x80000007, 0, 0, CPUID_EDX, CPUID_80000007_EDX_INVARIANT_TSC,
     "the guest reads the physical TSC"},

    {0x80000008, 0, 0, CPUID_EAX, 0x0000ffff, "address widths; the linear one at most 48"},
    {0x80000008, 0, 0, CPUID_EBX, CPUID_80000008_EBX_CLZERO | CPUID_80000008_EBX_XSAVEERPTR,
     user_instructions},
    {0x80000008, 0, 0, CPUID_EBX,
     CPUID_80000008_EBX_IBPB | CPUID_80000008_EBX_IBRS | CPUID_80000008_EBX_STIBP |
         CPUID_80000008_EBX_IBRS_ALWAYS | CPUID_80000008_EBX_STIBP_ALWAYS |
         CPUID_80000008_EBX_IBRS_PREFERRED | CPUID_80000008_EBX_IBRS_SAME_MODE |
         CPUID_80000008_EBX_SSBD | CPUID_80000008_EBX_SSB_NO | CPUID_80000008_EBX_PSFD |
         CPUID_80000008_EBX_BTC_NO | CPUID_80000008_EBX_IBPB_RET,
     speculation},

    {0x80000019, 0, 0, CPUID_EAX, ALL, description},
    {0x80000019, 0, 0, CPUID_EBX, ALL, description},
    {0x8000001a, 0, 0, CPUID_EAX, 0x7, description},

    // AMD's caches. The numbers of sharing cores are made by cpuid_policy.c.
    {0x8000001d, 0, 7, CPUID_EAX, 0x000003ff, description},
    {0x8000001d, 0, 7, CPUID_EBX, ALL, description},
    {0x8000001d, 0, 7, CPUID_ECX, ALL, description},
    {0x8000001d, 0, 7, CPUID_EDX, 0x3, description},

    {0x80000021, 0, 0, CPUID_EAX,
     CPUID_80000021_EAX_NO_NESTED_DATA_BP | CPUID_80000021_EAX_LFENCE_SERIALIZE |
         CPUID_80000021_EAX_NULL_SEL_CLEARS_BASE | CPUID_80000021_EAX_FSRS |
         CPUID_80000021_EAX_FSRC,
     description},
    {0x80000021, 0, 0, CPUID_EAX,
     CPUID_80000021_EAX_SBPB | CPUID_80000021_EAX_IBPB_BRTYPE | CPUID_80000021_EAX_SRSO_NO,
     speculation},
};

const struct cpuid_rule *cpuid_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}
