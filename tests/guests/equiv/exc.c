// SPDX-License-Identifier: Apache-2.0
// Exceptions, each with its error code, but for page faults (exc_page.c).

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

#define MEM .memory = 1

static const struct insn_row rows[] = {
    ROW("exc.de.div", "\x31\xc9\xf7\xf1", IN_FEW, 0),
    ROW("exc.de.idiv-overflow", "\xb9\x00\x00\x00\x00\xf7\xf9", AT(L64_0) | AT(L64_3) | AT(C32_3),
        0),
    ROW("exc.de.aam", "\xd4\x00", IN_FEW & ~IN_64, 0),
    ROW("exc.br", "\x62\x07", IN_ALL & ~IN_64, 0, .rax = 0x7fffffff, MEM),
    ROW("exc.br.inside", "\x62\x07", IN_ALL & ~IN_64, 0, .rax = 0x20000900, MEM),
    ROW("exc.gp.null-ds", "\x8e\xd8\x8b\x07", AT(P32_3) | AT(C32_3) | AT(L64_3), 0,
        .rax = 0x100000000),
    ROW("exc.gp.read-only", "\x8e\xd8\x89\x07", AT(P32_3) | AT(C32_3) | AT(L64_3), 0,
        .rax = SEL_READ_ONLY),
    ROW("exc.gp.limit", "\x8e\xd8\x8b\x07", AT(P32_3) | AT(P32_0) | AT(C32_3) | AT(L64_3), 0,
        .rax = SEL_SMALL),
    ROW("exc.gp.expand-down", "\x8e\xd8\x8b\x07", AT(P32_3) | AT(C32_3), 0, .rax = SEL_EXPAND_DOWN),
    ROW("exc.gp.write-code", "\x2e\x89\x07", IN_ALL & ~IN_64, 0, MEM),
    ROW("exc.gp.far-offset", "\x67\x8b\x05\x00\x00\x10\x00", AT(REAL) | AT(V86), 0),
    ROW("exc.gp.past-limit", "\x67\x8b\x05\xff\xff\x00\x00", AT(REAL) | AT(V86), 0),
};

static void floating_point(void)
{
    CHECK64("exc.nm.em", L64_3, 0, "fld1", r.cr0_set = CR0_EM);
    CHECK64("exc.nm.ts", L64_3, 0, "fld1", r.cr0_set = CR0_TS);
    CHECK64("exc.nm.wait", L64_3, 0, "fwait", r.cr0_set = CR0_TS);
    CHECK64("exc.nm.wait-no-mp", L64_3, 0, "fwait", r.cr0_set = CR0_TS; r.cr0_clear = CR0_MP);
    CHECK64("exc.nm.sse", L64_3, 0, "xorps xmm0, xmm0", r.cr0_set = CR0_TS);
    CHECK64("exc.ud.sse-em", L64_3, 0, "xorps xmm0, xmm0", r.cr0_set = CR0_EM);
    CHECK64("exc.ud.sse-off", L64_3, 0, "xorps xmm0, xmm0", r.cr4_clear = CR4_OSFXSR);
    // The exception waits for the next x87 instruction.
    CHECK64("exc.mf", L64_3, 0,
            "fninit; mov word ptr [rdi], 0x37b; fldcw [rdi]; fld1; fldz; fdivp; nop; fwait", );
    CHECK64("exc.mf.masked", L64_3, 0, "fninit; fld1; fldz; fdivp; fwait", );
    CHECK64("exc.xm", L64_3, 0,
            "mov dword ptr [rdi], 0x1d80; ldmxcsr [rdi]; xorps xmm1, xmm1; mov dword ptr [rdi], "
            "0x3f800000; movss xmm0, [rdi]; divss xmm0, xmm1", );
    CHECK64("exc.xm.unreported", L64_3, 0,
            "mov dword ptr [rdi], 0x1d80; ldmxcsr [rdi]; xorps xmm1, xmm1; mov dword ptr [rdi], "
            "0x3f800000; movss xmm0, [rdi]; divss xmm0, xmm1",
            r.cr4_clear = CR4_OSXMMEXCPT);
    CHECK64("exc.gp.mxcsr", L64_3, 0, "mov dword ptr [rdi], 0x10000; ldmxcsr [rdi]", );
    CHECK64("exc.gp.sse-unaligned", L64_3, 0, "movaps xmm0, [rdi+1]", );
    CHECK64("exc.xm.end", L64_3, 0, "mov dword ptr [rdi], 0x1f80; ldmxcsr [rdi]; fninit", );
}

static void alignment(void)
{
    CHECK64("exc.ac.read4", L64_3, 0, "mov eax, [rdi+1]", r.cr0_set = CR0_AM; r.rflags |= FLAG_AC);
    CHECK64("exc.ac.write8", L64_3, 0, "mov [rdi+4], rax", r.cr0_set = CR0_AM; r.rflags |= FLAG_AC);
    CHECK64("exc.ac.byte", L64_3, 0, "mov al, [rdi+1]", r.cr0_set = CR0_AM; r.rflags |= FLAG_AC);
    CHECK64("exc.ac.ring0", L64_0, 0, "mov eax, [rdi+1]", r.cr0_set = CR0_AM; r.rflags |= FLAG_AC);
    CHECK64("exc.ac.off", L64_3, 0, "mov eax, [rdi+1]", r.rflags |= FLAG_AC);
    CHECK64("exc.ac.stack", L64_3, 0, "push rax", r.cr0_set = CR0_AM; r.rflags |= FLAG_AC;
            r.r[RSP] -= 3);
}

static void stacks_and_addresses(void)
{
    CHECK64("exc.gp.noncanonical-read", L64_3, 0, "mov eax, [rax]", r.r[RAX] = 1ull << 63);
    CHECK64("exc.gp.noncanonical-jump", L64_3, 0, "jmp rax", r.r[RAX] = 1ull << 63);
    CHECK64("exc.gp.noncanonical-call0", L64_0, SHOW_SP, "call rax", r.r[RAX] = 1ull << 63);
    CHECK64("exc.ss.noncanonical-push", L64_3, 0, "push rax", r.r[RSP] = 1ull << 63);
    CHECK64("exc.ss.noncanonical-bp", L64_3, 0, "mov eax, [rbp]", r.r[RBP] = 1ull << 63);
    CHECK64("exc.ud.lock-mov", L64_3, 0, ".byte 0xf0, 0x89, 0x07", );
    CHECK64("exc.ud.lock-register", L64_3, 0, ".byte 0xf0, 0x01, 0xc0", );
    CHECK64("exc.ud.vex-lock", L64_3, 0, ".byte 0xf0, 0xc5, 0xf8, 0x57, 0xc0", );
    struct run r;
    run_init(&r, P32_3);
    r.ss = SEL_SMALL;
    r.r[RSP] = 0x20;
    run_bytes(&r, CODE("\x50"));
    report("exc.ss.limit", &r, 0);
    run_init(&r, P32_3);
    r.ss = SEL_SMALL;
    r.r[RSP] = 0;
    run_bytes(&r, CODE("\x58\x58\x58\x58\x58"));
    report("exc.ss.pop-limit", &r, 0);
}

// Gates that are absent: the exception's own and, for a double fault, that of what follows.
static void absent_gates(void)
{
    segments_gate_present(VECTOR_SOFT, false);
    check64("exc.np.int-n", L64_3, CODE("\xcd\x80"), 0);
    check64("exc.np.int-n-ring0", L64_0, CODE("\xcd\x80"), 0);
    segments_gate_present(VECTOR_SOFT, true);
    segments_gate_present(3, false);
    check64("exc.np.int3", L64_3, CODE("\xcc"), 0);
    segments_gate_present(3, true);
    segments_gate_present(6, false);
    check64("exc.np.ud", L64_3, CODE("\x0f\x0b"), 0);
    segments_gate_present(6, true);
    segments_gate_present(1, false);
    check64("exc.np.icebp", L64_3, CODE("\xf1"), 0);
    segments_gate_present(1, true);
    segments_gate_present(0, false);
    check64("exc.df.div", L64_3, CODE("\x31\xc9\xf7\xf1"), 0);
    segments_gate_present(0, true);
    segments_gate_present(13, false);
    check64("exc.df.gp", L64_3, CODE("\xf4"), 0);
    check64("exc.df.gp-emulated", L64_3, CODE("\x0f\x32"), 0);
    CHECK64("msr.missing.double-fault", L64_0, 0, "rdmsr", r.r[RCX] = 0x8000);
    segments_gate_present(13, true);
    segments_gate_present(14, false);
    CHECK64("exc.df.pf", L64_3, 0, "mov eax, [rax]", r.r[RAX] = WINDOW + 0x100000);
    segments_gate_present(14, true);
}

static void not_present(void)
{
    struct run r;
    static const enum place in[] = {P32_3, C32_3, L64_3};
    for (unsigned i = 0; i < 3; i++) {
        run_init(&r, in[i]);
        r.r[RAX] = SEL_ABSENT_DATA;
        run_bytes(&r, CODE("\x8e\xc0"));
        report("exc.np.data", &r, 0);
    }
}

void checks_exceptions(void)
{
    RUN_ROWS(rows);
    floating_point();
    alignment();
    stacks_and_addresses();
    absent_gates();
    not_present();
}
