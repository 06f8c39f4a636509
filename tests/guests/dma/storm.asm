; SPDX-License-Identifier: Apache-2.0
; Stubs for a CPU that takes every vector as an interrupt, those of exceptions too: no error code is
; expected, and the way back is always to the interrupted code.

extern storm_interrupt
global storm_stubs

section .text
bits 64
%assign i 0
%rep 256
storm_%+i:
    push rax
    mov eax, i
    jmp storm_common
%assign i i + 1
%endrep

storm_common:
    push rcx
    push rdx
    push rbx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    mov edi, eax
    mov rbx, rsp
    and rsp, -16
    cld
    call storm_interrupt
    mov rsp, rbx
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rbx
    pop rdx
    pop rcx
    pop rax
    iretq

section .rodata
align 8
storm_stubs:
%assign i 0
%rep 256
    dq storm_%+i
%assign i i + 1
%endrep
