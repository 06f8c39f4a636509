// SPDX-License-Identifier: Apache-2.0
// The state in which a guest's processor starts: the state after RESET or INIT
// (arch/virt/reset_state.h), changed as the entry requires.
#include "arch/vmx/vmx.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr.h"
#include "arch/lib/string.h"
#include "arch/virt/guest_state.h"
#include "arch/virt/reset_state.h"

#define RIGHTS_CODE32 0xc09b
#define RIGHTS_CODE64 0xa09b
#define RIGHTS_DATA32 0xc093

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
    uint32_t limit = (uint32_t)reset_value(RESET_LIMIT);
    uint16_t selector = (uint16_t)reset_value(RESET_SELECTOR);
    data_segments(selector, (uint32_t)reset_value(RESET_DATA_RIGHTS), limit);
    segment(VMCS_LDTR, selector, (uint32_t)reset_value(RESET_LDTR_RIGHTS), limit, 0);
    segment(VMCS_TR, selector, (uint32_t)reset_value(RESET_TR_RIGHTS), limit, 0);
    static const enum vmcs_field zero[] = {
        VMCS_GUEST_GDTR_BASE, VMCS_GUEST_IDTR_BASE,
        VMCS_GUEST_DEBUGCTL,  VMCS_GUEST_INTERRUPTIBILITY,
        VMCS_GUEST_ACTIVITY,  VMCS_GUEST_PENDING_DEBUG,
        VMCS_ENTRY_EVENT,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(zero); i++) {
        vmwrite(zero[i], 0);
    }
    vmwrite(VMCS_GUEST_CR3, reset_value(RESET_CR3));
    vmwrite(VMCS_GUEST_GDTR_LIMIT, limit);
    vmwrite(VMCS_GUEST_IDTR_LIMIT, limit);
    vmwrite(VMCS_GUEST_RFLAGS, reset_value(RESET_RFLAGS));
    vmwrite(VMCS_GUEST_DR7, reset_value(RESET_DR7));
    vmwrite(VMCS_LINK_POINTER, ~0ull);
    vmwrite(VMCS_ENTRY_CONTROLS, vmx_controls.word[WORD_ENTRY]);
    vmwrite(VMCS_PROC_CONTROLS, vmx_controls.word[WORD_PROC]);
}

// MSRs that the VMCS holds and that INIT does not change.
static void reset_kept_msrs(void)
{
    vmwrite(VMCS_GUEST_PAT, reset_value(RESET_PAT));
    vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
    vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
    vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);
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
    uint64_t efer = reset_value(RESET_EFER);
    uint64_t rip = entry->rip;
    switch (entry->mode) {
    case ENTRY_REAL:
        segment(VMCS_CS, (uint16_t)(rip >> 4), (uint32_t)reset_value(RESET_CODE_RIGHTS),
                (uint32_t)reset_value(RESET_LIMIT), rip & ~0xfull);
        rip &= 0xf;
        vmx_cr_set(reset_after(RESET_CR0, entry->after_init, vmx_cr0()), reset_value(RESET_CR4));
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
    regs->r[GPR_RAX] = entry->rax;
    regs->r[GPR_RCX] = entry->rcx;
    regs->r[GPR_RDX] = entry->rdx;
    regs->r[GPR_RBX] = entry->rbx;
    regs->r[GPR_RSP] = entry->rsp;
    regs->r[GPR_RBP] = entry->rbp;
    regs->r[GPR_RSI] = entry->rsi;
    regs->r[GPR_RDI] = entry->rdi;
    vmwrite(VMCS_GUEST_RSP, entry->rsp);
    v->nmi_pending = false;
    vmx_flush_tlb();

    if (!entry->after_init) {
        reset_kept_msrs();
    }
    // DR6: neither entry nor exit touches it.
    __asm__ volatile("mov %0, %%dr6" : : "r"(reset_value(RESET_DR6)));
    guest_state_reset(RESET_IN_VMCS, entry->after_init);
}
