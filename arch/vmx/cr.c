// SPDX-License-Identifier: Apache-2.0
// CR0, CR4 and XCR0 of a guest. A bit belongs to the guest unless a row here says why not: bits of
// the guest's change without an exit, the others read as the guest wrote them (read shadow).
#include "arch/vmx/vmx.h"

#include "arch/cpu.h"
#include "arch/msr.h"
#include "arch/vmx/xcr0.h"
#include "hv/exits.h"

#define CR4_OSXSAVE      BIT(18)
#define CR4_VMXE         BIT(13)
#define CPUID_XSAVE_LEAF 0xd

uint64_t vmx_cr0_mask;
uint64_t vmx_cr4_mask;

struct cr_rule {
    uint64_t mask;
    const char *reason;
};

// Bits of CR0 that are kept from the guest.
static const struct cr_rule cr0_kept[] = {
    {CR0_NE, "VT-x demands that it is set; the old way of reporting FPU errors needs an 8259"},
    {CR0_CD | CR0_NW, "no exit or entry switches them, so the hypervisor would run uncached too; "
                      "memory is coherent without"},
};

// Bits of CR4 that are the guest's. All others are kept: VMXE, which VT-x demands; SMXE, LA57, CET
// and PKS, which CPUID hides; what next year's CPU has. A guest that sets one gets #GP.
static const struct cr_rule cr4_passed[] = {
    {0x1f, "VME, PVI, TSD, DE, PSE: how the guest's own programs run"},
    {CR4_PAE | CR4_PGE | BIT(17), "PAE, PGE, PCIDE: the guest's own paging"},
    {BIT(8), "PCE: RDPMC gives #GP whatever it says"},
    {BIT(9) | BIT(10) | CR4_OSXSAVE, "OSFXSR, OSXMMEXCPT, OSXSAVE: registers that stay its own"},
    {BIT(11), "UMIP: what its own programs may do"},
    {BIT(16), "FSGSBASE: likewise"},
    {CR4_SMEP | CR4_SMAP | BIT(22), "SMEP, SMAP, PKE: the guest's own paging"},
};

// Kept, but the guest may write it: a machine check has to exit, not to shut the CPU down.
#define CR4_SHOWN_ONLY CR4_MCE

static uint64_t sum(const struct cr_rule *rules, unsigned count)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < count; i++) {
        mask |= rules[i].mask;
    }
    return mask;
}

void vmx_cr_init(void)
{
    vmx_cr0_mask = sum(cr0_kept, ARRAY_SIZE(cr0_kept));
    vmx_cr4_mask = ~sum(cr4_passed, ARRAY_SIZE(cr4_passed));
}

void vmx_cr_set(uint64_t cr0, uint64_t cr4)
{
    // With "unrestricted guest" PE and PG are free (SDM vol. 3, 24.8).
    uint64_t cr0_needed = vmx_limits.cr0_fixed0 & ~(CR0_PE | CR0_PG);
    uint64_t cr4_needed = vmx_limits.cr4_fixed0 | CR4_SHOWN_ONLY;
    vmwrite(VMCS_GUEST_CR0, ((cr0 & ~vmx_cr0_mask) | cr0_needed) & vmx_limits.cr0_fixed1);
    vmwrite(VMCS_GUEST_CR4, ((cr4 & ~vmx_cr4_mask) | cr4_needed) & vmx_limits.cr4_fixed1);
    vmwrite(VMCS_CR0_SHADOW, cr0);
    vmwrite(VMCS_CR4_SHADOW, cr4);
}

uint64_t vmx_cr0(void)
{
    return (vmread(VMCS_GUEST_CR0) & ~vmx_cr0_mask) | (vmread(VMCS_CR0_SHADOW) & vmx_cr0_mask);
}

uint64_t vmx_cr4(void)
{
    return (vmread(VMCS_GUEST_CR4) & ~vmx_cr4_mask) | (vmread(VMCS_CR4_SHADOW) & vmx_cr4_mask);
}

// The instruction is not emulated: only what the guest is shown of the kept bits becomes what it
// writes. Then it runs again, differs from the shadow in no kept bit, and does the rest with all of
// the processor's own checks and effects (mode switch, PDPTEs, LMA, TLB). It can't exit twice.
static bool move_to_cr0(struct vcpu *v, uint64_t value)
{
    if ((value & CR0_NW) && (value & CR0_CD) == 0) {
        return exit_protected(v); // the processor sees CD and NW only in the shadow
    }
    if ((value & CR0_PG) && (value & CR0_PE) == 0) {
        return exit_protected(v); // it would find that too, but the shadow must not change then
    }
    vmwrite(VMCS_CR0_SHADOW, value);
    return false;
}

static bool move_to_cr4(struct vcpu *v, uint64_t value)
{
    if (value & vmx_cr4_mask & ~CR4_SHOWN_ONLY) {
        return exit_protected(v);
    }
    vmwrite(VMCS_CR4_SHADOW, value);
    return false;
}

bool vmx_cr_exit(struct vcpu *v, struct guest_regs *regs, uint64_t qualification)
{
    bool long64 = (vmread(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E_GUEST) &&
                  (vmread(VMCS_SEGMENT_RIGHTS(VMCS_CS)) & RIGHTS_LONG);
    uint64_t value = guest_reg_read(regs, CR_REGISTER(qualification), long64 ? 8 : 4, false);
    if (CR_ACCESS(qualification) == CR_ACCESS_MOV_TO && CR_NUMBER(qualification) == 0) {
        return move_to_cr0(v, value);
    }
    if (CR_ACCESS(qualification) == CR_ACCESS_MOV_TO && CR_NUMBER(qualification) == 4) {
        return move_to_cr4(v, value);
    }
    return exit_fault(v, regs, "a control-register access that was not asked for, code",
                      qualification);
}

bool vmx_xsetbv(struct vcpu *v, const struct guest_regs *regs)
{
    uint64_t value = regs->r[GPR_RDX] << 32 | (uint32_t)regs->r[GPR_RAX];
    uint64_t shown = 0;
    if (v->cpuid.last_basic >= CPUID_XSAVE_LEAF) {
        const struct cpuid_entry *e = &v->cpuid.basic[CPUID_XSAVE_LEAF];
        shown = (uint64_t)e->edx << 32 | e->eax;
    }
    // The privilege is the processor's to check before the exit; Bochs does not.
    if (RIGHTS_DPL(vmread(VMCS_SEGMENT_RIGHTS(VMCS_SS))) != 0 || (uint32_t)regs->r[GPR_RCX] != 0 ||
        !xcr0_valid(value, shown)) {
        return exit_protected(v);
    }
    // The register is the guest's, the hypervisor uses none of what it governs.
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_OSXSAVE);
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
    write_cr4(cr4);
    return true;
}
