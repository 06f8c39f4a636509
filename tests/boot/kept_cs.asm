; SPDX-License-Identifier: Apache-2.0
; A Multiboot kernel as tutorials have it: it loads a descriptor table of its own and DS, but not CS,
; then takes an interrupt. The IRET loads CS from the selector that the loader has left there. Says
; "back from the interrupt" on COM1. test_images.py assembles it.
bits 32
org 0x100000

FLAGS equ 0x10000
start:
header:
    dd 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
    dd header, start, end, 0, entry ; header, load, load end, bss end, entry

entry:
    mov esp, stack_top
    lgdt [gdt_pointer]
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    lidt [idt_pointer]
    int 0
    mov esi, text
.next:
    lodsb
    test al, al
    jz .stop
    mov ah, al
    mov edx, 0x3fd
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    mov al, ah
    mov edx, 0x3f8
    out dx, al
    jmp .next
.stop:
    cli
    hlt
    jmp .stop

handler:
    iret

text: db "back from the interrupt", 13, 10, 0

align 8
gdt:
    dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
    dw gdt_pointer - gdt - 1
    dd gdt
idt:
    dw (handler - start) & 0xffff, 8, 0x8e00, 0x10 ; at 1 MiB plus less than 64 KiB
idt_pointer:
    dw idt_pointer - idt - 1
    dd idt

align 16
    times 256 db 0
stack_top:
end:
