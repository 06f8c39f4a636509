// SPDX-License-Identifier: Apache-2.0
// The state in which a guest's processor starts: that after INIT, and what the entry asks for
// (SDM volume 3, table 10-1).
#include "arch/vmx/vmx.h"

#include "arch/cpu.h"
#include "arch/guest_state.h"
#include "arch/msr.h"
#include "arch/string.h"

#define RIGHTS_CODE16 0x009b // present, code, readable, accessed; 16-bit
#define RIGHTS_DATA16 0x0093
#define RIGHTS_CODE32 0xc09b
#define RIGHTS_CODE64 0xa09b
#define RIGHTS_DATA32 0xc093
#define RIGHTS_LDT    0x0082
#define RIGHTS_TSS    0x008b

#define DR6_RESET 0xffff0ff0ull
#define DR7_RESET 0x400

#define INVALIDATE_ALL 2 // type of INVEPT and INVVPID: all contexts

static void segment(enum vmcs_segment s, uint16_t selector, uint32_t rights, uint32_t limit,
                    uint64_t base)
{
    vmwrite(VMCS_SEGMENT_SELECTOR(s), selector);
    vmwrite(VMCS_SEGMENT_RIGHTS(s), rights);
    vmwrite(VMCS_SEGMENT_LIMIT(s), limit);
    vmwrite(VMCS_SEGMENT_BASE(s), base);
}

static void data_segments(uint16_t selector, uint32_t rights, uint32_t limit)
{
    static const enum vmcs_segment list[] = {VMCS_ES, VMCS_SS, VMCS_DS, VMCS_FS, VMCS_GS};
    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        segment(list[i], selector, rights, limit, 0);
    }
}

static void reset_system_state(void)
{
    data_segments(0, RIGHTS_DATA16, 0xffff);
    segment(VMCS_LDTR, 0, RIGHTS_LDT, 0xffff, 0);
    segment(VMCS_TR, 0, RIGHTS_TSS, 0xffff, 0);
    static const enum vmcs_field zero[] = {
        VMCS_GUEST_CR3,
        VMCS_GUEST_GDTR_BASE,
        VMCS_GUEST_IDTR_BASE,
        VMCS_GUEST_DEBUGCTL,
        VMCS_GUEST_INTERRUPTIBILITY,
        VMCS_GUEST_ACTIVITY,
        VMCS_GUEST_PENDING_DEBUG,
        VMCS_ENTRY_EVENT,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(zero); i++) {
        vmwrite(zero[i], 0);
    }
    vmwrite(VMCS_GUEST_GDTR_LIMIT, 0xffff);
    vmwrite(VMCS_GUEST_IDTR_LIMIT, 0xffff);
    vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
    vmwrite(VMCS_GUEST_DR7, DR7_RESET);
    vmwrite(VMCS_LINK_POINTER, ~0ull);
    vmwrite(VMCS_ENTRY_CONTROLS, vmx_controls.word[WORD_ENTRY]);
    vmwrite(VMCS_PROC_CONTROLS, vmx_controls.word[WORD_PROC]);
}

// What INIT leaves as it is.
static void reset_kept_msrs(void)
{
    static const uint32_t own_msrs[] = {MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
                                        MSR_KERNEL_GS_BASE};
    vmwrite(VMCS_GUEST_PAT, PAT_RESET);
    vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
    vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
    vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);
    // These neither entry nor exit touches.
    for (unsigned i = 0; i < ARRAY_SIZE(own_msrs); i++) {
        wrmsr(own_msrs[i], 0);
    }
}

static void enter_flat(const struct vcpu_entry *entry, uint32_t code)
{
    segment(VMCS_CS, entry->cs, code, 0xffffffff, 0);
    data_segments(entry->ds, RIGHTS_DATA32, 0xffffffff);
    vmwrite(VMCS_GUEST_GDTR_BASE, entry->gdt.v);
    vmwrite(VMCS_GUEST_GDTR_LIMIT, entry->gdt_limit);
}

static void set_mode(const struct vcpu_entry *entry)
{
    uint64_t efer = 0;
    uint64_t rip = entry->rip;
    switch (entry->mode) {
    case ENTRY_REAL:
        segment(VMCS_CS, (uint16_t)(rip >> 4), RIGHTS_CODE16, 0xffff, rip & ~0xfull);
        rip &= 0xf;
        vmx_cr_set(CR0_ET | CR0_CD | CR0_NW, 0);
        break;
    case ENTRY_PROTECTED32:
        enter_flat(entry, RIGHTS_CODE32);
        vmx_cr_set(CR0_ET | CR0_NE | CR0_PE, 0);
        break;
    case ENTRY_LONG64:
        enter_flat(entry, RIGHTS_CODE64);
        vmx_cr_set(CR0_ET | CR0_NE | CR0_PE | CR0_PG, CR4_PAE);
        vmwrite(VMCS_GUEST_CR3, entry->cr3);
        vmwrite(VMCS_ENTRY_CONTROLS, vmx_controls.word[WORD_ENTRY] | ENTRY_IA32E_GUEST);
        efer = EFER_LME | EFER_LMA;
        break;
    }
    vmwrite(VMCS_GUEST_EFER, efer);
    vmwrite(VMCS_GUEST_RIP, rip);
}

void vmx_flush_tlb(void)
{
    const struct {
        uint64_t context, address;
    } all = {0, 0};
    __asm__ volatile("invept %0, %1" : : "m"(all), "r"((uint64_t)INVALIDATE_ALL) : "cc", "memory");
    if (vmx_controls.vpid) {
        __asm__ volatile("invvpid %0, %1"
                         :
                         : "m"(all), "r"((uint64_t)INVALIDATE_ALL)
                         : "cc", "memory");
    }
}

void vmx_vcpu_reset(struct vcpu *v, const struct vcpu_entry *entry, struct guest_regs *regs)
{
    reset_system_state();
    set_mode(entry);
    memset(regs, 0, sizeof(*regs));
    regs->r[0] = entry->rax;
    regs->r[1] = entry->rcx;
    regs->r[2] = entry->rdx;
    regs->r[3] = entry->rbx;
    regs->r[4] = entry->rsp;
    regs->r[5] = entry->rbp;
    regs->r[6] = entry->rsi;
    regs->r[7] = entry->rdi;
    vmwrite(VMCS_GUEST_RSP, entry->rsp);
    v->nmi_pending = false;
    vmx_flush_tlb();

    if (!entry->after_init) {
        reset_kept_msrs();
    }
    // What neither entry nor exit touches.
    __asm__ volatile("mov %0, %%dr6" : : "r"(DR6_RESET));
    guest_state_reset();
}
