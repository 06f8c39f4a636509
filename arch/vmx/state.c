// SPDX-License-Identifier: Apache-2.0
// The guest's state for emulation and reports, in a form that is independent of the vendor.
#include "arch/vmx/vmx.h"

#include "arch/cpu/cpu.h"
#include "arch/memory/heap.h"

struct vmx_controls vmx_controls;
struct vmx_limits vmx_limits;
const uint8_t *vmx_msr_map_xapic;
const uint8_t *vmx_msr_map_x2apic;

static bool in_64bit_mode(uint64_t cs_rights)
{
    return (vmread(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E_GUEST) != 0 && (cs_rights & RIGHTS_LONG) != 0;
}

void vmx_get_state(struct vcpu *v, struct virt_state *out)
{
    uint64_t rflags = vmread(VMCS_GUEST_RFLAGS);
    uint64_t cs_rights = vmread(VMCS_SEGMENT_RIGHTS(VMCS_CS));
    out->paging = (struct guest_paging){
        .cr0 = vmx_cr0(),
        .cr3 = vmread(VMCS_GUEST_CR3),
        .cr4 = vmx_cr4(),
        .efer = vmread(VMCS_GUEST_EFER),
        .cpl = (uint8_t)RIGHTS_DPL(vmread(VMCS_SEGMENT_RIGHTS(VMCS_SS))),
        .ac = (rflags & RFLAGS_AC) != 0,
        .phys_bits = (uint8_t)v->cpuid.extended[8].eax,
    };
    out->real_mode = (out->paging.cr0 & CR0_PE) == 0 || (rflags & RFLAGS_VM) != 0;
    bool long64 = in_64bit_mode(cs_rights);
    if (long64) {
        out->mode = DECODE_64;
    } else {
        out->mode = cs_rights & RIGHTS_BIG ? DECODE_32 : DECODE_16;
    }
    out->cs_base = long64 ? 0 : vmread(VMCS_SEGMENT_BASE(VMCS_CS));
    out->rip = vmread(VMCS_GUEST_RIP);
    out->rsp = vmread(VMCS_GUEST_RSP);
    out->rflags = rflags;
    out->dr7 = vmread(VMCS_GUEST_DR7);
}

void vmx_get_segment(struct vcpu *v, enum insn_segment segment, struct guest_segment *out)
{
    static const enum vmcs_segment numbers[] = {
        [SEG_ES] = VMCS_ES, [SEG_CS] = VMCS_CS, [SEG_SS] = VMCS_SS,
        [SEG_DS] = VMCS_DS, [SEG_FS] = VMCS_FS, [SEG_GS] = VMCS_GS,
    };
    (void)v;
    enum vmcs_segment s = numbers[segment];
    uint64_t rights = vmread(VMCS_SEGMENT_RIGHTS(s));
    *out = (struct guest_segment){
        .base = vmread(VMCS_SEGMENT_BASE(s)),
        .limit = (uint32_t)vmread(VMCS_SEGMENT_LIMIT(s)),
        .attributes = (uint16_t)((rights & 0xff) | (rights >> 4 & 0xf00)), // AVL, L, D/B, G
    };
    if (rights & RIGHTS_UNUSABLE) {
        out->attributes &= (uint16_t)~SEGMENT_PRESENT;
    }
}

void vmx_debug_trap(uint64_t hits)
{
    vmwrite(VMCS_GUEST_PENDING_DEBUG,
            vmread(VMCS_GUEST_PENDING_DEBUG) | hits | (hits & ~DR6_BS ? PENDING_DEBUG_ENABLED : 0));
}

void vmx_complete(struct vcpu *v, uint64_t rip, uint64_t rflags, uint64_t hits)
{
    (void)v;
    // A repeated instruction that continues has already met its breakpoints (SDM vol. 3, 18.3.1.1).
    bool repeats = vmread(VMCS_GUEST_RIP) == rip;
    vmwrite(VMCS_GUEST_RIP, rip);
    vmwrite(VMCS_GUEST_RFLAGS, repeats ? rflags | RFLAGS_RF : rflags & ~RFLAGS_RF);
    // An interrupt shadow ends with the instruction after it, which has now run.
    uint64_t blocked = vmread(VMCS_GUEST_INTERRUPTIBILITY);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, blocked & ~BLOCKED_BY_SHADOW);
    hits |= rflags & RFLAGS_TF ? DR6_BS : 0;
    if (hits != 0) {
        vmx_debug_trap(hits);
    }
}

uint64_t vmx_get_efer(struct vcpu *v)
{
    (void)v;
    return vmread(VMCS_GUEST_EFER);
}

void vmx_set_efer(struct vcpu *v, uint64_t efer)
{
    (void)v;
    // LMA and the entry control "IA-32e mode guest" don't change here: turning paging on or off
    // switches them.
    vmwrite(VMCS_GUEST_EFER, efer);
}

void vmx_set_x2apic(struct vcpu *v, bool x2apic)
{
    (void)v;
    vmwrite(VMCS_MSR_BITMAP, heap_pa(x2apic ? vmx_msr_map_x2apic : vmx_msr_map_xapic).v);
}
