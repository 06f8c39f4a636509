; SPDX-License-Identifier: Apache-2.0
; The AMD-V exit path. VMRUN itself swaps RAX, RSP, RIP, RFLAGS, CR0-4, EFER and CS, SS, DS, ES. This code swaps
; the general registers. Everything else (FS, GS, TR, LDTR, the system-call MSRs, debug and FPU registers)
; stays the guest's, because the hypervisor uses none of it.
;
; GIF is 0 from the exit to the next VMRUN: an NMI that arrives meanwhile stays pending and causes an exit right
; after VMRUN, so no kick is lost.

%include "build/gen/asm_offsets.inc"
%include "arch/virt/guest_regs.inc"

global svm_enter
extern svm_exit

section .text progbits alloc exec nowrite align=16
bits 64

; _Noreturn void svm_enter(struct guest_regs *regs): `regs` are the guest's initial registers. Moves them to the
; place where every exit stores them.
svm_enter:
    clgi
    MOVE_FIRST_GUEST_REGS
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
    PUSH_GUEST_REGS
    sub rsp, 8
    call svm_exit
    jmp .loop
