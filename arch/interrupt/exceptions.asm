; SPDX-License-Identifier: Apache-2.0
; Entry points of the hypervisor's own interrupt descriptor table. Exceptions end in exception_taken
; (arch/interrupt/exceptions.c). An NMI is the kick from another CPU. The other vectors are taken in two
; cases only: while arch/interrupt/apic.c drains a guest's pending interrupts, and on an unowned CPU that
; waits for its timer.
;
; No gate uses an IST stack: after a VM exit on AMD-V the task register still holds the guest's TSS.

%include "build/gen/asm_offsets.inc"
%include "arch/interrupt/nmi_range.inc"

extern exception_taken, apic_drain_vector
extern nmi_ranges, nmi_ranges_end
global exception_stubs, nmi_entry, nmi_ignored, drain_entry, cpu_wait_nmi, cpu_wait_nmi_or_interrupt

section .text progbits alloc exec nowrite align=16
bits 64

; Both waits, from their checks to their ends, are one restartable range for nmi_entry.
wait_begin:

; void cpu_wait_nmi(void)
cpu_wait_nmi:
    cmp byte [abs PERCPU_NMI_TAKEN], 0
    jne wait_over
    hlt
    jmp wait_over

; void cpu_wait_nmi_or_interrupt(void)
cpu_wait_nmi_or_interrupt:
    cmp byte [abs PERCPU_NMI_TAKEN], 0
    jne wait_over
    sti                     ; the STI shadow holds back a pending interrupt until the HLT
    hlt
wait_over:
    cli
    ret

; The kick: notes that it came. Code that tested nmi_taken before that, and is about to sleep or to enter
; the guest, continues where it tests again or returns: see arch/interrupt/nmi_range.inc.
align 16
nmi_entry:
    cmp byte [abs PERCPU_MUST_STOP], 0
    jne .stop
    push rax
    push rdx
    push rcx
    mov byte [abs PERCPU_NMI_TAKEN], 1
    mov rax, [rsp + 3 * 8]          ; return address
    lea rdx, [rel nmi_ranges]
    lea rcx, [rel nmi_ranges_end]
.next:
    cmp rax, [rdx]
    jb .other
    cmp rax, [rdx + 8]
    ja .other
    mov rax, [rdx + 16]
    mov [rsp + 3 * 8], rax
    jmp .out
.other:
    add rdx, NMI_RANGE_SIZE
    cmp rdx, rcx
    jb .next
.out:
    pop rcx
    pop rdx
    pop rax
    iretq
; Another CPU has panicked, so this CPU stops. Without an IRET it takes no further NMI.
.stop:
    hlt
    jmp .stop

; For NMIs of a watchdog that the firmware left on, before struct cpu exists to note them in.
nmi_ignored:
    iretq

; A device interrupt or IPI that was pending for a guest that has just been reset, or the timer of
; an unowned CPU.
align 16
drain_entry:
    push rax
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    cld
    call apic_drain_vector
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rax
    iretq

; 32 stubs of 16 bytes each: push error code and vector, then jump to the common part.
align 16
exception_stubs:
%assign vector 0
%rep 32
    align 16
%if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
    push vector
%else
    push 0
    push vector
%endif
    jmp exception_common
%assign vector vector + 1
%endrep

; The frame is struct exception_frame of arch/interrupt/exceptions.c.
exception_common:
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
    push rbx
    push rdx
    push rcx
    push rax
    cld
    mov rdi, rsp
    mov rbp, rsp                    ; the call preserves RBP
    and rsp, -16
    call exception_taken
    mov rsp, rbp                    ; reached only after an exception that was expected
    pop rax
    pop rcx
    pop rdx
    pop rbx
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
    add rsp, 16                     ; vector and error code
    iretq

; An NMI inside a wait continues after the HLT. The range may be left in STI's shadow.
NMI_RANGE wait_begin, wait_over, wait_over
