; SPDX-License-Identifier: Apache-2.0
; Where a start-up IPI lets a CPU begin that is looked at: notes its state in the page that it was
; copied to, and goes on at the start of the next page. Changes nothing before it is noted.

global init_probe, init_probe_end, init_probe_state

section .text
bits 16
%define AT(field) cs:field - init_probe

init_probe:
    mov [AT(regs.eax)], eax
    mov [AT(regs.ebx)], ebx
    mov [AT(regs.ecx)], ecx
    mov [AT(regs.edx)], edx
    mov [AT(regs.esi)], esi
    mov [AT(regs.edi)], edi
    mov [AT(regs.ebp)], ebp
    mov [AT(regs.esp)], esp
    mov [AT(regs.cs)], cs
    mov [AT(regs.ds)], ds
    mov [AT(regs.es)], es
    mov [AT(regs.fs)], fs
    mov [AT(regs.gs)], gs
    mov [AT(regs.ss)], ss
    sgdt [AT(regs.gdtr)]
    sidt [AT(regs.idtr)]
    mov eax, cr0
    mov [AT(regs.cr0)], eax
    mov eax, cr2
    mov [AT(regs.cr2)], eax
    mov eax, cr3
    mov [AT(regs.cr3)], eax
    mov eax, cr4
    mov [AT(regs.cr4)], eax
    mov eax, dr0
    mov [AT(regs.dr0)], eax
    mov eax, dr6
    mov [AT(regs.dr6)], eax
    mov eax, dr7
    mov [AT(regs.dr7)], eax
    mov ax, cs
    mov ss, ax
    mov sp, 0x1000
    pushfd
    pop dword [AT(regs.flags)]
    fnstcw [AT(regs.fcw)]
    fnstsw [AT(regs.fsw)]
%macro MSR 2
    mov ecx, %1
    rdmsr
    mov [AT(%2)], eax
    mov [AT(%2) + 4], edx
%endmacro
    MSR 0xc0000080, regs.efer
    MSR 0x1b, regs.apic_base
    MSR 0x277, regs.pat
    MSR 0x174, regs.sysenter_cs
    MSR 0xc0000081, regs.star
    MSR 0xc0000082, regs.lstar
    MSR 0xc0000102, regs.kernel_gs
    MSR 0xc0000101, regs.gs_base
    rdtsc
    mov [AT(regs.tsc)], eax
    mov [AT(regs.tsc) + 4], edx
    mov ax, cs
    add ax, 0x100
    push ax
    push word 0
    retf

align 8
; struct init_state
init_probe_state:
regs:
.efer:        dq 0
.apic_base:   dq 0
.pat:         dq 0
.sysenter_cs: dq 0
.star:        dq 0
.lstar:       dq 0
.kernel_gs:   dq 0
.gs_base:     dq 0
.tsc:         dq 0
.eax:         dd 0
.ebx:         dd 0
.ecx:         dd 0
.edx:         dd 0
.esi:         dd 0
.edi:         dd 0
.ebp:         dd 0
.esp:         dd 0
.cr0:         dd 0
.cr2:         dd 0
.cr3:         dd 0
.cr4:         dd 0
.dr0:         dd 0
.dr6:         dd 0
.dr7:         dd 0
.flags:       dd 0
.cs:          dw 0
.ds:          dw 0
.es:          dw 0
.fs:          dw 0
.gs:          dw 0
.ss:          dw 0
.fcw:         dw 0
.fsw:         dw 0
.gdtr:        times 8 db 0
.idtr:        times 8 db 0
init_probe_end:
