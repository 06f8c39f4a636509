; SPDX-License-Identifier: Apache-2.0
; Where an application processor starts after a SIPI. boot/smp.c copies this page below 640 KiB, fills in the
; page's own address and the address of tables that 32-bit code can load, and sends the IPIs. The code goes from
; real mode to long mode on these tables, then to the CPU's own tables and stack, and ends in ap_main
; (boot/smp.c).

%include "build/gen/asm_offsets.inc"
%include "boot/long_mode.inc"

section .rodata progbits alloc noexec nowrite align=16
bits 16
global trampoline_start, trampoline_end, trampoline_base, trampoline_root
extern ap_cr3, ap_main

trampoline_start:
    cli
    cld
    mov ax, cs
    mov ds, ax
    mov ebx, [trampoline_base - trampoline_start]
    lea eax, [ebx + trampoline_gdt - trampoline_start]
    mov [trampoline_gdt_pointer + 2 - trampoline_start], eax
    o32 lgdt [trampoline_gdt_pointer - trampoline_start]
    lea eax, [ebx + trampoline32 - trampoline_start]
    mov [trampoline_far32 - trampoline_start], eax
    mov eax, cr0
    and eax, 0x1fffffff             ; caches on
    or eax, 1
    mov cr0, eax
    jmp far dword [trampoline_far32 - trampoline_start]

bits 32
trampoline32:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    lea esp, [ebx + 4096]           ; the rest of this page serves as the stack
    mov eax, [ebx + trampoline_root - trampoline_start]
    ENTER_LONG_MODE
    lea eax, [ebx + trampoline64 - trampoline_start]
    push dword 0x08
    push eax
    retf

bits 64
trampoline64:
    CLEAR_SEGMENTS
    mov rax, .high
    jmp rax

section .text progbits alloc exec nowrite align=16
.high:
    mov rax, [ap_cr3]
    mov cr3, rax                    ; ends the low mapping
    mov rsp, PERCPU_STACK_TOP
    xor ebp, ebp
    call ap_main
    ud2

section .rodata
    align 8
trampoline_gdt:
    LONG_MODE_GDT
    dq 0x00cf9b000000ffff           ; 0x18: 32-bit code
trampoline_gdt_pointer:
    dw 31
    dd 0
trampoline_far32:
    dd 0
    dw 0x18
    align 8
trampoline_base:
    dd 0
trampoline_root:
    dd 0
trampoline_end:
