// SPDX-License-Identifier: Apache-2.0
// Control and debug registers, flags, and what an operating system does with the caches.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

#define MEM           .memory = 1
#define IN_PRIVILEGED (IN_RING3 | AT(V86))

static const struct insn_row rows[] = {
    ROW("insn.mov-from-cr0", "\x0f\x20\xc0", IN_PRIVILEGED, 0),
    ROW("insn.mov-from-cr0.value", "\x0f\x20\xc0", IN_RING0 | AT(REAL), SHOW_A),
    ROW("insn.mov-to-cr0", "\x0f\x22\xc0", IN_PRIVILEGED, 0),
    ROW("insn.mov-cr2", "\x0f\x22\xd0", IN_USER_FEW, 0),
    ROW("insn.mov-cr2.back", "\x0f\x22\xd0\x0f\x20\xd1", IN_KERNEL_FEW, SHOW_C, .rax = 0x12345678),
    ROW("insn.mov-from-cr3", "\x0f\x20\xd8", IN_USER_FEW, 0),
    ROW("insn.mov-to-cr3", "\x0f\x22\xd8", IN_USER_FEW, 0),
    ROW("insn.mov-to-cr3.same", "\x0f\x20\xd8\x0f\x22\xd8\x0f\x20\xd9\x29\xc1", IN_KERNEL_FEW,
        SHOW_C),
    ROW("insn.mov-from-cr4", "\x0f\x20\xe0", IN_USER_FEW, 0),
    ROW("insn.mov-from-cr4.value", "\x0f\x20\xe0", IN_RING0 | AT(REAL), SHOW_A),
    ROW("insn.mov-to-cr4", "\x0f\x22\xe0", IN_USER_FEW, 0),
    ROW("insn.mov-cr8", "\x44\x0f\x20\xc0", AT(L64_3), 0),
    ROW("insn.mov-cr8.write", "\x44\x0f\x22\xc0", AT(L64_3), 0),
    ROW("insn.mov-cr8.beyond", "\x44\x0f\x22\xc0", AT(L64_0), 0, .rax = 16),
    ROW("insn.mov-cr8.back", "\x44\x0f\x22\xc0\x31\xc0\x44\x0f\x22\xc0", AT(L64_0), 0, .rax = 5),
    ROW("insn.mov-cr8.lock", "\xf0\x0f\x20\xc0", AT(P32_0) | AT(P32_3), 0),
    ROW("insn.mov-from-cr0.cr1", "\x0f\x20\xc8", AT(L64_0) | AT(P32_0) | AT(L64_3), 0),
    ROW("insn.mov-from-cr0.cr5", "\x0f\x20\xe8", AT(L64_0) | AT(P32_0), 0),
    ROW("insn.clts", "\x0f\x06", IN_PRIVILEGED, 0),
    ROW("insn.clts.effect", "\x0f\x20\xc0\x83\xc8\x08\x0f\x22\xc0\x0f\x06\x0f\x20\xc0",
        IN_RING0 & ~AT(P16_0), SHOW_A16),
    ROW("insn.lmsw", "\x0f\x01\xf0", IN_PRIVILEGED, 0),
    // Sets TS and EM; PE stays set outside real mode though the value has it clear.
    ROW("insn.lmsw.effect", "\x0f\x01\xf0\x0f\x01\xe1", IN_RING0 | AT(REAL), SHOW_C, .rax = 0xc),
    ROW("insn.lmsw.memory", "\x0f\x01\x37", IN_FEW & ~AT(REAL), SHOW_A16, MEM),
    ROW("insn.mov-dr", "\x0f\x21\xc0", IN_PRIVILEGED, 0),
    ROW("insn.mov-dr.write", "\x0f\x23\xc0", IN_PRIVILEGED, 0),
    ROW("insn.mov-dr.back", "\x0f\x23\xc0\x0f\x21\xc1", IN_KERNEL_FEW, SHOW_C, .rax = 0x123456),
    ROW("insn.mov-dr.dr6", "\x0f\x23\xf0\x0f\x21\xf1", IN_KERNEL_FEW, SHOW_C, .rax = 0xe00f),
    ROW("insn.mov-dr.dr6-high", "\x0f\x23\xf0", AT(L64_0), 0, .rax = 0x1234500000000),
    ROW("insn.mov-dr.dr7", "\x0f\x23\xf8\x0f\x21\xf9", IN_KERNEL_FEW, SHOW_C, .rax = 0xd0100),
    ROW("insn.mov-dr.dr7-high", "\x0f\x23\xf8", AT(L64_0), 0, .rax = 0x1234500000000),
    ROW("insn.mov-dr.dr4", "\x0f\x21\xe0", AT(L64_0) | AT(P32_0), 0),
    ROW("insn.popf.if", "\x50\x9d\x9c\x59", IN_RING3, SHOW_C, .rax = 0x202),
    ROW("insn.popf.if-iopl3", "\x50\x9d\x9c\x59", IN_RING3 | AT(V86), SHOW_C, .rax = 0x202,
        .rflags = FLAG_IOPL3),
    ROW("insn.popf.iopl", "\x50\x9d\x9c\x59", IN_RING3 | IN_RING0, SHOW_C, .rax = 0x3002),
    ROW("insn.popf.all", "\x50\x9d\x9c\x59", AT(L64_0) | AT(L64_3) | AT(P32_0) | AT(P32_3), SHOW_C,
        .rax = 0x3fdcd7),
    ROW("insn.popf.all16", "\x50\x9d\x9c\x59", AT(REAL) | AT(V86), SHOW_C, .rax = 0x7cd7),
    ROW("insn.pushf.flags", "\x9c\x58", IN_FEW, SHOW_A16, .rflags = FLAGS_ARITHMETIC | FLAG_DF),
    ROW("insn.cli-sti.cli", "\xfa", IN_PRIVILEGED & ~AT(V86), 0),
    ROW("insn.cli-sti.sti", "\xfb", IN_PRIVILEGED & ~AT(V86), 0),
    ROW("insn.cli-sti.iopl3", "\xfb\x9c\x58\xfa", IN_PRIVILEGED, SHOW_A16, .rflags = FLAG_IOPL3),
    ROW("insn.cli-sti.ring0", "\xfb\x9c\x58\xfa", IN_RING0 | AT(REAL), SHOW_A16),
    ROW("insn.hlt", "\xf4", IN_PRIVILEGED, 0),
    ROW("insn.invd", "\x0f\x08", IN_FEW | AT(P32_3) | AT(C32_3), 0),
    ROW("insn.wbinvd", "\x0f\x09", IN_FEW | AT(P32_3) | AT(C32_3), 0),
    ROW("insn.wbnoinvd", "\xf3\x0f\x09", IN_FEW, 0),
    ROW("insn.invlpg", "\x0f\x01\x3f", IN_FEW | AT(P32_3) | AT(C32_3), 0, MEM),
    ROW("insn.invlpg.noncanonical", "\x0f\x01\x38", AT(L64_0), 0, .rax = 0x8000000000000000),
    ROW("insn.clflush", "\x0f\xae\x3f", IN_FEW, 0, MEM),
    ROW("insn.clflushopt", "\x66\x0f\xae\x3f", IN_FEW, 0, MEM),
    ROW("insn.pause", "\xf3\x90", IN_FEW, 0),
    ROW("insn.rdtsc", "\x0f\x31", IN_FEW | AT(P32_3) | AT(C32_3), 0),
    ROW("insn.rdtscp", "\x0f\x01\xf9", IN_FEW | AT(P32_3) | AT(C32_3), SHOW_C),
    ROW("insn.rdpid", "\xf3\x0f\xc7\xf8", IN_FEW | AT(P32_3) | AT(C32_3), 0),
    ROW("insn.rdpmc", "\x0f\x33", IN_RING3 | AT(V86), 0, .rcx = 0x100000000),
    ROW("insn.rdpmc.bad", "\x0f\x33", IN_RING0 | AT(REAL), 0, .rcx = 0x4000000),
    ROW("insn.rdmsr", "\x0f\x32", IN_RING3 | AT(V86), 0, .rcx = 0x174),
    ROW("insn.wrmsr", "\x0f\x30", IN_RING3 | AT(V86), 0, .rcx = 0x174),
    ROW("insn.rdmsr.efer", "\x0f\x32", IN_RING0 | AT(REAL), SHOW_A | SHOW_D, .rcx = 0xc0000080),
    ROW("insn.xgetbv", "\x0f\x01\xd0", IN_FEW, 0, .rcx = 0x100000000),
    ROW("insn.xsetbv", "\x0f\x01\xd1", IN_FEW, 0, .rcx = 0x100000000),
    ROW("insn.swapgs", "\x0f\x01\xf8", IN_FEW & ~AT(L64_0), 0),
    ROW("insn.swapgs.twice", "\x0f\x01\xf8\x0f\x01\xf8", AT(L64_0), 0),
    ROW("insn.rdfsbase.off", "\xf3\x0f\xae\xc0", IN_FEW, 0),
    ROW("insn.cpuid.vendor", "\x0f\xa2", IN_FEW | AT(P32_3) | AT(C32_3), SHOW_B | SHOW_C | SHOW_D,
        .rax = 0x100000000),
    ROW("insn.cpuid.signature", "\x0f\xa2", IN_FEW, SHOW_A, .rax = 1),
    ROW("insn.syscall.off", "\x0f\x05", IN_FEW, 0),
    ROW("insn.sysret.off", "\x0f\x07", IN_FEW, 0),
    ROW("insn.sysenter.off", "\x0f\x34", IN_FEW | AT(P32_3) | AT(C32_3), 0),
    ROW("insn.sysexit.off", "\x0f\x35", IN_FEW | AT(P32_3) | AT(C32_3), 0),
    ROW("insn.rdrand", "\x0f\xc7\xf0\x0f\x92\xc0\x0f\xb6\xc0", IN_FEW, SHOW_A16),
    ROW("insn.rdseed", "\x0f\xc7\xf8\x0f\x92\xc0\x0f\xb6\xc0", IN_FEW, SHOW_A16),
};

// What virtual-8086 mode leaves to its monitor when IOPL is below 3.
static void without_iopl(void)
{
    static const struct {
        const char *name, *bytes;
        unsigned length;
    } sensitive[] = {
        {"insn.cli-sti.cli.v86-iopl0", "\xfa", 1}, {"insn.cli-sti.sti.v86-iopl0", "\xfb", 1},
        {"insn.pushf.v86-iopl0", "\x9c", 1},       {"insn.popf.v86-iopl0", "\x9d", 1},
        {"insn.iret.v86-iopl0", "\xcf", 1},        {"insn.int-n.v86-iopl0", "\xcd\x80", 2},
        {"insn.int3.v86-iopl0", "\xcc", 1},        {"insn.cpuid.v86-iopl0", "\x0f\xa2", 2},
        {"insn.in.v86-iopl0", "\xe4\x61", 2},
    };
    for (unsigned i = 0; i < sizeof(sensitive) / sizeof(sensitive[0]); i++) {
        struct run r;
        if (!place_usable(V86))
            return;
        run_init(&r, V86);
        r.rflags &= ~(uint64_t)FLAG_IOPL3;
        run_bytes(&r, sensitive[i].bytes, sensitive[i].length);
        report_as(sensitive[i].name, &r, SHOW_FLAGS);
    }
}

void checks_control(void)
{
    RUN_ROWS(rows);
    without_iopl();
}
