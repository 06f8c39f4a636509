; SPDX-License-Identifier: Apache-2.0
; From long mode, mapped one to one, to what a Multiboot kernel is entered in, but untidy.

global leftover_enter

FLAGS equ 0x47002                       ; AC, NT, IOPL 3

section .text
bits 64
; edi: entry; esi: magic; edx: information; ecx: CR4; r8d: EFER
leftover_enter:
    mov ebx, edx
    mov ebp, ecx
    mov edx, r8d
    push 0x08                           ; 32-bit code of boot.asm's GDT
    lea rax, [rel .compatible]
    push rax
    o64 retf
bits 32
.compatible:
    mov eax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov eax, cr0
    and eax, 0x7fffffff
    mov cr0, eax
    mov eax, edx
    xor edx, edx
    mov ecx, 0xc0000080
    wrmsr
    mov cr4, ebp
    ; A breakpoint on accesses to the serial port.
    mov eax, 0x3f8
    mov dr0, eax
    mov eax, 0x00020402
    mov dr7, eax
    mov eax, esi
    push dword FLAGS
    popfd
    jmp edi
