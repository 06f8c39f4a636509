; SPDX-License-Identifier: Apache-2.0
; The way back from an attack: every interrupt and exception of a hostile CPU comes here on a stack
; of its own, with any registers, any segments and any page tables that map this code, and goes on
; where attempt() was called. See struct hostile_cpu.

SAVED_RSP equ 0
ARMED     equ 8
MAIN_CR3  equ 16
CR0_      equ 24
CR4_      equ 32
VECTOR    equ 40
ERROR     equ 48
RIP_      equ 56
GDTR      equ 64
IDTR      equ 80
REGS      equ 96
IRET_AT   equ REGS + 16 * 8
CPU_BLOCK equ 0x4000

SEL_DATA   equ 0x10
SEL_CODE64 equ 0x18

global attempt, sandbox_enter, hostile_stubs, recover_start, recover_end
extern hostile_stray

; Pages of their own: the only ones of the guest's code that random code can reach.
section .text.recover progbits alloc exec nowrite align=4096
bits 64
recover_start:

; int attempt(struct hostile_cpu *cpu, void (*act)(struct hostile_cpu *))
attempt:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    push rdi
    mov [rdi + SAVED_RSP], rsp
    mov qword [rdi + ARMED], 1
    call rsi
    cli
    mov rdi, [rsp]
    mov qword [rdi + ARMED], 0
    mov eax, -1
leave_attempt:
    pop rdi
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

; A trap ended the attempt; RSP is as it was at the call of the act.
resume:
    mov rdi, [rsp]
    mov eax, [rdi + VECTOR]
    jmp leave_attempt

; void sandbox_enter(struct hostile_cpu *cpu, uint64_t cr3)
sandbox_enter:
    cli
    mov cr3, rsi
    lea rsp, [rdi + IRET_AT]
    mov rax, [rdi + REGS + 0 * 8]
    mov rcx, [rdi + REGS + 1 * 8]
    mov rdx, [rdi + REGS + 2 * 8]
    mov rbx, [rdi + REGS + 3 * 8]
    mov rbp, [rdi + REGS + 5 * 8]
    mov rsi, [rdi + REGS + 6 * 8]
    mov r8, [rdi + REGS + 8 * 8]
    mov r9, [rdi + REGS + 9 * 8]
    mov r10, [rdi + REGS + 10 * 8]
    mov r11, [rdi + REGS + 11 * 8]
    mov r12, [rdi + REGS + 12 * 8]
    mov r13, [rdi + REGS + 13 * 8]
    mov r14, [rdi + REGS + 14 * 8]
    mov r15, [rdi + REGS + 15 * 8]
    mov rdi, [rdi + REGS + 7 * 8]
    iretq

%macro STUB 1
stub_%1:
%if %1 != 8 && (%1 < 10 || %1 > 14) && %1 != 17 && %1 != 21 && %1 != 29 && %1 != 30
    push 0
%endif
    push %1
    jmp trapped
%endmacro
%assign i 0
%rep 256
    STUB i
%assign i i + 1
%endrep

; Stack: vector, error, RIP, CS, RFLAGS, RSP, SS.
trapped:
    push rax
    push rbx
    lea rbx, [rsp - 1]
    and rbx, -CPU_BLOCK
    cmp qword [rbx + ARMED], 0
    je stray
    xor eax, eax
    mov dr7, rax
    mov rax, [rbx + MAIN_CR3]
    mov rcx, cr3
    cmp rax, rcx
    je .tables_good
    mov cr3, rax
.tables_good:
    mov rax, [rsp + 16]
    mov [rbx + VECTOR], rax
    mov rax, [rsp + 24]
    mov [rbx + ERROR], rax
    mov rax, [rsp + 32]
    mov [rbx + RIP_], rax
    ; From here an NMI may overwrite the frame. It finds the attempt under way, and does the same.
    mov rsp, [rbx + SAVED_RSP]
    mov qword [rbx + ARMED], 0
    mov rax, cr0
    cmp rax, [rbx + CR0_]
    je .cr0_good
    mov rax, [rbx + CR0_]
    mov cr0, rax
.cr0_good:
    mov rax, cr4
    cmp rax, [rbx + CR4_]
    je .cr4_good
    mov rax, [rbx + CR4_]
    mov cr4, rax
.cr4_good:
    lgdt [rbx + GDTR]
    lidt [rbx + IDTR]
    cld
    mov eax, SEL_DATA
    mov ds, eax
    mov es, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    mov rax, rsp
    push SEL_DATA
    push rax
    push 2
    push SEL_CODE64
    push resume
    iretq                                ; NMIs are open again

; Outside of an attempt interrupts are off, and only an NMI of the one that watches can come. What
; else comes is an error of this guest.
stray:
    cmp qword [rsp + 16], 2
    jne .report
    pop rbx
    pop rax
    add rsp, 16
    iretq
.report:
    mov rdi, rbx
    mov rsi, [rsp + 16]
    mov rdx, [rsp + 32]
    and rsp, -16
    cld
    call hostile_stray
align 4096
recover_end:

section .rodata
align 8
hostile_stubs:
%assign i 0
%rep 256
    dq stub_ %+ i
%assign i i + 1
%endrep
