// SPDX-License-Identifier: Apache-2.0
// Instructions that read, load or test descriptor tables and segments.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

#define MEM .memory = 1

static const struct insn_row rows[] = {
    // The limits are known; the bases are addresses, so only a part of the data is shown.
    ROW("insn.sgdt", "\x0f\x01\x07\x66\x8b\x07", IN_64 | AT(C32_3) | AT(P32_3), SHOW_A16),
    ROW("insn.sidt", "\x0f\x01\x0f\x66\x8b\x07", IN_64 | AT(C32_3) | AT(P32_3), SHOW_A16),
    ROW("insn.sldt.register", "\x0f\x00\xc0", IN_ALL, SHOW_A16),
    ROW("insn.sldt.memory", "\x0f\x00\x07", IN_FEW, SHOW_DATA8, MEM),
    ROW("insn.str.register", "\x0f\x00\xc8", IN_FEW, SHOW_A16),
    ROW("insn.str.memory", "\x0f\x00\x0f", IN_FEW, SHOW_DATA8, MEM),
    ROW("insn.smsw.register", "\x0f\x01\xe0", IN_ALL, SHOW_A16),
    ROW("insn.smsw.memory", "\x0f\x01\x27", IN_FEW, SHOW_DATA8, MEM),
    ROW("insn.lgdt.user", "\x0f\x01\x17", IN_RING3 | AT(V86), 0, MEM),
    ROW("insn.lidt.user", "\x0f\x01\x1f", IN_RING3 | AT(V86), 0, MEM),
    ROW("insn.lldt.null", "\x0f\x00\xd0", IN_FEW, 0, .rax = 0x100000000),
    ROW("insn.lldt.ldt", "\x0f\x00\xd0\x0f\x00\xc1", AT(P32_0) | AT(P16_0), SHOW_C, .rax = SEL_LDT),
    ROW("insn.lldt.data", "\x0f\x00\xd0", AT(P32_0) | AT(L64_0) | AT(C32_0), 0, .rax = SEL_DATA),
    ROW("insn.lldt.absent", "\x0f\x00\xd0", AT(P32_0) | AT(L64_0), 0, .rax = SEL_ABSENT_LDT),
    ROW("insn.lldt.beyond", "\x0f\x00\xd0", AT(P32_0) | AT(L64_0), 0, .rax = GDT_SIZE),
    ROW("insn.lldt.in-ldt", "\x0f\x00\xd0", AT(P32_0) | AT(L64_0), 0, .rax = 0x0c),
    // Not in long mode: QEMU takes it, and then has no stack for exceptions.
    ROW("insn.ltr.null", "\x0f\x00\xd8", IN_ALL & ~(AT(L64_0) | AT(C32_0)), 0, .rax = 0x100000000),
    ROW("insn.ltr.data", "\x0f\x00\xd8", AT(P32_0) | AT(L64_0) | AT(C32_0), 0, .rax = SEL_DATA),
    ROW("insn.ltr.busy", "\x0f\x00\xd8", AT(P32_0) | AT(L64_0), 0, .rax = SEL_TSS32),
    ROW("insn.ltr.absent", "\x0f\x00\xd8", AT(P32_0) | AT(L64_0), 0, .rax = SEL_ABSENT_TSS),
    ROW("insn.ltr.beyond", "\x0f\x00\xd8", AT(P32_0) | AT(L64_0), 0, .rax = GDT_SIZE),
    ROW("insn.ltr.other", "\x0f\x00\xd8\x0f\x00\xc9", AT(P32_0) | AT(P16_0), SHOW_C,
        .rax = SEL_OTHER_TSS32),
    ROW("insn.lar.code", "\x0f\x02\xc1", IN_FEW, SHOW_A | SHOW_ARITHMETIC, .rcx = SEL_CODE32),
    ROW("insn.lar.data", "\x0f\x02\xc1", IN_RING3, SHOW_A | SHOW_ARITHMETIC, .rcx = SEL_DATA_3),
    ROW("insn.lar.tss", "\x0f\x02\xc1", IN_RING0, SHOW_A | SHOW_ARITHMETIC, .rcx = SEL_TSS32),
    ROW("insn.lar.gate", "\x0f\x02\xc1", IN_RING0, SHOW_A | SHOW_ARITHMETIC, .rcx = SEL_GATE32),
    ROW("insn.lar.absent", "\x0f\x02\xc1", IN_RING3, SHOW_A | SHOW_ARITHMETIC,
        .rcx = SEL_ABSENT_DATA),
    ROW("insn.lar.beyond", "\x0f\x02\xc1", IN_RING3, SHOW_A | SHOW_ARITHMETIC, .rcx = GDT_SIZE),
    ROW("insn.lsl.code", "\x0f\x03\xc1", IN_FEW, SHOW_A | SHOW_ARITHMETIC, .rcx = SEL_CODE32),
    ROW("insn.lsl.small", "\x0f\x03\xc1", IN_RING3, SHOW_A | SHOW_ARITHMETIC, .rcx = SEL_SMALL),
    ROW("insn.lsl.gate", "\x0f\x03\xc1", IN_RING0, SHOW_A | SHOW_ARITHMETIC, .rcx = SEL_GATE32),
    ROW("insn.verr-verw.r-code", "\x0f\x00\xe1", IN_FEW, SHOW_ARITHMETIC, .rcx = SEL_CODE32_3),
    ROW("insn.verr-verw.r-data0", "\x0f\x00\xe1", IN_RING3, SHOW_ARITHMETIC, .rcx = SEL_DATA),
    ROW("insn.verr-verw.r-xonly", "\x0f\x00\xe1", IN_RING3, SHOW_ARITHMETIC,
        .rcx = SEL_EXECUTE_ONLY),
    ROW("insn.verr-verw.w-data", "\x0f\x00\xe9", IN_RING3, SHOW_ARITHMETIC, .rcx = SEL_DATA_3),
    ROW("insn.verr-verw.w-rodata", "\x0f\x00\xe9", IN_RING3, SHOW_ARITHMETIC, .rcx = SEL_READ_ONLY),
    ROW("insn.mov-sreg.null", "\x8e\xd8\x8c\xd9", IN_RING3 | IN_RING0, SHOW_C, .rax = 0x100000000),
    ROW("insn.mov-sreg.data", "\x8e\xd8\x8c\xd9", IN_RING3, SHOW_C, .rax = SEL_DATA_B_3),
    ROW("insn.mov-sreg.data0", "\x8e\xd8", IN_RING3, 0, .rax = SEL_DATA),
    ROW("insn.mov-sreg.absent", "\x8e\xd8", AT(P32_3) | IN_64, 0, .rax = SEL_ABSENT_DATA),
    ROW("insn.mov-sreg.xonly", "\x8e\xd8", AT(P32_3) | IN_64, 0, .rax = SEL_EXECUTE_ONLY),
    ROW("insn.mov-sreg.beyond", "\x8e\xd8", AT(P32_3) | IN_64, 0, .rax = GDT_SIZE),
    ROW("insn.mov-sreg.ldt", "\x8e\xd8", AT(P32_3) | IN_64, 0, .rax = SEL_IN_LDT),
    ROW("insn.mov-sreg.ss-null", "\x8e\xd0", AT(P32_3) | AT(P32_0) | AT(L64_3) | AT(C32_3), 0,
        .rax = 0x100000000),
    ROW("insn.mov-sreg.ss-ro", "\x8e\xd0", AT(P32_3) | AT(L64_3), 0, .rax = SEL_READ_ONLY),
    ROW("insn.mov-sreg.ss-absent", "\x8e\xd0", AT(P32_3) | AT(L64_3), 0, .rax = SEL_ABSENT_DATA),
    ROW("insn.mov-sreg.cs", "\x8e\xc8", IN_FEW, 0, .rax = SEL_DATA),
    ROW("insn.mov-sreg.read-cs", "\x8c\xc8", IN_FEW, SHOW_A16),
    ROW("insn.lgdt.same", "\x66\x0f\x01\x07\x66\x0f\x01\x17\x66\x8b\x07", AT(P32_0), SHOW_A16),
    ROW("insn.lgdt.same", "\x0f\x01\x07\x0f\x01\x17\x66\x8b\x07", AT(L64_0), SHOW_A16),
    ROW("insn.lidt.same", "\x0f\x01\x0f\x0f\x01\x1f\x66\x8b\x07", AT(L64_0) | AT(P32_0), SHOW_A16),
};

void checks_tables(void)
{
    RUN_ROWS(rows);
}
