// SPDX-License-Identifier: Apache-2.0
// Why bits of CPUID are hidden, and what is made in place of the host's.
#include "docs/tables/cpuid_notes.h"

static const struct cpuid_name names[] = {
#include "cpuid_names.inc"
};

const struct cpuid_name *cpuid_names(unsigned *count)
{
    *count = ARRAY_SIZE(names);
    return names;
}

#define A CPUID_EAX
#define B CPUID_EBX
#define C CPUID_ECX
#define D CPUID_EDX

static const char no_pmu[] = "no performance counters are shown: they could count the hypervisor";
static const char no_power[] = "clocks and power are shared with other partitions' CPUs";
static const char no_virt[] = "no virtualization is shown";
static const char no_sgx[] = "enclaves' memory is nobody's";
static const char no_trace[] = "traces and branch records would show the hypervisor";
static const char no_msrs[] = "announces MSRs that are denied";
static const char no_supervisor[] = "supervisor state that would stay in force in the hypervisor";
static const char no_mpx[] = "bounds have supervisor state, and are no longer made";
static const char no_amx[] = "8 KiB of state that nothing of the hypervisor's would ever clear";
static const char no_tsx[] = "transactions need an MSR that is denied, and leak what runs beside";
static const char efer_refused[] = "a bit of EFER that is refused";
static const char others[] = "reaches other CPUs, or caches that are shared";

static const struct cpuid_hidden hidden[] = {
    {0x1, 0, C, CPUID_1_ECX_DTES64 | CPUID_1_ECX_DS_CPL, no_trace},
    {0x1, 0, C, CPUID_1_ECX_MONITOR, "wakes on another's store, and idles deeper than HLT"},
    {0x1, 0, C, CPUID_1_ECX_VMX, no_virt},
    {0x1, 0, C, CPUID_1_ECX_SMX, "measured launch restarts the machine"},
    {0x1, 0, C, CPUID_1_ECX_EIST | CPUID_1_ECX_TM2, no_power},
    {0x1, 0, C, CPUID_1_ECX_CNXT_ID | CPUID_1_ECX_XTPR | CPUID_1_ECX_DCA, no_msrs},
    {0x1, 0, C, CPUID_1_ECX_SDBG, "a debugger of the silicon sees the whole machine"},
    {0x1, 0, C, CPUID_1_ECX_PDCM, no_pmu},
    {0x1, 0, D, CPUID_1_EDX_PSN, "the serial number is the machine's"},
    {0x1, 0, D, CPUID_1_EDX_DS, no_trace},
    {0x1, 0, D, CPUID_1_EDX_ACPI | CPUID_1_EDX_TM | CPUID_1_EDX_PBE, no_power},

    {0x7, 0, B, CPUID_7_EBX_TSC_ADJUST, "the TSC keeps the hypervisor's time"},
    {0x7, 0, B, CPUID_7_EBX_SGX, no_sgx},
    {0x7, 0, B, CPUID_7_EBX_HLE | CPUID_7_EBX_RTM, no_tsx},
    {0x7, 0, B, CPUID_7_EBX_PQM | CPUID_7_EBX_PQE, "caches and memory are shared"},
    {0x7, 0, B, CPUID_7_EBX_MPX, no_mpx},
    {0x7, 0, B, CPUID_7_EBX_PT, "processor trace writes to physical memory"},
    {0x7, 0, C, CPUID_7_ECX_WAITPKG, "a control turns it off; sleeps are for HLT"},
    {0x7, 0, C, CPUID_7_ECX_CET_SS, no_supervisor},
    {0x7, 0, C, CPUID_7_ECX_TME, "encryption is the machine's"},
    {0x7, 0, C, CPUID_7_ECX_LA57, "four levels reach all that a guest can have"},
    {0x7, 0, C, CPUID_7_ECX_KL, "the wrapping key can be copied over the package"},
    {0x7, 0, C, CPUID_7_ECX_BUS_LOCK_DETECT, no_msrs},
    {0x7, 0, C, CPUID_7_ECX_ENQCMD, "work queues of devices, by an MSR that is denied"},
    {0x7, 0, C, CPUID_7_ECX_SGX_LC, no_sgx},
    {0x7, 0, C, CPUID_7_ECX_PKS, no_supervisor},
    {0x7, 0, D, CPUID_7_EDX_UINTR, "sends interrupts to physical APIC IDs, from ring 3"},
    {0x7, 0, D, CPUID_7_EDX_SRBDS_CTRL | CPUID_7_EDX_ARCH_CAPS | CPUID_7_EDX_CORE_CAPS, no_msrs},
    {0x7, 0, D, CPUID_7_EDX_HYBRID, "its leaf describes the machine's CPUs"},
    {0x7, 0, D, CPUID_7_EDX_TSXLDTRK, no_tsx},
    {0x7, 0, D, CPUID_7_EDX_PCONFIG, "keys of memory encryption are the machine's"},
    {0x7, 0, D, CPUID_7_EDX_ARCH_LBR, no_trace},
    {0x7, 0, D, CPUID_7_EDX_CET_IBT, no_supervisor},
    {0x7, 0, D, CPUID_7_EDX_AMX_BF16 | CPUID_7_EDX_AMX_TILE | CPUID_7_EDX_AMX_INT8, no_amx},
    {0x7, 1, A, CPUID_7_1_EAX_LAM, "changes which addresses are canonical; not emulated"},

    {0xd, 0, A, XCR0_BNDREGS | XCR0_BNDCSR, no_mpx},
    {0xd, 0, A, XCR0_TILECFG | XCR0_TILEDATA, no_amx},
    {0xd, 1, A, CPUID_D_1_EAX_XFD, no_amx},
    {0xd, 1, C, 0xffffffff, "supervisor states: XRSTORS would load MSRs past the permission map"},
    {0xd, 1, D, 0xffffffff, "likewise"},

    {0x80000001, 0, C, CPUID_80000001_ECX_SVM | CPUID_80000001_ECX_SKINIT, no_virt},
    {0x80000001, 0, C, CPUID_80000001_ECX_EXT_APIC, "the guest's APIC has no such registers"},
    {0x80000001, 0, C, CPUID_80000001_ECX_IBS, no_trace},
    {0x80000001, 0, C, CPUID_80000001_ECX_WDT, "the watchdog is the machine's"},
    {0x80000001, 0, C, CPUID_80000001_ECX_LWP, no_pmu},
    {0x80000001, 0, C, CPUID_80000001_ECX_TCE, efer_refused},
    {0x80000001, 0, C, CPUID_80000001_ECX_NODEID_MSR, no_msrs},
    {0x80000001, 0, C,
     CPUID_80000001_ECX_PERFCTR_CORE | CPUID_80000001_ECX_PERFCTR_NB | CPUID_80000001_ECX_PERFTSC |
         CPUID_80000001_ECX_PERFCTR_LLC,
     no_pmu},
    {0x80000001, 0, C, CPUID_80000001_ECX_MONITORX, "as MONITOR, from ring 3"},
    {0x80000001, 0, D, CPUID_80000001_EDX_MP, "of processors of 2001"},
    {0x80000001, 0, D, CPUID_80000001_EDX_FFXSR, efer_refused},
    {0x80000007, 0, D, CPUID_80000007_EDX_HW_PSTATE, no_power},
    {0x80000008, 0, B, CPUID_80000008_EBX_IRPERF, no_pmu},
    {0x80000008, 0, B, CPUID_80000008_EBX_INVLPGB | CPUID_80000008_EBX_INVLPGB_NESTED, others},
    {0x80000008, 0, B, CPUID_80000008_EBX_RDPRU, no_power},
    {0x80000008, 0, B, CPUID_80000008_EBX_WBNOINVD | CPUID_80000008_EBX_INT_WBINVD, others},
    {0x80000008, 0, B, CPUID_80000008_EBX_NO_LMSLE,
     "says that a bit of EFER is gone; it is refused"},
    {0x80000008, 0, B, CPUID_80000008_EBX_PPIN, "the serial number is the machine's"},
    {0x80000008, 0, B, CPUID_80000008_EBX_CPPC, no_power},
    {0x80000021, 0, A, CPUID_80000021_EAX_UAI | CPUID_80000021_EAX_AUTO_IBRS, efer_refused},
    {0x80000021, 0, A, CPUID_80000021_EAX_PREFETCH_CTL, no_msrs},
    {0x80000021, 0, A, CPUID_80000021_EAX_CPUID_USER_DIS, no_msrs},

    {0x5, 0, A, 0xffffffff, "MONITOR and MWAIT are hidden"},
    {0x5, 0, B, 0xffffffff, "likewise"},
    {0x5, 0, C, 0xffffffff, "likewise"},
    {0x5, 0, D, 0xffffffff, "likewise"},
    {0x6, 0, C, 0xffffffff, no_power},
    {0xa, 0, A, 0xffffffff, no_pmu},
    {0x12, 0, A, 0xffffffff, no_sgx},
    {0x14, 0, A, 0xffffffff, no_trace},
    {0x8000000a, 0, D, 0xffffffff, no_virt},
    {0x8000001b, 0, A, 0xffffffff, no_trace},
    {0x8000001f, 0, A, 0xffffffff, "no memory is encrypted for a guest"},
};

