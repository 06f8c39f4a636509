; SPDX-License-Identifier: Apache-2.0
; A real-mode interrupt from long mode: down to 16-bit code at 0x7000, INT, and up again. The memory
; is mapped one to one.

global bios_call, bios_call_code, bios_call_end

CODE_AT  equ 0x7000
STACK_AT equ 0x7000                      ; downwards
%define LOW(label) (CODE_AT + label - bios_call_code)

section .text
bits 64
; (uint8_t vector, struct bios_registers *r)
bios_call:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    push rsi
    pushfq
    cli
    mov [saved_rsp], rsp
    sidt [saved_idt]
    mov byte [LOW(number)], dil
    mov eax, [rsi]
    mov [LOW(saved_eax)], eax
    lgdt [gdt_pointer]
    push 0x08
    push in_protected
    retfq
back:
    mov rsp, [saved_rsp]
    lidt [saved_idt]
    popfq
    pop rsi
    mov eax, [LOW(saved_eax)]
    mov [rsi], eax
    movzx eax, word [LOW(saved_flags)]
    mov [rsi + 4], eax
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

bits 32
in_protected:
    mov eax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov eax, cr0
    and eax, ~0x80000000                 ; paging, and with it long mode
    mov cr0, eax
    mov ecx, 0xc0000080
    rdmsr
    and eax, ~0x100
    wrmsr
    jmp 0x18:CODE_AT

up:
    mov eax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    jmp 0x28:back

bits 16
bios_call_code:
    mov ax, 0x20
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, cr0
    and al, ~1
    mov cr0, eax
    jmp 0:LOW(.real)
.real:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, STACK_AT
    o32 lidt [LOW(real_idt)]
    mov eax, [LOW(saved_eax)]
    test sp, sp                          ; CF and ZF clear: those that come back are the answer's
    db 0xcd                              ; int
number:
    db 0
    mov [LOW(saved_eax)], eax
    pushf
    pop word [LOW(saved_flags)]
    cli
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp dword 0x08:up
saved_eax: dd 0
saved_flags: dw 0
real_idt:
    dw 0x3ff
    dd 0
bios_call_end:

section .data
align 8
gdt:
    dq 0
    dq 0x00cf9b000000ffff                ; 0x08: 32-bit code
    dq 0x00cf93000000ffff                ; 0x10: data
    dq 0x00009b000000ffff                ; 0x18: 16-bit code
    dq 0x000093000000ffff                ; 0x20: 16-bit data
    dq 0x00af9b000000ffff                ; 0x28: 64-bit code
gdt_end:
gdt_pointer:
    dw gdt_end - gdt - 1
    dq gdt
saved_idt: times 10 db 0
align 8
saved_rsp: dq 0
