; SPDX-License-Identifier: Apache-2.0
; Jumps to the reset vector from each mode. The guest runs in long mode with its memory mapped one to
; one, below 4 GiB.

global jump_real, jump_protected, jump_long

section .text
bits 64
jump_long:                               ; (uint64_t place)
    cli
    jmp rdi

; To 32-bit code without paging, through compatibility mode.
%macro LEAVE_LONG 1
    cli
    lgdt [gdt_pointer]
    push 0x08
    push %1
    retfq
%endmacro

jump_protected:                          ; (uint32_t place)
    LEAVE_LONG in_protected
jump_real:
    LEAVE_LONG in_real

bits 32
; Paging off, and with it long mode.
%macro NO_PAGING 0
    mov eax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov eax, cr0
    and eax, ~0x80000000
    mov cr0, eax
    mov ecx, 0xc0000080
    rdmsr
    and eax, ~0x100
    wrmsr
%endmacro

in_protected:
    mov ebx, edi
    NO_PAGING
    jmp ebx

in_real:
    NO_PAGING
    ; 16-bit code has to lie below 1 MiB.
    mov esi, real_code
    mov edi, 0x7000
    mov ecx, real_end - real_code
    cld
    rep movsb
    jmp 0x18:0x7000

bits 16
real_code:
    mov ax, 0x20
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, cr0
    and al, ~1
    mov cr0, eax
    jmp 0xf000:0xfff0
real_end:

section .data
align 8
gdt:
    dq 0
    dq 0x00cf9b000000ffff                ; 0x08: 32-bit code
    dq 0x00cf93000000ffff                ; 0x10: data
    dq 0x00009b000000ffff                ; 0x18: 16-bit code
    dq 0x000093000000ffff                ; 0x20: 16-bit data
gdt_end:
gdt_pointer:
    dw gdt_end - gdt - 1
    dq gdt
