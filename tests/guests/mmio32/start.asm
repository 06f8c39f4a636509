; SPDX-License-Identifier: Apache-2.0
; The Multiboot header and the first instructions of mmio32.elf.
bits 32
extern start_in_c

section .multiboot
align 4
    dd 0x1badb002, 3, -(0x1badb002 + 3)

section .text
global _start
_start:
    mov esp, stack_end
    call start_in_c
.sleep:
    cli
    hlt
    jmp .sleep

section .bss
align 16
    resb 4096
stack_end:

section .note.GNU-stack noalloc noexec nowrite progbits
