; SPDX-License-Identifier: Apache-2.0
; Entry of the test guests: Multiboot 1 header, 32-bit entry to 64-bit long mode with the first
; 8 GiB mapped one to one, the start of further CPUs, and the interrupt stubs. AOUT=1 makes the
; header carry addresses, for the image that is no ELF.

%ifndef AOUT
%define AOUT 0
%endif

MB_MAGIC equ 0x1badb002
MB_FLAGS equ 0x3 | (AOUT << 16)          ; page-aligned modules, memory information

extern guest_main, ap_main, trap
extern __load_end, __bss_end
global _start, pml4, ap_trampoline, ap_trampoline_end, ap_stack, isr_table
global try_rdmsr, try_wrmsr, try_read8, try_write8, try_vmrun, recover_rip, trap_vector

section .multiboot progbits alloc noexec nowrite align=8
header:
    dd MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS) & 0xffffffff
%if AOUT
    dd header, header, __load_end, __bss_end, _start
%endif

section .text
bits 32
_start:
    cli
    mov esp, boot_stack_top
    push dword 0
    push ebx                             ; Multiboot information
    push dword 0
    push eax                             ; Multiboot magic

    ; 8 GiB in 2 MiB pages: one PML4 entry, eight page directories.
    mov eax, pdpt + 7
    mov [pml4], eax
    mov eax, pd + 7
    mov edi, pdpt
    mov ecx, 8
.pdpt:
    mov [edi], eax
    add eax, 4096
    add edi, 8
    loop .pdpt
    xor eax, eax                         ; low half of the address
    xor edx, edx                         ; high half
    mov edi, pd
    mov ecx, 8 * 512
.pd:
    mov ebx, eax
    or ebx, 0x87                         ; present, writable, user, large
    mov [edi], ebx
    mov [edi + 4], edx
    add edi, 8
    add eax, 0x200000
    adc edx, 0
    loop .pd

    call enter_long                      ; returns in 64-bit mode with the same stack, above
bits 64
    pop rdi
    pop rsi
    mov rsp, boot_stack_top
    call guest_main
.stop:
    cli
    hlt
    jmp .stop

bits 32
; Paging and long mode on; returns to the caller as 64-bit code. Its return address is the 32-bit
; one pushed by the call.
enter_long:
    mov eax, cr4
    or eax, 0x20                         ; PAE
    mov cr4, eax
    mov eax, pml4
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x100                        ; LME
    wrmsr
    mov eax, cr0
    or eax, 0x80000001
    and eax, ~0x60000000                 ; caches on
    mov cr0, eax
    pop ebx
    lgdt [gdt_pointer]
    jmp 0x18:.code64
bits 64
.code64:
    mov eax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov ebx, ebx
    jmp rbx

; Copied to the page that a start-up IPI names.
bits 16
ap_trampoline:
    cli
    o32 lgdt [cs:ap_gdt_pointer - ap_trampoline]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp dword 0x08:ap_entry32
ap_gdt_pointer:
    dw gdt_end - gdt - 1
    dd gdt
ap_trampoline_end:

bits 32
ap_entry32:
    mov eax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov esp, [ap_stack]
    call enter_long
bits 64
    call ap_main
.stop:
    hlt
    jmp .stop

; Interrupts and exceptions: each stub pushes its vector, and a zero where the CPU pushes no error
; code, so that struct trap_frame is the same for all.
%macro STUB 1
stub_%1:
%if %1 != 8 && %1 != 10 && %1 != 11 && %1 != 12 && %1 != 13 && %1 != 14 && %1 != 17
    push 0
%endif
    push %1
    jmp trap_common
%endmacro
%assign i 0
%rep 256
    STUB i
%assign i i + 1
%endrep

global trap_common, trap_end ; between them: what stands between a program and its handler
trap_common:
    push rax
    push rcx
    push rdx
    push rbx
    push rbp
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    mov rdi, rsp
    mov rbx, rsp
    and rsp, -16
    cld
    call trap
    mov rsp, rbx
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rbp
    pop rbx
    pop rdx
    pop rcx
    pop rax
    add rsp, 16
    iretq
trap_end:

; Attempts that may fault. Each returns -1, or the vector of the exception that it caused: trap()
; continues at recover_rip if that is not 0. Boot CPU only.
%macro TRY 0
    mov qword [recover_rip], try_failed
%endmacro
%macro TRIED 0
    mov qword [recover_rip], 0
    mov eax, -1
    ret
%endmacro

try_rdmsr:                               ; (uint32_t msr, uint64_t *value)
    TRY
    mov ecx, edi
    rdmsr
    shl rdx, 32
    mov eax, eax
    or rax, rdx
    mov [rsi], rax
    TRIED
try_wrmsr:                               ; (uint32_t msr, uint64_t value)
    TRY
    mov ecx, edi
    mov eax, esi
    mov rdx, rsi
    shr rdx, 32
    wrmsr
    TRIED
try_read8:                               ; (uint64_t address)
    TRY
    mov al, [rdi]
    TRIED
try_write8:                              ; (uint64_t address, uint8_t value)
    TRY
    mov [rdi], sil
    TRIED
try_vmrun:                               ; (uint64_t address)
    TRY
    mov rax, rdi
    vmrun
    TRIED
try_failed:
    mov eax, [trap_vector]
    ret

section .rodata
align 8
isr_table:
%assign i 0
%rep 256
    dq stub_ %+ i
%assign i i + 1
%endrep

section .data
align 8
gdt:
    dq 0
    dq 0x00cf9a000000ffff                ; 0x08: 32-bit code
    dq 0x00cf92000000ffff                ; 0x10: data
    dq 0x00af9a000000ffff                ; 0x18: 64-bit code
gdt_end:
gdt_pointer:
    dw gdt_end - gdt - 1
    dq gdt
align 8
recover_rip: dq 0
trap_vector: dd 0
ap_stack: dd 0

section .bss nobits alloc write align=4096
pml4: resb 4096
pdpt: resb 4096
pd: resb 8 * 4096
boot_stack: resb 16384
boot_stack_top:
