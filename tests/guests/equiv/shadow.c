// SPDX-License-Identifier: Apache-2.0
// An interrupt that waits while STI or MOV SS holds it back for one instruction, be that native or
// one that a hypervisor completes; HLT that an interrupt ends; the priority of CR8.

#include "tests/guests/equiv/cpu.h"

static void send_to_self(void)
{
    lapic_ipi(lapic_id(), ICR_FIXED | ICR_ASSERT | VECTOR_PENDING);
    delay_us(100);
}

#define PENDING64(name, text, ...)                                                                 \
    CHECK64(name, L64_0, SHOW_FLAGS, text, send_to_self(); __VA_ARGS__)

void checks_shadow(void)
{
    lapic_enable();
    PENDING64("insn.cli-sti.shadow.nop", "sti; nop; nop", );
    PENDING64("insn.cli-sti.shadow.cpuid", "sti; cpuid; nop", );
    PENDING64("insn.cli-sti.shadow.in", "sti; in al, 0x61; nop", );
    PENDING64("insn.cli-sti.shadow.out", "mov edx, 0x3ff; sti; out dx, al; nop", );
    PENDING64("insn.cli-sti.shadow.rdmsr", "mov ecx, 0xc0000080; sti; rdmsr; nop", );
    PENDING64("insn.cli-sti.shadow.wrmsr", "mov ecx, 0xc0000080; rdmsr; sti; wrmsr; nop", );
    PENDING64("insn.cli-sti.shadow.wbinvd", "sti; wbinvd; nop", );
    PENDING64("insn.cli-sti.shadow.mmio",
              "mov edi, 0xfee00380; xor eax, eax; sti; mov [rdi], eax; nop", );
    PENDING64("insn.cli-sti.shadow.outs", "mov edx, 0x3ff; sti; outsb; nop", );
    PENDING64("insn.cli-sti.shadow.hlt", "sti; hlt; nop", );
    PENDING64("insn.cli-sti.shadow.sti-cli", "sti; cli; nop; nop", run_init(&r, L64_0));
    PENDING64("insn.cli-sti.shadow.popf", "push 0x202; popfq; nop; nop", );
    PENDING64("insn.cli-sti.shadow.iret", "nop", r.rflags |= FLAG_IF);
    PENDING64("insn.mov-sreg.shadow.cpuid", "mov ax, ss; sti; mov ss, ax; cpuid; nop", );
    PENDING64("insn.mov-sreg.shadow.nop", "mov ax, ss; sti; mov ss, ax; nop; nop", );
    PENDING64("insn.mov-sreg.shadow.in", "mov ax, ss; sti; mov ss, ax; in al, 0x61; nop", );
    PENDING64("insn.mov-cr8.holds",
              "mov eax, 6; mov cr8, rax; sti; nop; nop; xor eax, eax; mov cr8, rax; nop; nop", );
    PENDING64("insn.mov-cr8.below", "mov eax, 4; mov cr8, rax; sti; nop; nop", );
    CHECK64("insn.mov-cr8.tpr", L64_0, SHOW_A,
            "mov eax, 7; mov cr8, rax; mov edi, 0xfee00080; "
            "mov eax, [rdi]; xor ecx, ecx; mov cr8, rcx", );
    CHECK64("insn.mov-cr8.from-tpr", L64_0, SHOW_A,
            "mov edi, 0xfee00080; mov dword ptr [rdi], "
            "0x35; mov rax, cr8; mov dword ptr [rdi], 0", );
    lapic_write(LAPIC_TPR, 0);
}
