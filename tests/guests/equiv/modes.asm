; SPDX-License-Identifier: Apache-2.0
; How the engine of the processor's checks (engine.c) enters the modes of the processor and comes
; back from them with the first exception or interrupt. Real mode and its kin need memory below
; 1 MiB: the low area, whose layout is in engine.h, holds their code and the registers.

%include "equiv/modes.inc"

global legacy_enter, legacy_stubs, low_code, low_code_end, real_stubs
global long_enter, long_leave, long_saved_rsp
extern engine_gdt_pointer, legacy_idt_pointer

%macro HAS_ERROR_CODE 1
%assign has_error (%1 == 8) || (%1 >= 10 && %1 <= 14) || (%1 == 17)
%endmacro

section .text
bits 64
; (struct long_state *): goes to its CS:RIP with its registers. Returns when long_leave is reached,
; which is where the trap handler sends whatever interrupts.
long_enter:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov [long_saved_rsp], rsp
    mov eax, [rdi + 19 * 8]
    mov ds, eax
    mov es, eax
    push qword [rdi + 18 * 8]            ; SS
    push qword [rdi + 4 * 8]             ; RSP
    push qword [rdi + 17 * 8]            ; RFLAGS
    push qword [rdi + 20 * 8]            ; CS
    push qword [rdi + 16 * 8]            ; RIP
    mov rax, [rdi]
    mov rcx, [rdi + 1 * 8]
    mov rdx, [rdi + 2 * 8]
    mov rbx, [rdi + 3 * 8]
    mov rbp, [rdi + 5 * 8]
    mov rsi, [rdi + 6 * 8]
%assign i 8
%rep 8
    mov r%[i], [rdi + i * 8]
%assign i i + 1
%endrep
    mov rdi, [rdi + 7 * 8]
    iretq
long_leave:
    mov eax, SEL_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

; Out of long mode and to what the legacy state in the low area says.
legacy_enter:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov [abs LEGACY_RSP], rsp
    push SEL_CODE32
    mov rax, .compatibility
    push rax
    retfq
bits 32
.compatibility:
    mov eax, SEL_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov esp, LOW_KERNEL_STACK
    mov eax, cr0
    and eax, 0x7fffffff                  ; PG off: the code is mapped one to one
    mov cr0, eax
    mov ecx, 0xc0000080
    rdmsr
    and eax, ~0x100                      ; LME
    wrmsr
    mov eax, [LEGACY_CR4]
    mov cr4, eax
    mov eax, [LEGACY_CR3]
    mov cr3, eax
    mov eax, [LEGACY_CR0]
    mov cr0, eax
    jmp .loaded
.loaded:
    cmp dword [LEGACY_REAL], 0
    jne .real
    lidt [legacy_idt_pointer]
    mov eax, SEL_TSS32
    ltr ax
    mov eax, [LEGACY_FLAGS]
    test eax, 1 << 17
    jnz .v86
    test byte [LEGACY_CS], 3
    jnz .ring3
    mov ss, [LEGACY_SS]
    mov esp, [LEGACY_ESP]
    jmp .flags
.v86:
    push dword [LEGACY_DS]               ; GS, FS, DS, ES
    push dword [LEGACY_DS]
    push dword [LEGACY_DS]
    push dword [LEGACY_DS]
.ring3:
    push dword [LEGACY_SS]
    push dword [LEGACY_ESP]
.flags:
    push dword [LEGACY_FLAGS]
    push dword [LEGACY_CS]
    push dword [LEGACY_EIP]
    mov eax, [LEGACY_EAX]
    mov ecx, [LEGACY_ECX]
    mov edx, [LEGACY_EDX]
    mov ebx, [LEGACY_EBX]
    mov ebp, [LEGACY_EBP]
    mov esi, [LEGACY_ESI]
    mov edi, [LEGACY_EDI]
    test dword [LEGACY_FLAGS], 1 << 17
    jnz .go
    mov es, [LEGACY_DS]
    mov fs, [LEGACY_FS]
    mov gs, [LEGACY_FS]
    mov ds, [LEGACY_DS]
.go:
    iretd
.real:
    lidt [real_idt_pointer]
    jmp SEL_CODE16:enter_real - low_code

; Exceptions of protected and virtual-8086 mode.
%assign i 0
%rep LEGACY_VECTORS
legacy_stub_%[i]:
HAS_ERROR_CODE i
%if !has_error
    push byte 0
%endif
    push dword i
    jmp legacy_trap
%assign i i + 1
%endrep
legacy_trap:
    pushad
    mov eax, SEL_DATA
    mov ds, eax
    mov eax, [esp + 32]
    mov [LEGACY_VECTOR], eax
    mov eax, [esp + 36]
    mov [LEGACY_ERROR], eax
    mov eax, [esp + 40]
    mov [LEGACY_EIP], eax
    mov edx, [esp + 44]
    mov [LEGACY_CS], edx
    mov eax, [esp + 48]
    mov [LEGACY_FLAGS], eax
    lea ecx, [esp + 52]
    test eax, 1 << 17
    jnz .outer
    test dl, 3
    jz .same
.outer:
    mov ecx, [esp + 52]
.same:
    mov [LEGACY_ESP], ecx
%assign i 0
%rep 8
    mov eax, [esp + 28 - i * 4]
%if i != 4
    mov [LEGACY_EAX + i * 4], eax
%endif
%assign i i + 1
%endrep
back_to_long:
    mov eax, SEL_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov esp, LOW_KERNEL_STACK
    mov eax, cr0
    and eax, 0x7fffffff
    mov cr0, eax
    mov eax, [LEGACY_LONG_CR4]
    mov cr4, eax
    mov eax, [LEGACY_LONG_CR3]
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, [LEGACY_LONG_CR0]
    mov cr0, eax
    jmp SEL_CODE64:.long
bits 64
.long:
    mov rsp, [abs LEGACY_RSP]
    push 2
    popfq
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

; Copied to the low area, at segment LOW_BASE / 16.
bits 16
low_code:
enter_real:
    mov ax, SEL_DATA16
    mov ss, ax
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov eax, cr0
    and al, 0xfe
    mov cr0, eax
    jmp LOW_BASE >> 4:.real - low_code
.real:
    mov ax, LOW_BASE >> 4
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov esp, [LEGACY_ESP - LOW_BASE]
    push word [LEGACY_FLAGS - LOW_BASE]
    push word [LEGACY_CS - LOW_BASE]
    push word [LEGACY_EIP - LOW_BASE]
    mov eax, [LEGACY_EAX - LOW_BASE]
    mov ecx, [LEGACY_ECX - LOW_BASE]
    mov edx, [LEGACY_EDX - LOW_BASE]
    mov ebx, [LEGACY_EBX - LOW_BASE]
    mov ebp, [LEGACY_EBP - LOW_BASE]
    mov esi, [LEGACY_ESI - LOW_BASE]
    mov edi, [LEGACY_EDI - LOW_BASE]
    iret

%assign i 0
%rep LEGACY_VECTORS
real_stub_%[i]:
    push word i
    jmp near real_trap
%assign i i + 1
%endrep
real_trap:
    mov [cs:LEGACY_EAX - LOW_BASE], eax
    mov [cs:LEGACY_ECX - LOW_BASE], ecx
    mov [cs:LEGACY_EDX - LOW_BASE], edx
    mov [cs:LEGACY_EBX - LOW_BASE], ebx
    mov [cs:LEGACY_EBP - LOW_BASE], ebp
    mov [cs:LEGACY_ESI - LOW_BASE], esi
    mov [cs:LEGACY_EDI - LOW_BASE], edi
    pop word [cs:LEGACY_VECTOR - LOW_BASE]
    pop word [cs:LEGACY_EIP - LOW_BASE]
    pop word [cs:LEGACY_CS - LOW_BASE]
    pop word [cs:LEGACY_FLAGS - LOW_BASE]
    mov [cs:LEGACY_ESP - LOW_BASE], esp
    cli
    o32 lgdt [cs:low_gdt_pointer - low_code]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp dword SEL_CODE32:back_to_long
align 4
low_gdt_pointer:
    dw GDT_SIZE - 1
    dd engine_gdt
low_code_end:
extern engine_gdt

section .rodata
align 8
legacy_stubs:
%assign i 0
%rep LEGACY_VECTORS
    dd legacy_stub_%[i]
%assign i i + 1
%endrep
real_stubs:
%assign i 0
%rep LEGACY_VECTORS
    dw real_stub_%[i] - low_code
%assign i i + 1
%endrep
align 4
real_idt_pointer:
    dw 4 * 256 - 1
    dd LOW_IVT

section .bss
alignb 8
long_saved_rsp: resq 1
