// SPDX-License-Identifier: Apache-2.0
// The table of AMD-V's controls. Names and meanings are those of the AMD APM, volume 2, 15.9 to
// 15.15 and table B-1.
#include "arch/svm/controls.h"

#include "arch/svm/vmcb_controls.h"

static const char exitless[] = "runs without an exit";
static const char switched[] = "VMRUN and #VMEXIT switch it, or the hypervisor never uses it";
static const char no_interrupts[] = "a guest's interrupts are the physical APIC's";
static const char window[] = "on while an interrupt of the guest's 8259s waits for it to take it";
static const char no_encryption[] = "guest memory is not encrypted";

static const struct svm_control_rule rules[] = {
    {SVM_CR, SVM_OFF, 0xffffffff, "reads and writes of CR0 to CR15", switched},
    {SVM_DR, SVM_OFF, 0xffffffff, "reads and writes of DR0 to DR15", switched},

    {SVM_MISC1, SVM_OFF, INTERCEPT_INTR, "INTR", exitless},
    {SVM_MISC1, SVM_ON, INTERCEPT_NMI, "NMI",
     "the kick of another CPU; the guest's own are injected"},
    {SVM_MISC1, SVM_OFF, INTERCEPT_SMI, "SMI", "the firmware's"},
    {SVM_MISC1, SVM_ON, INTERCEPT_INIT, "INIT", "an INIT would reset the physical CPU"},
    {SVM_MISC1, SVM_FREE, INTERCEPT_VINTR, "VINTR", window},
    {SVM_MISC1, SVM_OFF, INTERCEPT_CR0_SELECTIVE, "selective write of CR0", switched},
    {SVM_MISC1, SVM_OFF, INTERCEPT_TABLE_READS, "reads of IDTR, GDTR, LDTR, TR", switched},
    {SVM_MISC1, SVM_OFF, INTERCEPT_TABLE_WRITES, "writes of IDTR, GDTR, LDTR, TR", switched},
    {SVM_MISC1, SVM_OFF, INTERCEPT_RDTSC, "RDTSC", exitless},
    {SVM_MISC1, SVM_ON, INTERCEPT_RDPMC, "RDPMC", "performance counters are not the guest's"},
    {SVM_MISC1, SVM_OFF, INTERCEPT_PUSHF | INTERCEPT_POPF, "PUSHF, POPF", switched},
    {SVM_MISC1, SVM_ON, INTERCEPT_CPUID, "CPUID", "shows the partition, not the machine"},
    {SVM_MISC1, SVM_ON, INTERCEPT_RSM, "RSM", "#UD outside SMM"},
    {SVM_MISC1, SVM_FREE, INTERCEPT_IRET, "IRET",
     "on from an NMI's delivery to the end of its handler"},
    {SVM_MISC1, SVM_OFF, INTERCEPT_INTN, "INT n", exitless},
    {SVM_MISC1, SVM_ON, INTERCEPT_INVD, "INVD",
     "would lose what other partitions have in the caches"},
    {SVM_MISC1, SVM_OFF, INTERCEPT_PAUSE, "PAUSE", exitless},
    {SVM_MISC1, SVM_OFF, INTERCEPT_HLT, "HLT", exitless},
    {SVM_MISC1, SVM_OFF, INTERCEPT_INVLPG, "INVLPG", exitless},
    {SVM_MISC1, SVM_ON, INTERCEPT_INVLPGA, "INVLPGA", "part of SVM, which the guest does not have"},
    {SVM_MISC1, SVM_ON, INTERCEPT_IOIO, "I/O permission map", "ports by the partition's map"},
    {SVM_MISC1, SVM_ON, INTERCEPT_MSR, "MSR permission map",
     "MSRs by the map of hv/policy/msr_policy.c"},
    {SVM_MISC1, SVM_OFF, INTERCEPT_TASK_SWITCH, "task switch", switched},
    {SVM_MISC1, SVM_ON, INTERCEPT_FERR_FREEZE, "FERR freeze",
     "with CR0.NE clear the CPU would wait for an 8259 that is masked; becomes #MF"},
    {SVM_MISC1, SVM_ON, INTERCEPT_SHUTDOWN, "shutdown",
     "a triple fault restarts the partition, not the machine"},

    {SVM_MISC2, SVM_ON, INTERCEPT_VMRUN, "VMRUN", "must be intercepted (15.5.1)"},
    {SVM_MISC2, SVM_ON, INTERCEPT_VMMCALL, "VMMCALL", "hypercall"},
    {SVM_MISC2, SVM_ON, INTERCEPT_VMLOAD, "VMLOAD", "would read host-physical memory"},
    {SVM_MISC2, SVM_ON, INTERCEPT_VMSAVE, "VMSAVE", "would write host-physical memory"},
    {SVM_MISC2, SVM_ON, INTERCEPT_STGI, "STGI", "part of SVM, which the guest does not have"},
    {SVM_MISC2, SVM_ON, INTERCEPT_CLGI, "CLGI", "would hold back the kick"},
    {SVM_MISC2, SVM_ON, INTERCEPT_SKINIT, "SKINIT", "would restart the machine"},
    {SVM_MISC2, SVM_OFF, INTERCEPT_RDTSCP, "RDTSCP", exitless},
    {SVM_MISC2, SVM_OFF, INTERCEPT_ICEBP, "ICEBP", "its #DB is intercepted"},
    {SVM_MISC2, SVM_ON, INTERCEPT_WBINVD, "WBINVD and WBNOINVD", "would stall everybody's caches"},
    {SVM_MISC2, SVM_ON, INTERCEPT_MONITOR, "MONITOR and MONITORX", "hidden, with MWAIT"},
    {SVM_MISC2, SVM_ON, INTERCEPT_MWAIT, "MWAIT and MWAITX",
     "hidden: deep sleep states delay the kick"},
    {SVM_MISC2, SVM_OFF, INTERCEPT_MWAIT_ARMED, "MWAIT with an armed monitor",
     "the unconditional intercept covers it"},
    {SVM_MISC2, SVM_OFF, INTERCEPT_XSETBV, "XSETBV",
     "registers that the hypervisor never touches, so they stay the guest's"},
    {SVM_MISC2, SVM_ON, INTERCEPT_RDPRU, "RDPRU", "hidden: shows the physical clock's state"},
    {SVM_MISC2, SVM_OFF, INTERCEPT_EFER_TRAP, "trap after a write of EFER",
     "the MSR map intercepts it before"},
    {SVM_MISC2, SVM_OFF, INTERCEPT_CR_TRAPS, "traps after writes of CR0 to CR15", switched},

    {SVM_MISC3, SVM_ON, INTERCEPT_INVLPGB, "INVLPGB",
     "flushes TLBs of all CPUs; processors before the nested control for it let a guest have it"},
    {SVM_MISC3, SVM_OFF, INTERCEPT_INVLPGB_ILLEGAL, "illegal INVLPGB",
     "the intercept of all covers it"},
    {SVM_MISC3, SVM_OFF, INTERCEPT_INVPCID, "INVPCID", exitless},
    {SVM_MISC3, SVM_OFF, INTERCEPT_MCOMMIT, "MCOMMIT", "#UD: its bit of EFER is refused"},
    {SVM_MISC3, SVM_ON, INTERCEPT_TLBSYNC, "TLBSYNC", "goes with INVLPGB"},
    {SVM_MISC3, SVM_OFF, INTERCEPT_BUS_LOCK, "bus lock threshold",
     "not used: a bus lock slows every CPU, and only the newest processors count them"},
    {SVM_MISC3, SVM_OFF, INTERCEPT_IDLE_HLT, "HLT without a virtual interrupt", exitless},

    {SVM_INTERRUPT, SVM_FREE, V_IRQ | V_IGN_TPR, "virtual interrupt", window},
    {SVM_INTERRUPT, SVM_OFF, V_INTR_MASKING, "virtual interrupt masking",
     "RFLAGS.IF and TPR are the physical ones"},
    {SVM_INTERRUPT, SVM_OFF, V_GIF_ENABLE, "virtual GIF", "no virtualization is shown"},
    {SVM_INTERRUPT, SVM_OFF, V_NMI_ENABLE, "virtual NMI", "IRET is intercepted instead"},
    {SVM_INTERRUPT, SVM_OFF, V_AVIC_ENABLE | V_X2AVIC_ENABLE, "AVIC, x2AVIC", no_interrupts},

    {SVM_NESTED, SVM_ON, NESTED_PAGING, "nested paging", "keeps a guest in its memory"},
    {SVM_NESTED, SVM_OFF, NESTED_SEV, "SEV", no_encryption},
    {SVM_NESTED, SVM_OFF, NESTED_SEV_ES, "SEV-ES", no_encryption},
    {SVM_NESTED, SVM_OFF, NESTED_OTHERS,
     "GMET, SSSCheckEn, transparent encryption, read-only tables",
     "what nested tables may say of a page besides; ours say the least"},
    {SVM_NESTED, SVM_OFF, NESTED_INVLPGB, "INVLPGB and TLBSYNC",
     "they reach the TLBs of all CPUs; where this control is there, off means #UD"},

    {SVM_LBR, SVM_OFF, LBR_VIRTUAL, "LBR virtualization", "branch records stay off"},
    {SVM_LBR, SVM_OFF, LBR_IBS | LBR_PMC, "IBS and PMC virtualization",
     "no performance counters are shown"},
    {SVM_LBR, SVM_OFF, LBR_VMLOAD_VMSAVE, "virtual VMLOAD and VMSAVE",
     "no virtualization is shown"},
};

const struct svm_control_rule *svm_control_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}

uint32_t svm_control_word(enum svm_word word)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].word == word && rules[i].kind == SVM_ON) {
            value |= rules[i].mask;
        }
    }
    return value;
}
