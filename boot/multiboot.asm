; SPDX-License-Identifier: Apache-2.0
; The entry for Multiboot 1 and 2 loaders: from 32-bit protected mode with paging off to long mode on temporary
; page tables. These map the first 4 GiB one to one, and the image again at its link address. Ends in boot_main
; (hv/start/main.c) on the boot stack. Until then everything is addressed relative to edi, the distance from the
; image's link address to where it was loaded.

%include "build/gen/asm_offsets.inc"
%include "boot/long_mode.inc"

IMAGE_MAGIC   equ "64Bulkhd"
MB1_MAGIC     equ 0x1badb002
MB1_FLAGS     equ 0x00000007        ; modules page aligned, memory map and video mode wanted
SCREEN_WIDTH  equ 1024              ; the requested mode, which loaders support everywhere
SCREEN_HEIGHT equ 768
SCREEN_BITS   equ 32
MB2_MAGIC     equ 0xe85250d6

MB2_LOADED    equ 0x36d76289        ; eax at the entry
COM1          equ 0x3f8

section .boot.header progbits alloc noexec nowrite align=8
extern boot_entry64
    dq IMAGE_MAGIC                  ; searched for by the UEFI loader: boot/uefi/elf_image.c
    dd boot_entry64, 0              ; its entry point, as a link address
    align 8
    dd MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)
    dd 0, 0, 0, 0, 0                ; addresses, which ELF provides
    dd 0, SCREEN_WIDTH, SCREEN_HEIGHT, SCREEN_BITS ; 0: a linear framebuffer
    align 8
mb2_header:
    dd MB2_MAGIC, 0, mb2_end - mb2_header, -(MB2_MAGIC + (mb2_end - mb2_header))
    align 8
    dw 6, 0                         ; modules page aligned
    dd 8
    align 8
    dw 10, 0                        ; relocatable
    dd 24
    dd HV_IMAGE_LINK, 0xffffffff    ; address range to load to,
    dd HV_IMAGE_LINK                ; aligned to 2 MiB,
    dd 1                            ; as low as possible
    align 8
    dw 5, 1                         ; a framebuffer, if available
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
    mov ebp, eax                    ; loader's magic
    mov eax, DR7_OFF                ; turns off breakpoints that the loader left on
    mov dr7, eax
    mov esi, ebx                    ; loader's information
    rdtsc                           ; the time at the entry: in edx and eax until there is a stack
    xor edi, edi
    cmp ebp, MB2_LOADED             ; only Multiboot 2 loaders move the image
    jne .placed
    mov ecx, [esi]                  ; no stack yet: a word of the information serves as one for a call
    lea esp, [esi + 4]
    call .here
.here:
    pop edi
    mov [esi], ecx
    sub edi, .here
.placed:
    lea esp, [edi + boot_stack_low + 1024]
    push edx
    push eax
    push dword RFLAGS_FIXED         ; AC would allow accesses despite SMAP
    popfd

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

    lea edx, [edi + boot_directories]
    MAP_4_GIB edx
    ; Maps the image again at its link address; arch/memory/mmu.c adds the heap to that directory.
    lea eax, [edi + HV_IMAGE_LINK + PTE_LARGE]
    mov [edi + boot_directory_high + 8 * (HV_IMAGE_LINK >> 21)], eax
    lea eax, [edi + boot_directory_high + PTE_TABLE]
    mov [edi + boot_pdpt_high + 510 * 8], eax
    lea eax, [edi + boot_directories + PTE_TABLE]
    lea edx, [edi + boot_pdpt_low]
    mov ecx, 4
.pdpt:
    mov [edx], eax
    add eax, 0x1000
    add edx, 8
    loop .pdpt
    lea eax, [edi + boot_pdpt_low + PTE_TABLE]
    mov [edi + boot_pml4], eax
    lea eax, [edi + boot_pdpt_high + PTE_TABLE]
    mov [edi + boot_pml4 + 511 * 8], eax

    lea eax, [edi + boot_pml4]
    ENTER_LONG_MODE
    lea eax, [edi + boot_gdt]
    mov [edi + boot_gdt_pointer + 2], eax
    lgdt [edi + boot_gdt_pointer]
    lea eax, [edi + .long]
    push dword 0x08
    push eax
    retf
bits 64
.long:
    CLEAR_SEGMENTS
    mov esp, esp
    pop rcx                         ; the time at the entry
    mov rsp, boot_stack_top
    lea edx, [rdi + HV_IMAGE_LINK]  ; where the image was loaded
    mov edi, ebp
    mov esi, esi
    mov rax, boot_main
    call rax
    ud2                             ; boot_main does not return

bits 32
no_long_mode:
    lea esi, [edi + no_long_mode_text]
.next:
    lodsb
    test al, al
    jz .stop
    mov ah, al
    mov dx, COM1 + 5
    mov ecx, 100000                 ; an absent port never becomes ready
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
    db "Bulkhead needs a 64-bit x86 processor with no-execute pages; this one shows none: turn on "
    db '"Execute Disable Bit" or "NX Mode" ', "in the firmware's setup.", 13, 10, 0

    align 16
global boot_gdt, boot_gdt_pointer
boot_gdt:
    LONG_MODE_GDT
boot_gdt_end:
boot_gdt_pointer:
    dw boot_gdt_end - boot_gdt - 1
    dq 0                            ; boot_gdt's address, set at run time

section .boot.bss nobits alloc noexec write align=4096
global boot_pml4, boot_pdpt_low, boot_pdpt_high, boot_directories, boot_directory_high
boot_pml4:        resb 4096
boot_directory_high: resb 4096
boot_pdpt_low:    resb 4096
boot_pdpt_high:   resb 4096
boot_directories: resb 4 * 4096

section .boot.stack nobits alloc noexec write align=16
boot_stack_low:   resb 1024

section .bss nobits alloc noexec write align=16
boot_stack:       resb 16384
global boot_stack_top
boot_stack_top:
