// SPDX-License-Identifier: Apache-2.0
// The table of registers after RESET and INIT. The manuals' last row says that INIT leaves "all
// other MSRs" unchanged.
#include "arch/virt/reset_state.h"

#include "arch/cpu/cpuid.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/register_bits.h"

#define CHANGED 0ull // by INIT
#define KEPT    (~0ull)
#define NO_MSR  0, 0, 0, 0, 0
#define EBX     1
#define ECX     2
#define EDX     3

#define BACK_END(value, kept) value, kept, RESET_BY_BACK_END, 0, 0, NO_MSR
#define STATE(value, kept)    value, kept, RESET_BY_STATE, 0, 0, NO_MSR

static const struct reset_register registers[] = {
    [RESET_RFLAGS] = {"RFLAGS", BACK_END(RFLAGS_FIXED, CHANGED)},
    [RESET_CR0] = {"CR0", BACK_END(CR0_CD | CR0_NW | CR0_ET, CR0_CD | CR0_NW)},
    [RESET_CR2] = {"CR2", BACK_END(0, CHANGED)},
    [RESET_CR3] = {"CR3", BACK_END(0, CHANGED)},
    [RESET_CR4] = {"CR4", BACK_END(0, CHANGED)},
    [RESET_EFER] = {"EFER", BACK_END(0, CHANGED)},
    // Present and accessed: readable code, writable data, LDT, busy TSS.
    [RESET_CODE_RIGHTS] = {"CS rights", BACK_END(0x9b, CHANGED)},
    [RESET_DATA_RIGHTS] = {"SS, DS, ES, FS, GS rights", BACK_END(0x93, CHANGED)},
    [RESET_LDTR_RIGHTS] = {"LDTR rights", BACK_END(0x82, CHANGED)},
    [RESET_TR_RIGHTS] = {"TR rights", BACK_END(0x8b, CHANGED)},
    [RESET_LIMIT] = {"limits", BACK_END(0xffff, CHANGED)},
    [RESET_SELECTOR] = {"selectors", BACK_END(0, CHANGED)},
    [RESET_GENERAL] = {"general registers", BACK_END(0, CHANGED)},
    [RESET_DR0] = {"DR0 to DR3", STATE(0, CHANGED)},
    [RESET_DR6] = {"DR6", BACK_END(0xffff0ff0, CHANGED)},
    [RESET_DR7] = {"DR7", BACK_END(0x400, CHANGED)},
    [RESET_FCW] = {"x87 control word", STATE(0x40, KEPT)},
    [RESET_FSW] = {"x87 status word", STATE(0, KEPT)},
    [RESET_FTW] = {"x87 tag word", STATE(0x5555, KEPT)},
    [RESET_FPU_POINTERS] = {"x87 pointers", STATE(0, KEPT)},
    [RESET_FPU_DATA] = {"ST0 to ST7", STATE(0, KEPT)},
    [RESET_MXCSR] = {"MXCSR", STATE(0x1f80, KEPT)},
    [RESET_VECTORS] = {"XMM, YMM, ZMM, k0 to k7", STATE(0, KEPT)},
    [RESET_PKRU] = {"PKRU", STATE(0, KEPT)},
    [RESET_XCR0] = {"XCR0", STATE(XCR0_X87, KEPT)},
    // Guests read the machine's TSC, which a guest's RESET does not change.
    [RESET_TSC] = {"TSC", 0, KEPT, RESET_BY_NOTHING, 0, 0, MSR_TSC, MSR_TSC, 0, 0, 0},
    [RESET_PAT] = {"PAT", PAT_RESET, KEPT, RESET_BY_BACK_END, RESET_IN_VMCB | RESET_IN_VMCS, 0,
                   MSR_PAT, MSR_PAT, 0, 0, 0},
    [RESET_VIRT_SPEC_CTRL] = {"VIRT_SPEC_CTRL", 0, KEPT, RESET_BY_STATE, 0, 0, MSR_VIRT_SPEC_CTRL,
                              MSR_VIRT_SPEC_CTRL, 0, 0, 0},
    [RESET_APIC] = {"local APIC", 0, CHANGED, RESET_BY_VAPIC, 0, 0, MSR_TSC_DEADLINE,
                    MSR_TSC_DEADLINE, CPUID_FEATURES, CPUID_1_ECX_TSC_DEADLINE, 0},

    {"SPEC_CTRL", 0, KEPT, RESET_BY_MSR, 0, EDX, MSR_SPEC_CTRL, MSR_SPEC_CTRL,
     CPUID_EXTENDED_FEATURES,
     (uint32_t)(CPUID_7_EDX_IBRS_IBPB | CPUID_7_EDX_STIBP | CPUID_7_EDX_SSBD), 0},
    {"SPEC_CTRL", 0, KEPT, RESET_BY_MSR, 0, EBX, MSR_SPEC_CTRL, MSR_SPEC_CTRL, CPUID_EXT_SIZES,
     CPUID_80000008_EBX_IBRS | CPUID_80000008_EBX_STIBP | CPUID_80000008_EBX_SSBD, 0},
    {"PRED_CMD", 0, KEPT, RESET_BY_NOTHING, 0, 0, MSR_PRED_CMD, MSR_PRED_CMD, 0, 0, 0},
    {"FLUSH_CMD", 0, KEPT, RESET_BY_NOTHING, 0, 0, MSR_FLUSH_CMD, MSR_FLUSH_CMD, 0, 0, 0},
    {"SYSENTER_CS, ESP, EIP", 0, KEPT, RESET_BY_MSR, RESET_IN_VMCS, 0, MSR_SYSENTER_CS,
     MSR_SYSENTER_EIP, 0, 0, 0},
    {"DEBUGCTL", 0, CHANGED, RESET_BY_BACK_END, RESET_IN_VMCB | RESET_IN_VMCS, 0, MSR_DEBUGCTL,
     MSR_DEBUGCTL, 0, 0, 0},
    {"XSS", 0, KEPT, RESET_BY_MSR, 0, 0, MSR_XSS, MSR_XSS, CPUID_XSAVE, CPUID_D_1_EAX_XSAVES, 1},
    {"STAR, LSTAR, CSTAR, SFMASK", 0, KEPT, RESET_BY_MSR, 0, 0, MSR_STAR, MSR_SFMASK, 0, 0, 0},
    // The bases of FS and GS are reset with their segments.
    {"FS_BASE, GS_BASE", 0, CHANGED, RESET_BY_BACK_END, RESET_IN_VMCB | RESET_IN_VMCS, 0,
     MSR_FS_BASE, MSR_GS_BASE, 0, 0, 0},
    {"KernelGSBase", 0, KEPT, RESET_BY_MSR, 0, 0, MSR_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE, 0, 0, 0},
    {"TSC_AUX", 0, KEPT, RESET_BY_MSR, 0, EDX, MSR_TSC_AUX, MSR_TSC_AUX, CPUID_EXT_FEATURES,
     CPUID_80000001_EDX_RDTSCP, 0},
    {"TSC_AUX", 0, KEPT, RESET_BY_MSR, 0, ECX, MSR_TSC_AUX, MSR_TSC_AUX, CPUID_EXTENDED_FEATURES,
     CPUID_7_ECX_RDPID, 0},
    {"DR1 to DR3 address masks", 0, KEPT, RESET_BY_MSR, 0, ECX, MSR_DR1_ADDR_MASK,
     MSR_DR3_ADDR_MASK, CPUID_EXT_FEATURES, CPUID_80000001_ECX_DBEXT, 0},
    {"DR0 address mask", 0, KEPT, RESET_BY_MSR, 0, ECX, MSR_DR0_ADDR_MASK, MSR_DR0_ADDR_MASK,
     CPUID_EXT_FEATURES, CPUID_80000001_ECX_DBEXT, 0},
};

const struct reset_register *reset_registers(unsigned *count)
{
    *count = ARRAY_SIZE(registers);
    return registers;
}

uint64_t reset_value(enum reset_id id)
{
    return registers[id].value;
}

uint64_t reset_after(enum reset_id id, bool init, uint64_t before)
{
    const struct reset_register *r = &registers[id];
    return init ? (before & r->kept) | (r->value & ~r->kept) : r->value;
}
