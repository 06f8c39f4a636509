; SPDX-License-Identifier: Apache-2.0
; The VT-x exit path. Entry and exit swap RSP, RIP, RFLAGS, CR0, CR3, CR4, EFER, PAT, DR7, the segment registers
; and the SYSENTER MSRs. This code swaps the general registers. Everything else (system-call MSRs, DR0-3, DR6,
; CR2, FPU registers) stays the guest's, because the hypervisor uses none of it.
;
; No kick is lost. An NMI in the hypervisor sets nmi_taken (nmi_entry). The entry path tests nmi_taken, and from
; the test to VMRESUME it only loads registers from a frame that it does not change. nmi_entry therefore moves
; an NMI's return address inside this range back to the test (arch/interrupt/nmi_range.inc), which then finds
; the NMI. There is no gap after the range: the processor takes NMIs between instructions, so an NMI that is not
; taken before VMRESUME is taken in the guest, where it exits.

%include "build/gen/asm_offsets.inc"
%include "arch/virt/guest_regs.inc"
%include "arch/interrupt/nmi_range.inc"

global vmx_enter, vmx_exit_entry, vmx_unblock_nmi
extern vmx_exit, vmx_kicked, vmx_entry_failed

section .text progbits alloc exec nowrite align=16
bits 64

; Tests for a kick, loads the guest's registers from the frame at RSP, and enters with instruction %3. The range
; from label %1 to label %2 can restart at any instruction.
%macro ENTER 3
%1:
    cmp byte [abs PERCPU_NMI_TAKEN], 0
    jne %%kicked
    mov rax, [rsp]
    mov rcx, [rsp + 1 * 8]
    mov rdx, [rsp + 2 * 8]
    mov rbx, [rsp + 3 * 8]          ; 4 is rsp: in the VMCS
    mov rbp, [rsp + 5 * 8]
    mov rsi, [rsp + 6 * 8]
    mov rdi, [rsp + 7 * 8]
    mov r8, [rsp + 8 * 8]
    mov r9, [rsp + 9 * 8]
    mov r10, [rsp + 10 * 8]
    mov r11, [rsp + 11 * 8]
    mov r12, [rsp + 12 * 8]
    mov r13, [rsp + 13 * 8]
    mov r14, [rsp + 14 * 8]
    mov r15, [rsp + 15 * 8]
%2:
    %3
    ; Reached only if the processor refuses the VMCS's controls or host state.
    mov rdi, rsp
    call vmx_entry_failed
    jmp %1
%%kicked:
    mov rdi, rsp
    call vmx_kicked
    jmp %1
%endmacro

; _Noreturn void vmx_enter(struct guest_regs *regs): `regs` are the guest's initial registers. Moves them to the
; place where every exit stores them.
vmx_enter:
    MOVE_FIRST_GUEST_REGS
    ENTER vmx_launch_check, vmx_launch, vmlaunch

; Exits arrive here; RSP is PERCPU_STACK_TOP.
align 16
vmx_exit_entry:
    PUSH_GUEST_REGS
    push rax
    mov rdi, rsp
    call vmx_exit
    ENTER vmx_resume_check, vmx_resume, vmresume

; void vmx_unblock_nmi(void): unblocks NMIs by an IRET, because an exit for an NMI leaves them
; blocked.
align 16
vmx_unblock_nmi:
    pop rax                         ; return address
    mov rdx, rsp
    push HV_DATA_SELECTOR
    push rdx
    pushfq
    push HV_CODE_SELECTOR
    push rax
    iretq

; An NMI before the entry continues at the test.
NMI_RANGE vmx_launch_check, vmx_launch, vmx_launch_check
NMI_RANGE vmx_resume_check, vmx_resume, vmx_resume_check
