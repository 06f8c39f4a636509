; SPDX-License-Identifier: Apache-2.0
; The AMD-V exit path. VMRUN itself swaps RAX, RSP, RIP, RFLAGS, CR0-4, EFER and CS, SS, DS, ES; the
; general registers are swapped here, and everything else (FS, GS, TR, LDTR, the system-call MSRs,
; debug and FPU registers) simply stays the guest's, because the hypervisor uses none of it.
;
; GIF is 0 from the exit to the next VMRUN: an NMI that comes meanwhile stays pending and causes
; an exit right after VMRUN, so no kick is lost.

%include "build/gen/asm_offsets.inc"

global svm_enter
extern svm_exit

section .text progbits alloc exec nowrite align=16
bits 64

; _Noreturn void svm_enter(struct guest_regs *regs): `regs` are the guest's at its start. They are
; copied to their place at the top of this CPU's stack, where every exit leaves them.
svm_enter:
    clgi
    mov rsi, rdi
    mov rdi, PERCPU_STACK_TOP - GUEST_REGS_SIZE
    mov ecx, GUEST_REGS_SIZE / 8
    ; The source lies deeper in the same stack, and the frame may cover it: so from its top down.
    add rsi, GUEST_REGS_SIZE - 8
    add rdi, GUEST_REGS_SIZE - 8
    std
    rep movsq
    cld
    mov rsp, PERCPU_STACK_TOP - GUEST_REGS_SIZE
.loop:
    add rsp, 8                      ; rax: in the VMCB
    pop rcx
    pop rdx
    pop rbx
    add rsp, 8                      ; rsp: in the VMCB
    pop rbp
    pop rsi
    pop rdi
    pop r8
    pop r9
    pop r10
    pop r11
    pop r12
    pop r13
    pop r14
    pop r15
    mov rax, [abs PERCPU_VM_AREA]
    vmrun
    push r15
    push r14
    push r13
    push r12
    push r11
    push r10
    push r9
    push r8
    push rdi
    push rsi
    push rbp
    sub rsp, 8
    push rbx
    push rdx
    push rcx
    sub rsp, 8
    call svm_exit
    jmp .loop
