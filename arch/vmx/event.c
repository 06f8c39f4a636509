// SPDX-License-Identifier: Apache-2.0
// Events injected into the guest: exceptions, its NMIs, and events whose delivery an exit
// interrupted.
#include "arch/vmx/vmx.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr.h"
#include "arch/interrupt/exceptions.h"
#include "hv/partition/guest_interrupt.h"

#define VECTOR_NMI 2

static void unblock(uint64_t mask)
{
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~mask);
}

static void enter_with(uint32_t event, uint64_t error_code)
{
    // The handler starts outside the interrupt shadow of a preceding STI or MOV SS.
    unblock(BLOCKED_BY_SHADOW);
    if (event & EVENT_HAS_ERROR) {
        vmwrite(VMCS_ENTRY_ERROR_CODE, error_code);
    }
    vmwrite(VMCS_ENTRY_EVENT, event | EVENT_VALID);
}

void vmx_inject(struct vcpu *v, const struct guest_exception *e, bool has_error_code)
{
    (void)v;
    if (e->vector == EXCEPTION_PF) {
        write_cr2(e->cr2); // entry and exit don't touch CR2, so it holds the guest's value
    }
    uint32_t event = e->vector | EVENT_OF_TYPE(EVENT_TYPE_EXCEPTION);
    // The flags that a fault pushes have RF set (SDM vol. 3, 18.3.1.1); those of a #DB are
    // unchanged.
    if (e->vector != EXCEPTION_DB) {
        vmwrite(VMCS_GUEST_RFLAGS, vmread(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
    }
    // Real mode has no error codes (SDM vol. 3, 27.2.1.3).
    if (has_error_code && (vmread(VMCS_GUEST_CR0) & CR0_PE)) {
        event |= (uint32_t)EVENT_HAS_ERROR;
    }
    enter_with(event, e->error_code);
}

static bool has_length(unsigned type)
{
    return type == EVENT_TYPE_SOFTWARE || type == EVENT_TYPE_PRIVILEGED ||
           type == EVENT_TYPE_SOFTWARE_EX;
}

// Sets the debug registers as the exception would have: an exit does not change them (28.1).
static void set_debug_registers(uint64_t qualification)
{
    uint64_t dr6;
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    dr6 &= ~DR6_HITS;
    dr6 |= qualification & (DR6_HITS | DR6_BD | DR6_BS);
    __asm__ volatile("mov %0, %%dr6" : : "r"(dr6));
    vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GD);
}

void vmx_reflect(uint32_t event, uint64_t qualification)
{
    if (EVENT_VECTOR(event) == EXCEPTION_DB && EVENT_TYPE(event) == EVENT_TYPE_EXCEPTION) {
        set_debug_registers(qualification);
    }
    if (has_length(EVENT_TYPE(event))) {
        vmwrite(VMCS_ENTRY_LENGTH, vmread(VMCS_EXIT_LENGTH));
    }
    enter_with(event & ~(uint32_t)EVENT_NMI_UNBLOCKED, vmread(VMCS_EXIT_ERROR_CODE));
}

void vmx_deliver_again(uint32_t event)
{
    if (EVENT_TYPE(event) == EVENT_TYPE_NMI) {
        unblock(BLOCKED_BY_NMI); // the delivery blocks them again
    }
    if (has_length(EVENT_TYPE(event))) {
        vmwrite(VMCS_ENTRY_LENGTH, vmread(VMCS_EXIT_LENGTH));
    }
    enter_with(event & ~(uint32_t)EVENT_NMI_UNBLOCKED, vmread(VMCS_VECTORING_ERROR_CODE));
}

static void switch_control(uint64_t bit, bool on)
{
    uint64_t controls = vmread(VMCS_PROC_CONTROLS);
    vmwrite(VMCS_PROC_CONTROLS, on ? controls | bit : controls & ~bit);
}

static void set_nmi_window(bool on)
{
    switch_control(PROC_NMI_WINDOW, on);
}

bool vmx_can_interrupt(struct vcpu *v)
{
    (void)v;
    return (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF) != 0 &&
           (vmread(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_SHADOW) == 0 &&
           (vmread(VMCS_ENTRY_EVENT) & EVENT_VALID) == 0;
}

void vmx_interrupt(struct vcpu *v, uint8_t vector)
{
    (void)v;
    vmwrite(VMCS_ENTRY_EVENT, vector | EVENT_OF_TYPE(EVENT_TYPE_EXTERNAL) | EVENT_VALID);
}

void vmx_interrupt_window(struct vcpu *v, bool wanted)
{
    (void)v;
    switch_control(PROC_INTERRUPT_WINDOW | PROC_HLT, wanted);
}

void vmx_halted(struct vcpu *v)
{
    guest_interrupt_window(v);
    if ((vmread(VMCS_ENTRY_EVENT) & EVENT_VALID) == 0) {
        vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_HLT);
    }
}

bool vmx_has_timer(void)
{
    return vmx_controls.preemption;
}

// The timer counts only in the guest, and other exits save its value. So it can be late by the time
// that exits take, but never early (SDM vol. 3, 26.5.1). `ticks` counts from this call.
void vmx_set_timer(struct vcpu *v, uint64_t ticks)
{
    (void)v;
    uint64_t pin = vmx_controls.word[WORD_PIN], exit = vmx_controls.word[WORD_EXIT];
    if (ticks != 0) {
        uint64_t count = ticks >> (rdmsr(MSR_VMX_MISC) & VMX_MISC_TIMER_SHIFT);
        vmwrite(VMCS_PREEMPTION_TIMER, min_u64(count + 1, UINT32_MAX));
        pin |= PIN_PREEMPTION_TIMER;
        exit |= EXIT_SAVE_PREEMPTION;
    }
    vmwrite(VMCS_PIN_CONTROLS, pin);
    vmwrite(VMCS_EXIT_CONTROLS, exit);
}

void vmx_inject_nmi(struct vcpu *v)
{
    uint64_t blocked = vmread(VMCS_GUEST_INTERRUPTIBILITY);
    if (v->nmi_pending || (blocked & (BLOCKED_BY_NMI | BLOCKED_BY_SHADOW)) != 0 ||
        (vmread(VMCS_ENTRY_EVENT) & EVENT_VALID) != 0) {
        // One NMI is remembered, as in hardware. An exit tells when the guest can take it.
        v->nmi_pending = true;
        set_nmi_window(true);
        return;
    }
    // The processor blocks further NMIs until the guest's IRET.
    vmwrite(VMCS_ENTRY_EVENT, VECTOR_NMI | EVENT_OF_TYPE(EVENT_TYPE_NMI) | EVENT_VALID);
}

void vmx_nmi_window(struct vcpu *v)
{
    set_nmi_window(false);
    v->nmi_pending = false;
    vmx_inject_nmi(v);
}
