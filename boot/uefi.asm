; SPDX-License-Identifier: Apache-2.0
; The entry for the UEFI loader (boot/uefi/): from long mode on the firmware's page tables, which map memory one
; to one, to the boot tables of boot/multiboot.asm. Ends in boot_main (hv/start/main.c) on the boot stack. The
; image may lie anywhere below 512 GiB, aligned to 2 MiB. Needs 4-level paging.

%include "build/gen/asm_offsets.inc"
%include "boot/long_mode.inc"

CR0_WP        equ 0x10000
EFER_LMA      equ 0x400

default rel

section .boot.text progbits alloc exec nowrite align=16
bits 64
global boot_entry64
extern boot_main, boot_stack_top, image_phys_start
extern boot_pml4, boot_pdpt_low, boot_pdpt_high, boot_directories, boot_directory_high
extern boot_gdt, boot_gdt_pointer

; rdi: physical address of struct boot_info
boot_entry64:
    cli
    cld
    mov r12, rdi
    rdtsc
    mov r13d, eax
    shl rdx, 32
    or r13, rdx                     ; the time at the entry
    mov eax, DR7_OFF                ; turns off breakpoints that the firmware left on
    mov dr7, rax
    lea rsi, [image_phys_start]
    mov eax, CR4_PAE                ; no global pages: no translation of the firmware's stays in the TLB
    mov cr4, rax                    ; and no CET, which would not let WP be cleared
    mov rax, cr0
    and rax, ~CR0_WP                ; firmware may have mapped the image read-only
    mov cr0, rax

    lea rdi, [boot_directories]
    lea rbx, [rdi + PTE_TABLE]
    MAP_4_GIB rdi
    lea rdi, [boot_pdpt_low]
    mov ecx, 4
.pdpt:
    mov [rdi], rbx
    add rbx, 0x1000
    add rdi, 8
    dec ecx
    jnz .pdpt
    ; Maps the image at its present address too, if that is above 4 GiB: this code continues there.
    lea rdi, [boot_pdpt_low]
    lea rbp, [rsi + PTE_LARGE]
    mov rax, rsi
    shr rax, 30
    cmp rax, 4
    jb .below
    lea rbx, [boot_directory_here]
    lea rdx, [rbx + PTE_TABLE]
    mov [rdi + rax * 8], rdx
    mov rax, rsi
    shr rax, 21
    and eax, 511
    mov [rbx + rax * 8], rbp
.below:
    lea rbx, [boot_pml4]
    lea rax, [rdi + PTE_TABLE]
    mov [rbx], rax
    ; Maps the image again at its link address.
    lea rdi, [boot_directory_high]
    mov [rdi + 8 * (HV_IMAGE_LINK >> 21)], rbp
    lea rax, [rdi + PTE_TABLE]
    lea rdi, [boot_pdpt_high]
    mov [rdi + 510 * 8], rax
    lea rax, [rdi + PTE_TABLE]
    mov [rbx + 511 * 8], rax

    mov ecx, MSR_EFER_NR
    mov eax, EFER_LME_NXE | EFER_LMA
    xor edx, edx
    wrmsr
    mov cr3, rbx
    mov eax, CR0_PE_PG_WP
    mov cr0, rax
    lea rax, [boot_gdt]
    mov [boot_gdt_pointer + 2], rax
    lgdt [boot_gdt_pointer]
    CLEAR_SEGMENTS
    lldt ax
    mov rsp, boot_stack_top
    push RFLAGS_FIXED
    popfq
    mov rax, boot_high
    push 0x08
    push rax
    o64 retf

section .text progbits alloc exec nowrite align=16
boot_high:
    mov rdx, rsi
    mov rsi, r12
    mov rcx, r13
    mov edi, BOOT_INFO_MAGIC
    call boot_main
    ud2                             ; boot_main does not return

section .boot.bss nobits alloc noexec write align=4096
boot_directory_here: resb 4096
