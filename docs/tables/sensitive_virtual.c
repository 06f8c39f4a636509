// SPDX-License-Identifier: Apache-2.0
// Instructions of virtualization itself: VT-x, AMD-V, and what is built on them.
#include "docs/tables/sensitive.h"

static const char intel[] = "an Intel instruction";
static const char amd[] = "an AMD instruction";
static const char svm_undefined[] =
    "#UD; in ring 3 #GP(0) first, because EFER.SVME is set below what the guest reads";

// VMCLEAR to VMXON: exit reasons 19 to 27.
#define VMX_ROW(name, mnemonic, reason, what)                                                      \
    {                                                                                              \
        .id = (name), .names = (mnemonic), .is = CONTROL, .reaches = (what),                       \
        .vmx = {EXITS, {ALWAYS(reason)}, NULL}, .svm = {UNDEFINED, {{0}}, intel},                  \
        .hidden = {{0x1, 0, CPUID_ECX, CPUID_1_ECX_VMX}}, .sees = "#UD", .test = "insn." name,     \
    }

#define SVM_ROW(name, mnemonic, bits, what)                                                        \
    {                                                                                              \
        .id = (name), .names = (mnemonic), .is = CONTROL, .reaches = (what),                       \
        .vmx = {UNDEFINED, {{0}}, amd}, .svm = {EXITS, {SVM2(bits)}, NULL},                        \
        .hidden = {{0x80000001, 0, CPUID_ECX, CPUID_80000001_ECX_SVM}}, .sees = svm_undefined,     \
        .test = "insn." name,                                                                      \
    }

