; SPDX-License-Identifier: Apache-2.0
; A Multiboot kernel as tutorials have it. It loads a descriptor table of its own and DS, but not CS, then
; takes an interrupt: the IRET loads CS from the selector that the loader has left there. It keeps its
; cursor in the CRT controller and reads it back. It enables COM1's transmitter interrupt without OUT2.
; test_images.py assembles it.
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
    mov esi, returned
    call print
    mov edx, 0x3d4
    mov ax, 0x070e ; index 14, data 7
    out dx, ax
    mov ax, 0xcf0f
    out dx, ax
    mov al, 0x0e
    out dx, al
    inc edx
    in al, dx
    cmp al, 7
    jne .stop
    mov esi, kept
    call print
    mov al, 0x03 ; DTR and RTS
    mov edx, 0x3fc
    out dx, al
    mov al, 0x02
    mov edx, 0x3f9
    out dx, al
    mov esi, sent
    call print
.stop:
    cli
    hlt
    jmp .stop

; The text at ESI, up to its NUL.
print:
    lodsb
    test al, al
    jz .done
    mov ah, al
    mov edx, 0x3fd
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    mov al, ah
    mov edx, 0x3f8
    out dx, al
    jmp print
.done:
    ret

handler:
    iret

returned: db "back from the interrupt", 13, 10, 0
kept: db "the cursor is kept", 13, 10, 0
sent: db "sent without OUT2", 13, 10, 0

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