const struct cpuid_hidden *cpuid_hidden(unsigned *count)
{
    *count = ARRAY_SIZE(hidden);
    return hidden;
}

#define REG(r)        (uint8_t)(1u << (r))
#define ALL_REGISTERS 0xf

static const struct cpuid_made made[] = {
    {0x0, REG(A), "the last leaf, at most 0x1f", "leaves beyond are unknown"},
    {0x1, REG(B), "APIC ID, number of CPUs", "the partition's, numbered from 0"},
    {0x1, REG(C), "HYPERVISOR set; OSXSAVE from CR4; X2APIC if the host is in that mode",
     "systems look for their hypervisor there"},
    {0x1, REG(D), "HTT with more than one CPU; APIC from IA32_APIC_BASE",
     "the count in EBX is valid then"},
    {0x4, REG(A), "sharers of each cache", "levels 1 and 2 are a core's, deeper ones all CPUs'"},
    {0x7, REG(A), "the last subleaf, at most 2", "subleaves beyond are unknown"},
    {0x7, REG(C), "OSPKE from CR4", "what the guest turned on"},
    {0xb, ALL_REGISTERS, "one socket, cores of one thread", "the partition's topology"},
    {0xd, REG(B) | REG(C), "sizes of the save area", "from XCR0 as it is, and as it could be"},
    {0x15, REG(A) | REG(B) | REG(C), "TSC frequency over that of the APIC timer",
     "Intel only; Linux takes the crystal for the timer's clock"},
    {0x1f, ALL_REGISTERS, "as leaf 0xb", "the partition's topology"},
    {0x40000000, ALL_REGISTERS, "\"BulkheadHv  \", last leaf 0x40000010", "names the hypervisor"},
    {0x40000001, REG(A) | REG(B), "\"BkHd\", version of the hypercalls",
     "what VMCALL and VMMCALL are"},
    {0x40000010, REG(A) | REG(B), "frequencies of TSC and APIC timer in kHz",
     "so that a guest need not calibrate"},
    {0x40000100, ALL_REGISTERS, "\"KVMKVMKVM\", without a feature in the next leaf",
     "Linux uses x2APIC without interrupt remapping only under a hypervisor that it knows"},
    {0x80000000, REG(A), "the last leaf, at most 0x80000021", "leaves beyond are unknown"},
    {0x80000001, REG(C), "AMD: CMP_LEGACY with more than one CPU", "cores, not threads"},
    {0x80000008, REG(A) | REG(C), "linear addresses of at most 48 bits; AMD: the number of CPUs",
     "LA57 is hidden"},
    {0x80000008, REG(B), "VIRT_SSBD where SPEC_CTRL has no SSBD and LS_CFG has",
     "AMD's families 15h to 17h; else their guests are open to speculative store bypass"},
    {0x8000001d, REG(A), "sharers of each cache", "as leaf 4"},
    {0x8000001e, REG(A) | REG(B), "APIC ID, core; one node", "the partition's topology"},
};

const struct cpuid_made *cpuid_made(unsigned *count)
{
    *count = ARRAY_SIZE(made);
    return made;
}