static const struct sensitive_row rows[] = {
    {
        .id = "vmcall",
        .names = "VMCALL",
        .is = CONTROL,
        .reaches = "the hypervisor, from any ring",
        .vmx = {EXITS, {ALWAYS(VMX_EXIT_VMCALL)}, "there is no hypercall yet"},
        .svm = {UNDEFINED, {{0}}, intel},
        .sees = "on VT-x -1000 in RAX (KVM_ENOSYS); on AMD-V #UD",
        .test = "insn.vmcall",
    },
    {
        .id = "vmmcall",
        .names = "VMMCALL, VMGEXIT",
        .is = CONTROL,
        .reaches = "the hypervisor, from any ring",
        .vmx = {UNDEFINED, {{0}}, amd},
        .svm = {EXITS,
                {SVM2(INTERCEPT_VMMCALL)},
                "there is no hypercall yet; VMGEXIT is the same with a prefix, outside SEV-ES"},
        .sees = "on AMD-V -1000 in RAX (KVM_ENOSYS); on VT-x #UD",
        .test = "insn.vmmcall",
    },
    VMX_ROW("vmxon", "VMXON", 27, "turns VMX on"),
    VMX_ROW("vmxoff", "VMXOFF", 26, "turns VMX off"),
    VMX_ROW("vmclear", "VMCLEAR", VMX_EXIT_VMCLEAR, "writes a control structure to memory"),
    VMX_ROW("vmptrld", "VMPTRLD", 21, "makes a control structure the current one"),
    VMX_ROW("vmptrst", "VMPTRST", 22, "shows the host-physical address of the current one"),
    VMX_ROW("vmlaunch", "VMLAUNCH", 20, "enters a guest"),
    VMX_ROW("vmresume", "VMRESUME", 24, "enters a guest"),
    {
        .id = "vmread",
        .names = "VMREAD",
        .is = BEHAVIOUR,
        .reaches = "fields of the control structure",
        .vmx = {EXITS, {ALWAYS(23), PROC2_OFF(PROC2_VMCS_SHADOWING)}, NULL},
        .svm = {UNDEFINED, {{0}}, intel},
        .hidden = {{0x1, 0, CPUID_ECX, CPUID_1_ECX_VMX}},
        .sees = "#UD",
        .test = "insn.vmread",
    },
    {
        .id = "vmwrite",
        .names = "VMWRITE",
        .is = CONTROL,
        .reaches = "fields of the control structure",
        .vmx = {EXITS, {ALWAYS(25), PROC2_OFF(PROC2_VMCS_SHADOWING)}, NULL},
        .svm = {UNDEFINED, {{0}}, intel},
        .hidden = {{0x1, 0, CPUID_ECX, CPUID_1_ECX_VMX}},
        .sees = "#UD",
        .test = "insn.vmwrite",
    },
    {
        .id = "vmfunc",
        .names = "VMFUNC",
        .is = CONTROL,
        .reaches = "switches second-level tables without an exit",
        .vmx = {UNDEFINED, {PROC2_OFF(PROC2_VM_FUNCTIONS)}, NULL},
        .svm = {UNDEFINED, {{0}}, intel},
        .hidden = {{0x1, 0, CPUID_ECX, CPUID_1_ECX_VMX}},
        .sees = "#UD",
        .test = "insn.vmfunc",
    },
    VMX_ROW("invept", "INVEPT", VMX_EXIT_INVEPT, "translations of any EPT in this CPU's TLB"),
    VMX_ROW("invvpid", "INVVPID", VMX_EXIT_INVVPID, "translations of any VPID in this CPU's TLB"),
    SVM_ROW("vmrun", "VMRUN", INTERCEPT_VMRUN, "enters a guest from host-physical memory"),
    {
        .id = "vmload",
        .names = "VMLOAD",
        .is = CONTROL,
        .reaches = "loads registers from host-physical memory",
        .vmx = {UNDEFINED, {{0}}, amd},
        .svm = {EXITS, {SVM2(INTERCEPT_VMLOAD), {REF_SVM_OFF, SVM_LBR, LBR_VMLOAD_VMSAVE}}, NULL},
        .hidden = {{0x80000001, 0, CPUID_ECX, CPUID_80000001_ECX_SVM}},
        .sees = svm_undefined,
        .test = "insn.vmload",
    },
    {
        .id = "vmsave",
        .names = "VMSAVE",
        .is = CONTROL,
        .reaches = "writes registers to host-physical memory",
        .vmx = {UNDEFINED, {{0}}, amd},
        .svm = {EXITS, {SVM2(INTERCEPT_VMSAVE), {REF_SVM_OFF, SVM_LBR, LBR_VMLOAD_VMSAVE}}, NULL},
        .hidden = {{0x80000001, 0, CPUID_ECX, CPUID_80000001_ECX_SVM}},
        .sees = svm_undefined,
        .test = "insn.vmsave",
    },
    {
        .id = "stgi",
        .names = "STGI",
        .is = CONTROL,
        .reaches = "the global interrupt flag",
        .vmx = {UNDEFINED, {{0}}, amd},
        .svm = {EXITS, {SVM2(INTERCEPT_STGI), {REF_SVM_OFF, SVM_INTERRUPT, V_GIF_ENABLE}}, NULL},
        .hidden = {{0x80000001, 0, CPUID_ECX, CPUID_80000001_ECX_SVM}},
        .sees = svm_undefined,
        .test = "insn.stgi",
    },
    {
        .id = "clgi",
        .names = "CLGI",
        .is = CONTROL,
        .reaches = "the global interrupt flag: would hold back NMI, the kick",
        .vmx = {UNDEFINED, {{0}}, amd},
        .svm = {EXITS, {SVM2(INTERCEPT_CLGI), {REF_SVM_OFF, SVM_INTERRUPT, V_GIF_ENABLE}}, NULL},
        .hidden = {{0x80000001, 0, CPUID_ECX, CPUID_80000001_ECX_SVM}},
        .sees = svm_undefined,
        .test = "insn.clgi",
    },
    {
        .id = "skinit",
        .names = "SKINIT",
        .is = CONTROL,
        .reaches = "restarts the machine into a measured loader",
        .vmx = {UNDEFINED, {{0}}, amd},
        .svm = {EXITS, {SVM2(INTERCEPT_SKINIT)}, NULL},
        .hidden = {{0x80000001, 0, CPUID_ECX, CPUID_80000001_ECX_SKINIT}},
        .sees = svm_undefined,
        .test = "insn.skinit",
    },
    {
        .id = "tdx",
        .names = "SEAMCALL, TDCALL, SEAMRET, SEAMOPS",
        .is = CONTROL,
        .reaches = "the TDX module, which can take memory away from everybody",
        .vmx = {EXITS,
                {ALWAYS(VMX_EXIT_SEAMCALL), ALWAYS(VMX_EXIT_TDCALL)},
                "SEAMRET and SEAMOPS give #UD outside that module"},
        .svm = {UNDEFINED, {{0}}, intel},
        .sees = "#UD; in ring 3 #GP(0)",
        .test = "tests/unit/test_vmx_dispatch.c:undefined_instructions",
    },
    {
        .id = "snp",
        .names = "PVALIDATE, RMPADJUST, RMPUPDATE, RMPQUERY, PSMASH",
        .is = CONTROL,
        .reaches = "the owners of pages under SEV-SNP",
        .vmx = {UNDEFINED, {{0}}, amd},
        .svm = {UNDEFINED,
                {{REF_SVM_OFF, SVM_NESTED, NESTED_SEV | NESTED_SEV_ES}, NO_MSR(MSR_SYSCFG)},
                "#UD or #GP(0) outside an encrypted guest; SYSCFG can't be written"},
        .hidden = {{0x8000001f, 0, CPUID_EAX, 0xffffffff}},
        .sees = "#UD or #GP(0), as the processor says",
        .untested = "no emulator has them",
    },
};

const struct sensitive_group sensitive_virtual = {"Virtualization", rows, ARRAY_SIZE(rows)};
