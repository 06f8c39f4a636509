// SPDX-License-Identifier: Apache-2.0
// CR0, CR4 and XCR0 of a guest, by the table of cr_rules.c. The guest's own bits change without an
// exit. The other bits read as the guest wrote them (read shadow).
#include "arch/vmx/vmx.h"

#include "arch/cpu/cpu.h"
#include "arch/vmx/cr_rules.h"
#include "arch/vmx/xcr0.h"
#include "hv/exit/exits.h"

#define CPUID_XSAVE_LEAF 0xd

uint64_t vmx_cr0_mask;
uint64_t vmx_cr4_mask;

void vmx_cr_init(void)
{
    vmx_cr0_mask = vmx_cr0_kept();
    vmx_cr4_mask = vmx_cr4_kept();
}

void vmx_cr_set(uint64_t cr0, uint64_t cr4)
{
    // With "unrestricted guest" the guest may set and clear PE and PG (SDM vol. 3, 24.8).
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

// The hypervisor does not emulate the instruction. It only changes the read shadow to the value
// that the guest writes, then lets the instruction run again. That time it differs from the shadow
// in no kept bit, so it can't exit again, and the processor makes all its own checks and changes
// (mode switch, PDPTEs, LMA, TLB). RF keeps a breakpoint on the instruction from being met twice.
static bool run_again(enum vmcs_field shadow, uint64_t value)
{
    vmwrite(shadow, value);
    vmwrite(VMCS_GUEST_RFLAGS, vmread(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
    return false;
}

static bool move_to_cr0(struct vcpu *v, uint64_t value)
{
    if ((value & CR0_NW) && (value & CR0_CD) == 0) {
        // The processor does not check this: it sees CD and NW only in the shadow.
        return exit_protected(v);
    }
    if ((value & CR0_PG) && (value & CR0_PE) == 0) {
        // The processor would raise this too, but only after the shadow had changed.
        return exit_protected(v);
    }
    return run_again(VMCS_CR0_SHADOW, value);
}

static bool move_to_cr4(struct vcpu *v, uint64_t value)
{
    if (value & vmx_cr4_mask & ~CR4_SHOWN_ONLY) {
        return exit_protected(v);
    }
    return run_again(VMCS_CR4_SHADOW, value);
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
    // The processor checks the privilege before the exit, but Bochs does not.
    if (RIGHTS_DPL(vmread(VMCS_SEGMENT_RIGHTS(VMCS_SS))) != 0 || (uint32_t)regs->r[GPR_RCX] != 0 ||
        !xcr0_valid(value, shown)) {
        return exit_protected(v);
    }
    // XCR0 stays the guest's: the hypervisor does not use the registers that it controls.
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_OSXSAVE);
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
    write_cr4(cr4);
    return true;
}
