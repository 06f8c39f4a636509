; SPDX-License-Identifier: Apache-2.0
; The way in for Multiboot 1 and 2 loaders: from 32-bit protected mode with paging off to long mode
; on temporary page tables, which map the first 4 GiB one to one and the image once more at its
; link address. Ends in boot_main (hv/main.c) on the boot stack.

%include "build/gen/asm_offsets.inc"

MB1_MAGIC     equ 0x1badb002
MB1_FLAGS     equ 0x00000007        ; modules page aligned, memory map and video mode wanted
SCREEN_WIDTH  equ 1024              ; the mode asked for: loaders know it everywhere
SCREEN_HEIGHT equ 768
SCREEN_BITS   equ 32
MB2_MAGIC     equ 0xe85250d6

CR0_PE_PG_WP  equ 0x80010001
CR4_PAE       equ 0x20
MSR_EFER_NR   equ 0xc0000080
EFER_LME_NXE  equ 0x900
PTE_TABLE     equ 0x003             ; present, writable
PTE_LARGE     equ 0x083             ; present, writable, large page
COM1          equ 0x3f8
BOOT_IMAGE_LARGE_PAGES equ 8        ; 16 MiB: more than the image can reach

section .boot.header progbits alloc noexec nowrite align=8
    align 8
    dd MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)
    dd 0, 0, 0, 0, 0                ; addresses, which ELF has
    dd 0, SCREEN_WIDTH, SCREEN_HEIGHT, SCREEN_BITS ; 0: a linear framebuffer
    align 8
mb2_header:
    dd MB2_MAGIC, 0, mb2_end - mb2_header, -(MB2_MAGIC + (mb2_end - mb2_header))
    align 8
    dw 6, 0                         ; modules page aligned
    dd 8
    align 8
    dw 5, 1                         ; a framebuffer, if there is one
    dd 20
    dd SCREEN_WIDTH, SCREEN_HEIGHT, SCREEN_BITS
    align 8
    dw 0, 0                         ; end of tags
    dd 8
mb2_end:

section .boot.text progbits alloc exec nowrite align=16
bits 32
global boot_entry32
extern boot_main
boot_entry32:
    cli
    cld
    mov esp, boot_stack_low + 1024
    mov ebp, eax                    ; loader's magic
    mov esi, ebx                    ; loader's information

    mov eax, 0x80000000
    cpuid
    cmp eax, 0x80000001
    jb no_long_mode
    mov eax, 0x80000001
    cpuid
    bt edx, 29                      ; long mode
    jnc no_long_mode
    bt edx, 20                      ; no-execute
    jnc no_long_mode

    ; Four page directories, 2 MiB pages, for 0 to 4 GiB.
    mov edi, boot_directories
    mov eax, PTE_LARGE
    mov ecx, 4 * 512
.fill:
    mov [edi], eax
    mov dword [edi + 4], 0
    add eax, 0x200000
    add edi, 8
    loop .fill
    ; The image once more at its link address; arch/mmu.c adds the heap to that directory.
    mov edi, boot_directory_high
    mov eax, PTE_LARGE
    mov ecx, BOOT_IMAGE_LARGE_PAGES
.fill_high:
    mov [edi], eax
    add eax, 0x200000
    add edi, 8
    loop .fill_high
    mov dword [boot_pdpt_high + 510 * 8], boot_directory_high + PTE_TABLE
    mov eax, boot_directories + PTE_TABLE
    mov edi, boot_pdpt_low
    mov ecx, 4
.pdpt:
    mov [edi], eax
    add eax, 0x1000
    add edi, 8
    loop .pdpt
    mov dword [boot_pml4], boot_pdpt_low + PTE_TABLE
    mov dword [boot_pml4 + 511 * 8], boot_pdpt_high + PTE_TABLE

    call enter_long_mode
    lgdt [boot_gdt_pointer]
    jmp 0x08:.long
bits 64
.long:
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov fs, eax
    mov gs, eax
    mov rsp, boot_stack_top
    mov edi, ebp
    mov esi, esi
    mov rax, boot_main
    call rax
    ud2                             ; boot_main does not return

; Turns on paging on the boot tables; the caller is then in compatibility mode. Clobbers eax, ecx,
; edx. Used by the boot processor here and by the others in trampoline.asm.
bits 32
global enter_long_mode
enter_long_mode:
    mov eax, cr4
    or eax, CR4_PAE
    mov cr4, eax
    mov eax, boot_pml4
    mov cr3, eax
    mov ecx, MSR_EFER_NR
    rdmsr
    or eax, EFER_LME_NXE
    wrmsr
    mov eax, CR0_PE_PG_WP
    mov cr0, eax
    ret

no_long_mode:
    mov esi, no_long_mode_text
.next:
    lodsb
    test al, al
    jz .stop
    mov ah, al
    mov dx, COM1 + 5
    mov ecx, 100000                 ; an absent port never gets ready
.wait:
    in al, dx
    test al, 0x20
    loopz .wait
    mov al, ah
    mov dx, COM1
    out dx, al
    jmp .next
.stop:
    hlt
    jmp .stop

section .boot.data progbits alloc noexec write align=16
no_long_mode_text:
    db "Bulkhead needs a 64-bit x86 processor with no-execute pages; this one has none.", 13, 10, 0

    align 16
boot_gdt:
    dq 0
    dq 0x00af9b000000ffff           ; 0x08: 64-bit code
    dq 0x00cf93000000ffff           ; 0x10: data
boot_gdt_end:
boot_gdt_pointer:
    dw boot_gdt_end - boot_gdt - 1
    dq boot_gdt

section .boot.bss nobits alloc noexec write align=4096
global boot_pml4, boot_directory_high
boot_pml4:        resb 4096
boot_directory_high: resb 4096
boot_pdpt_low:    resb 4096
boot_pdpt_high:   resb 4096
boot_directories: resb 4 * 4096
boot_stack_low:   resb 1024

section .bss nobits alloc noexec write align=16
boot_stack:       resb 16384
global boot_stack_top
boot_stack_top:
