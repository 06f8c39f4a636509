// SPDX-License-Identifier: Apache-2.0
// Debug exceptions: single steps, breakpoints on instructions, data and ports, over instructions
// that run natively and over those that a hypervisor completes.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

#define STEP64(name, place, text, ...)                                                             \
    CHECK64(name, place, 0, text, r.rflags |= FLAG_TF; r.max_steps = 8; __VA_ARGS__)

enum {
    APIC = 0xfee00000,
    APIC_TPR = 0x80,
    APIC_INITIAL = 0x380,
    SCRATCH = COM1 + 7,
    DR7_EXECUTE0 = 0x401 | 0 << 16,
    DR7_WRITE0 = 0x401 | 0xd << 16, // four bytes
    DR7_ACCESS0 = 0x401 | 0xfu << 16,
    DR7_PORT0 = 0x401 | 0x2 << 16, // one byte
};

static void single_steps(void)
{
    STEP64("exc.db.step.nop.long-ring3", L64_3, "nop; nop", );
    STEP64("exc.db.step.nop.long-ring0", L64_0, "nop; nop", );
}

static void steps_over_exits(void)
{
    STEP64("exc.db.step-exit.cpuid", L64_0, "xor eax, eax; cpuid; nop", );
    STEP64("exc.db.step-exit.cpuid-ring3", L64_3, "xor eax, eax; cpuid; nop", );
    STEP64("exc.db.step-exit.in", L64_0, "in al, 0x61; nop", );
    STEP64("exc.db.step-exit.out", L64_0, "mov edx, 0x3ff; out dx, al; nop", );
    STEP64("exc.db.step-exit.rdmsr-native", L64_0, "mov ecx, 0x174; rdmsr; nop", );
    STEP64("exc.db.step-exit.rdmsr", L64_0, "mov ecx, 0xc0000080; rdmsr; nop", );
    STEP64("exc.db.step-exit.wrmsr", L64_0, "mov ecx, 0xc0000080; rdmsr; wrmsr; nop", );
    STEP64("exc.db.step-exit.wbinvd", L64_0, "wbinvd; nop", );
    STEP64("exc.db.step-exit.invd", L64_0, "invd; nop", );
    STEP64("exc.db.step-exit.mmio-write", L64_0, "mov [rdi], eax; nop", r.r[RDI] = APIC + APIC_TPR;
           r.r[RAX] = 0);
    STEP64("exc.db.step-exit.mmio-read", L64_0, "mov eax, [rdi]; nop", r.r[RDI] = APIC + APIC_TPR);
    STEP64("exc.db.step-exit.outs", L64_0, "mov edx, 0x3ff; outsb; nop", );
    STEP64("exc.db.step-exit.rep-outs", L64_0, "mov edx, 0x3ff; rep outsb; nop", r.r[RCX] = 3);
    STEP64("exc.db.step-exit.rep-ins", L64_0, "mov edx, 0x3ff; rep insb; nop", r.r[RCX] = 3);
    STEP64("exc.db.step-exit.rep-ins-zero", L64_0, "mov edx, 0x3ff; rep insb; nop", r.r[RCX] = 0);
    STEP64("exc.db.step-exit.rep-stos-mmio", L64_0, "rep stosd; nop", r.r[RDI] = APIC + APIC_TPR;
           r.r[RCX] = 1; r.r[RAX] = 0);
    STEP64("msr.missing.step", L64_0, "rdmsr", r.r[RCX] = 0x8000);
    STEP64("exc.db.step-exit.ud-vmrun", L64_0, ".byte 0x0f, 0x01, 0xc2", );
}

static void steps_over_natives(void)
{
    STEP64("exc.db.step.rep-movs", L64_3, "rep movsb; nop", r.r[RCX] = 3);
    STEP64("exc.db.step.mov-ss", L64_0, "mov ax, ss; mov ss, ax; nop; nop", );
    STEP64("exc.db.step.mov-ss-cpuid", L64_0, "mov ax, ss; mov ss, ax; cpuid; nop", );
    STEP64("exc.db.step.syscall-int", L64_3, "int 0x80", );
    STEP64("exc.db.step.int3", L64_3, "int3", );
    STEP64("exc.db.step.ud", L64_3, "ud2", );
    STEP64("exc.db.step.icebp", L64_3, ".byte 0xf1; nop", );
    STEP64("exc.db.step.popf", L64_3, "push 2; popfq; nop; nop", );
    CHECK64("exc.db.step.popf-on", L64_3, 0, "push 0x102; popfq; nop; nop", r.max_steps = 8);
    STEP64("exc.db.step.pushf", L64_3, "pushfq; pop rax; nop", );
    STEP64("exc.db.step.branch", L64_3, "jmp 3f; ud2; 3: nop", );
    STEP64("exc.db.step.rdtsc", L64_3, "rdtsc; nop", );
}

// The first step in the other modes.
static void steps_elsewhere(void)
{
    static const enum place in[] = {REAL, V86, P16_0, P32_0, P32_3, C32_3};
    for (unsigned i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        struct run r;
        if (!place_usable(in[i]))
            continue;
        run_init(&r, in[i]);
        r.rflags |= FLAG_TF;
        run_bytes(&r, CODE("\x90\x90"));
        report("exc.db.step.nop", &r, SHOW_DR6 | SHOW_FLAGS);
        run_init(&r, in[i]);
        r.rflags |= FLAG_TF;
        run_bytes(&r, CODE("\x0f\xa2\x90"));
        report("exc.db.step-exit.cpuid", &r, SHOW_DR6 | SHOW_FLAGS);
    }
}

// ---- breakpoints

// Bochs 3.0 stands still at a breakpoint on an instruction, with a hypervisor and without:
// `code-breaks=no`.
static bool break_usable(uint32_t type)
{
    return type != DR7_EXECUTE0 || !option_is("code-breaks", "no");
}

#define BREAK64(name, place, address, type, text, ...)                                             \
    do {                                                                                           \
        if (break_usable(type))                                                                    \
            CHECK64(name, place, SHOW_DR6, text, write_dr0(address); r.max_steps = 4; __VA_ARGS__; \
                    write_dr7(type));                                                              \
    } while (0)

static void breakpoints(void)
{
    BREAK64("exc.db.break.nop", L64_3, LOW_CODE + 1, DR7_EXECUTE0, "nop; nop; nop", );
    BREAK64("exc.db.break.nop-rf", L64_3, LOW_CODE, DR7_EXECUTE0, "nop; nop", r.rflags |= FLAG_RF);
    BREAK64("exc.db.break.ud", L64_3, LOW_CODE, DR7_EXECUTE0, "ud2", r.rflags |= FLAG_RF);
    BREAK64("exc.db.break.write", L64_3, LOW_DATA, DR7_WRITE0, "mov [rdi], al; nop", );
    BREAK64("exc.db.break.read-not-write", L64_3, LOW_DATA, DR7_WRITE0, "mov al, [rdi]; nop", );
    BREAK64("exc.db.break.access", L64_3, LOW_DATA, DR7_ACCESS0, "mov al, [rdi+3]; nop", );
    BREAK64("exc.db.break.beside", L64_3, LOW_DATA, DR7_ACCESS0, "mov al, [rdi+4]; nop", );
    BREAK64("exc.db.break.push", L64_3, STACK_START - 8, DR7_WRITE0, "push rax; nop", );
    BREAK64("exc.db.break.rep-movs", L64_3, LOW_DATA, DR7_WRITE0, "rep movsb; nop", r.r[RCX] = 6);
    BREAK64("exc.db.break.dr7-gd", L64_0, 0, 0x400,
            "mov eax, 0x2400; mov dr7, rax; mov rax, dr0; nop", );
    BREAK64("exc.db.break.dr7-gd-write", L64_0, 0, 0x400,
            "mov eax, 0x2400; mov dr7, rax; mov dr6, rax; nop", );
    BREAK64("exc.db.break.stay-off", L64_3, LOW_CODE + 1, 0x400, "nop; nop; nop", );
}

static void breakpoints_on_exits(void)
{
    BREAK64("exc.db.break-exit.cpuid", L64_0, LOW_CODE, DR7_EXECUTE0, "cpuid; nop", );
    BREAK64("exc.db.break-exit.cpuid-rf", L64_0, LOW_CODE, DR7_EXECUTE0, "cpuid; nop",
            r.rflags |= FLAG_RF);
    BREAK64("exc.db.break-exit.cpuid-behind", L64_0, LOW_CODE + 2, DR7_EXECUTE0, "cpuid; nop; nop",
            r.rflags |= FLAG_RF);
    BREAK64("exc.db.break-exit.in-behind", L64_0, LOW_CODE + 2, DR7_EXECUTE0, "in al, 0x61; nop",
            r.rflags |= FLAG_RF);
    BREAK64("exc.db.break-exit.mmio-behind", L64_0, LOW_CODE + 2, DR7_EXECUTE0,
            "mov [rdi], eax; nop", r.rflags |= FLAG_RF;
            r.r[RDI] = APIC + APIC_TPR; r.r[RAX] = 0);
    BREAK64("exc.db.break-exit.loop-cpuid", L64_0, LOW_CODE, DR7_EXECUTE0,
            "3: cpuid; dec edi; jnz 3b", r.r[RDI] = 2;
            r.rflags |= FLAG_RF);
    BREAK64("msr.missing.breakpoint", L64_0, LOW_CODE, DR7_EXECUTE0, "rdmsr", r.rflags |= FLAG_RF;
            r.r[RCX] = 0x8000);
    BREAK64("exc.db.break-exit.mmio-write", L64_0, APIC + APIC_TPR, DR7_WRITE0,
            "mov [rdi], eax; nop", r.r[RDI] = APIC + APIC_TPR;
            r.r[RAX] = 0);
    BREAK64("exc.db.break-exit.mmio-read", L64_0, APIC + APIC_TPR, DR7_ACCESS0,
            "mov eax, [rdi]; nop", r.r[RDI] = APIC + APIC_TPR);
    BREAK64("exc.db.break-exit.outs", L64_0, LOW_DATA + 0x100, DR7_ACCESS0,
            "mov edx, 0x3ff; outsb; nop", );
    BREAK64("exc.db.break-exit.ins", L64_0, LOW_DATA, DR7_WRITE0, "mov edx, 0x3ff; insb; nop", );
    BREAK64("exc.db.break-exit.rep-ins", L64_0, LOW_DATA + 4, DR7_WRITE0,
            "mov edx, 0x3ff; rep insb; nop", r.r[RCX] = 6);
    BREAK64("exc.db.break-exit.port", L64_0, SCRATCH, DR7_PORT0, "mov edx, 0x3ff; out dx, al; nop",
            r.cr4_set = CR4_DE);
    BREAK64("exc.db.break-exit.port-in", L64_0, SCRATCH, DR7_PORT0,
            "mov edx, 0x3ff; in al, dx; nop", r.cr4_set = CR4_DE);
    BREAK64("exc.db.break-exit.port-other", L64_0, SCRATCH, DR7_PORT0, "in al, 0x61; nop",
            r.cr4_set = CR4_DE);
    BREAK64("exc.ud.dr4-de", L64_0, 0, 0x400, "mov rax, dr4", r.cr4_set = CR4_DE);
}

// Bochs's AMD-V loses DR6 of a #DB that is intercepted, and carries TF over #VMEXIT into its host:
// `steps=no`.
void checks_steps(void)
{
    if (option_is("steps", "no"))
        return;
    single_steps();
    steps_over_natives();
    breakpoints();
    breakpoints_on_exits();
    steps_over_exits();
    steps_elsewhere();
}
