// SPDX-License-Identifier: Apache-2.0
// Instructions on descriptor tables, segments and flags.
#include "docs/tables/sensitive.h"

static const char own_table[] = "entry and exit switch the register; its address goes through EPT";
static const char own_table_amd[] =
    "VMRUN and #VMEXIT switch the register; its address goes through nested paging";
static const char left_alone[] = "the hypervisor has no LDT and no TSS, and never loads either";
static const char ring0[] = "as on the bare machine; in ring 3 #GP(0)";
static const char umip[] = "its own register; in ring 3 #GP(0) with its CR4.UMIP";
static const char no_exit[] = "no control knows it";

#define NATIVE_READS  PROC2_OFF(PROC2_DESCRIPTOR_TABLES)
#define NATIVE_LOADS  PROC2_OFF(PROC2_DESCRIPTOR_TABLES), PROC2(PROC2_EPT)
#define NATIVE_READS_ SVM1_OFF(INTERCEPT_TABLE_READS)
#define NATIVE_LOADS_                                                                              \
    SVM1_OFF(INTERCEPT_TABLE_WRITES),                                                              \
    {                                                                                              \
        REF_SVM_ON, SVM_NESTED, NESTED_PAGING                                                      \
    }

static const struct sensitive_row rows[] = {
    {
        .id = "lgdt",
        .names = "LGDT",
        .is = CONTROL,
        .reaches = "the table of all segments",
        .vmx = {CONFINED, {NATIVE_LOADS}, own_table},
        .svm = {CONFINED, {NATIVE_LOADS_}, own_table_amd},
        .sees = ring0,
        .test = "insn.lgdt",
    },
    {
        .id = "sgdt",
        .names = "SGDT",
        .is = BEHAVIOUR,
        .reaches = "where the table lies, from ring 3 too",
        .vmx = {CONFINED, {NATIVE_READS}, "it is the guest's"},
        .svm = {CONFINED, {NATIVE_READS_}, "it is the guest's"},
        .sees = umip,
        .test = "insn.sgdt",
    },
    {
        .id = "lidt",
        .names = "LIDT",
        .is = CONTROL,
        .reaches = "the table of all handlers",
        .vmx = {CONFINED, {NATIVE_LOADS}, own_table},
        .svm = {CONFINED, {NATIVE_LOADS_}, own_table_amd},
        .sees = ring0,
        .test = "insn.lidt",
    },
    {
        .id = "sidt",
        .names = "SIDT",
        .is = BEHAVIOUR,
        .reaches = "where the table lies, from ring 3 too",
        .vmx = {CONFINED, {NATIVE_READS}, "it is the guest's"},
        .svm = {CONFINED, {NATIVE_READS_}, "it is the guest's"},
        .sees = umip,
        .test = "insn.sidt",
    },
    {
        .id = "lldt",
        .names = "LLDT",
        .is = CONTROL,
        .reaches = "the local descriptor table",
        .vmx = {CONFINED, {NATIVE_LOADS}, own_table},
        .svm = {HARMLESS, {NATIVE_LOADS_}, left_alone},
        .sees = ring0,
        .test = "insn.lldt",
    },
    {
        .id = "sldt",
        .names = "SLDT",
        .is = BEHAVIOUR,
        .reaches = "the selector of the local descriptor table, from ring 3 too",
        .vmx = {CONFINED, {NATIVE_READS}, "it is the guest's"},
        .svm = {HARMLESS, {NATIVE_READS_}, left_alone},
        .sees = umip,
        .test = "insn.sldt",
    },
    {
        .id = "ltr",
        .names = "LTR",
        .is = CONTROL,
        .reaches = "the task state segment: stacks of other rings, I/O permissions of ring 3",
        .vmx = {CONFINED, {NATIVE_LOADS}, own_table},
        .svm = {HARMLESS, {NATIVE_LOADS_}, left_alone},
        .sees = ring0,
        .test = "insn.ltr",
    },
    {
        .id = "str",
        .names = "STR",
        .is = BEHAVIOUR,
        .reaches = "the selector of the task state segment, from ring 3 too",
        .vmx = {CONFINED, {NATIVE_READS}, "it is the guest's"},
        .svm = {HARMLESS, {NATIVE_READS_}, left_alone},
        .sees = umip,
        .test = "insn.str",
    },
    {
        .id = "lar",
        .names = "LAR",
        .is = BEHAVIOUR,
        .reaches = "rights in a descriptor",
        .vmx = {CONFINED, {PROC2(PROC2_EPT)}, "the tables are the guest's, in its memory"},
        .svm = {CONFINED,
                {{REF_SVM_ON, SVM_NESTED, NESTED_PAGING}},
                "the tables are the guest's, in its memory"},
        .sees = "as on the bare machine",
        .test = "insn.lar",
    },
    {
        .id = "lsl",
        .names = "LSL",
        .is = BEHAVIOUR,
        .reaches = "the limit in a descriptor",
        .vmx = {CONFINED, {PROC2(PROC2_EPT)}, "the tables are the guest's, in its memory"},
        .svm = {CONFINED,
                {{REF_SVM_ON, SVM_NESTED, NESTED_PAGING}},
                "the tables are the guest's, in its memory"},
        .sees = "as on the bare machine",
        .test = "insn.lsl",
    },
    {
        .id = "verr-verw",
        .names = "VERR, VERW",
        .is = BEHAVIOUR,
        .reaches = "whether a segment may be read or written; VERW flushes this CPU's buffers",
        .vmx = {CONFINED, {PROC2(PROC2_EPT)}, "the tables are the guest's, in its memory"},
        .svm = {CONFINED,
                {{REF_SVM_ON, SVM_NESTED, NESTED_PAGING}},
                "the tables are the guest's, in its memory"},
        .sees = "as on the bare machine",
        .test = "insn.verr-verw",
    },
    {
        .id = "mov-sreg",
        .names = "MOV Sreg, r; MOV r, Sreg; PUSH, POP Sreg; LDS, LES, LFS, LGS, LSS",
        .is = BOTH,
        .reaches = "segment registers; the selector of CS shows the ring",
        .vmx = {CONFINED, {PROC2(PROC2_EPT)}, "entry and exit switch all segment registers"},
        .svm =
            {CONFINED,
             {{REF_SVM_ON, SVM_NESTED, NESTED_PAGING}},
             "VMRUN and #VMEXIT switch ES, CS, SS and DS; the hypervisor uses neither FS nor GS"},
        .sees = "as on the bare machine: ring 0 of a guest is ring 0",
        .test = "insn.mov-sreg",
    },
    {
        .id = "popf",
        .names = "POPF",
        .is = CONTROL,
        .reaches = "IF, IOPL, TF, NT, VM; outside ring 0 it drops IF and IOPL without a word",
        .vmx = {HARMLESS,
                {PIN_OFF(PIN_EXTERNAL_INTERRUPT), PIN(PIN_NMI)},
                "interrupts are the guest's own, and NMI, the kick, ignores IF"},
        .svm = {HARMLESS, {SVM1_OFF(INTERCEPT_POPF), SVM1(INTERCEPT_NMI)}, "likewise"},
        .sees = "as on the bare machine",
        .test = "insn.popf",
    },
    {
        .id = "pushf",
        .names = "PUSHF",
        .is = BEHAVIOUR,
        .reaches = "IF, IOPL",
        .vmx = {CONFINED, {{0}}, "entry and exit switch RFLAGS; what it shows is the guest's"},
        .svm = {CONFINED, {SVM1_OFF(INTERCEPT_PUSHF)}, "VMRUN and #VMEXIT switch RFLAGS"},
        .sees = "its own flags. On AMD-V TF can show while an NMI waits for the end of the one "
                "before: the hypervisor steps over the IRET between them",
        .test = "insn.pushf",
    },
    {
        .id = "cli-sti",
        .names = "CLI, STI",
        .is = CONTROL,
        .reaches = "whether this CPU takes interrupts",
        .vmx = {HARMLESS,
                {PIN_OFF(PIN_EXTERNAL_INTERRUPT), PIN(PIN_NMI)},
                "interrupts are the guest's own, and NMI, the kick, ignores IF"},
        .svm = {HARMLESS,
                {SVM1_OFF(INTERCEPT_INTR),
                 SVM1(INTERCEPT_NMI),
                 {REF_SVM_OFF, SVM_INTERRUPT, V_INTR_MASKING}},
                "likewise"},
        .sees = "as on the bare machine, the shadow of STI too",
        .test = "insn.cli-sti tests/boot/test_count.py:test_halt_for_good",
    },
    {
        .id = "clac-stac",
        .names = "CLAC, STAC",
        .is = CONTROL,
        .reaches = "RFLAGS.AC: whether ring 0 may reach user pages under CR4.SMAP",
        .vmx = {CONFINED, {PASSED(4, BIT(21))}, "entry and exit switch RFLAGS"},
        .svm = {CONFINED, {SVM1_OFF(INTERCEPT_POPF)}, "VMRUN and #VMEXIT switch RFLAGS"},
        .sees = "as on the bare machine; in ring 3 #UD",
        .untested = "the flag is switched as those of POPF are, which that row's checks show",
    },
    {
        .id = "iret",
        .names = "IRET",
        .is = CONTROL,
        .reaches = "all flags, the ring, and the end of NMI blocking",
        .vmx = {CONFINED,
                {PIN(PIN_VIRTUAL_NMIS)},
                "what it unblocks are the guest's own NMIs; the kick is never blocked"},
        .svm = {UNLESS,
                {SVM1(INTERCEPT_IRET)},
                "exits at the end of the guest's NMI handler only, and then runs"},
        .sees = "as on the bare machine",
        .test = "insn.iret tests/boot/test_guests.py:test_exits",
    },
    {
        .id = "user-interrupt-flag",
        .names = "CLUI, STUI, TESTUI, UIRET",
        .is = BOTH,
        .reaches = "whether ring 3 takes user interrupts",
        .vmx = {UNDEFINED, {KEPT(4, BIT(25))}, "CR4.UINTR is kept clear"},
        .svm = {HARMLESS, {NO_MSR(0x985)}, no_exit},
        .hidden = {{0x7, 0, CPUID_EDX, CPUID_7_EDX_UINTR}},
        .sees = "#UD",
        .untested = "no emulator of the test bed has it",
    },
};

const struct sensitive_group sensitive_descriptors = {"Descriptor tables, segments and flags", rows,
                                                      ARRAY_SIZE(rows)};
