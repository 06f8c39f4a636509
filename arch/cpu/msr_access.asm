; SPDX-License-Identifier: Apache-2.0
; Access to MSRs that may not exist. After a #GP at one of the two instructions, the exception
; handler continues at msr_fault_resume.

global msr_read_safe, msr_write_safe, msr_read_fault, msr_write_fault, msr_fault_resume

section .text progbits alloc exec nowrite align=16
bits 64

; bool msr_read_safe(uint32_t msr, uint64_t *value): false if the MSR does not exist (#GP).
; bool msr_write_safe(uint32_t msr, uint64_t value): likewise.
align 16
msr_read_safe:
    mov ecx, edi
msr_read_fault:
    rdmsr
    shl rdx, 32
    or rax, rdx
    mov [rsi], rax
    mov eax, 1
    ret
align 16
msr_write_safe:
    mov ecx, edi
    mov eax, esi
    mov rdx, rsi
    shr rdx, 32
msr_write_fault:
    wrmsr
    mov eax, 1
    ret
msr_fault_resume:
    xor eax, eax
    ret
