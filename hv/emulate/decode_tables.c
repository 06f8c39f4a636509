// SPDX-License-Identifier: Apache-2.0
// The opcode maps (AMD APM volume 3, appendix A; Intel SDM volume 2, appendix A), reduced to what
// can cause a VM exit. docs/emulation.md lists what is left out, and why.
#include "hv/emulate/decode_tables.h"

#define RM_REG(OP, FLAGS)                                                                          \
    {                                                                                              \
        INSN_##OP, FORM_RM_REG, F_MODRM | (FLAGS)                                                  \
    }
#define REG_RM(OP, FLAGS)                                                                          \
    {                                                                                              \
        INSN_##OP, FORM_REG_RM, F_MODRM | (FLAGS)                                                  \
    }
#define RM_IMM(OP, FLAGS)                                                                          \
    {                                                                                              \
        INSN_##OP, FORM_RM_IMM, F_MODRM | (FLAGS)                                                  \
    }
#define RM(OP, FLAGS)                                                                              \
    {                                                                                              \
        INSN_##OP, FORM_RM, F_MODRM | (FLAGS)                                                      \
    }
#define STRING(OP, FLAGS)                                                                          \
    {                                                                                              \
        INSN_##OP, FORM_STRING, (FLAGS)                                                            \
    }
#define PLAIN(OP, FLAGS)                                                                           \
    {                                                                                              \
        INSN_##OP, FORM_NONE, (FLAGS)                                                              \
    }
#define GROUP(N, FLAGS)                                                                            \
    {                                                                                              \
        GROUP_##N, FORM_NONE, F_MODRM | F_GROUP | (FLAGS)                                          \
    }

// The four memory forms of an arithmetic operation. CMP writes nothing, so it allows no LOCK.
#define ARITHMETIC(BASE, OP, LOCK)                                                                 \
    [(BASE)] = RM_REG(OP, F_BYTE | (LOCK)), [(BASE) + 1] = RM_REG(OP, LOCK),                       \
    [(BASE) + 2] = REG_RM(OP, F_BYTE), [(BASE) + 3] = REG_RM(OP, 0)

#define PREFIX                                                                                     \
    {                                                                                              \
        OPCODE_PREFIX, FORM_NONE, 0                                                                \
    }
#define REX                                                                                        \
    {                                                                                              \
        OPCODE_REX, FORM_NONE, 0                                                                   \
    }
#define REX_8(BASE)                                                                                \
    [(BASE)] = REX, [(BASE) + 1] = REX, [(BASE) + 2] = REX, [(BASE) + 3] = REX,                    \
    [(BASE) + 4] = REX, [(BASE) + 5] = REX, [(BASE) + 6] = REX, [(BASE) + 7] = REX

#define FOUR(BASE, E) [(BASE)] = E, [(BASE) + 1] = E, [(BASE) + 2] = E, [(BASE) + 3] = E
#define CMOV_8(BASE)  FOUR(BASE, REG_RM(CMOV, F_SPECIAL)), FOUR((BASE) + 4, REG_RM(CMOV, F_SPECIAL))
#define SET_8(BASE)                                                                                \
    FOUR(BASE, RM(SET, F_BYTE | F_SPECIAL)), FOUR((BASE) + 4, RM(SET, F_BYTE | F_SPECIAL))

const struct opcode decode_one_byte[256] = {
    ARITHMETIC(0x00, ADD, F_LOCK),
    ARITHMETIC(0x08, OR, F_LOCK),
    ARITHMETIC(0x10, ADC, F_LOCK),
    ARITHMETIC(0x18, SBB, F_LOCK),
    ARITHMETIC(0x20, AND, F_LOCK),
    ARITHMETIC(0x28, SUB, F_LOCK),
    ARITHMETIC(0x30, XOR, F_LOCK),
    ARITHMETIC(0x38, CMP, 0),
    [0x26] = PREFIX,
    [0x2e] = PREFIX,
    [0x36] = PREFIX,
    [0x3e] = PREFIX,
    REX_8(0x40),
    REX_8(0x48),
    [0x63] = REG_RM(MOVSXD, F_ONLY_64 | F_SPECIAL),
    [0x64] = PREFIX,
    [0x65] = PREFIX,
    [0x66] = PREFIX,
    [0x67] = PREFIX,
    [0x69] = REG_RM(IMUL_IMM, F_IMM),
    [0x6b] = REG_RM(IMUL_IMM, F_IMM8),
    [0x6c] = STRING(INS, F_BYTE | F_MAX_4 | F_SPECIAL),
    [0x6d] = STRING(INS, F_MAX_4 | F_SPECIAL),
    [0x6e] = STRING(OUTS, F_BYTE | F_MAX_4),
    [0x6f] = STRING(OUTS, F_MAX_4),
    [0x80] = GROUP(1, F_BYTE | F_IMM8),
    [0x81] = GROUP(1, F_IMM),
    [0x82] = GROUP(1, F_BYTE | F_IMM8 | F_NOT_64),
    [0x83] = GROUP(1, F_IMM8),
    [0x84] = RM_REG(TEST, F_BYTE),
    [0x85] = RM_REG(TEST, 0),
    [0x86] = RM_REG(XCHG, F_BYTE | F_LOCK),
    [0x87] = RM_REG(XCHG, F_LOCK),
    [0x88] = RM_REG(MOV, F_BYTE),
    [0x89] = RM_REG(MOV, 0),
    [0x8a] = REG_RM(MOV, F_BYTE),
    [0x8b] = REG_RM(MOV, 0),
    [0x8f] = GROUP(1A, F_SPECIAL),
    [0x90] = PLAIN(PAUSE, F_SPECIAL),
    [0xa0] = {INSN_MOV, FORM_REG_RM, F_MOFFS | F_BYTE},
    [0xa1] = {INSN_MOV, FORM_REG_RM, F_MOFFS},
    [0xa2] = {INSN_MOV, FORM_RM_REG, F_MOFFS | F_BYTE},
    [0xa3] = {INSN_MOV, FORM_RM_REG, F_MOFFS},
    [0xa4] = STRING(MOVS, F_BYTE),
    [0xa5] = STRING(MOVS, 0),
    [0xa6] = STRING(CMPS, F_BYTE),
    [0xa7] = STRING(CMPS, 0),
    [0xaa] = STRING(STOS, F_BYTE | F_SPECIAL),
    [0xab] = STRING(STOS, F_SPECIAL),
    [0xac] = STRING(LODS, F_BYTE),
    [0xad] = STRING(LODS, 0),
    [0xae] = STRING(SCAS, F_BYTE | F_SPECIAL),
    [0xaf] = STRING(SCAS, F_SPECIAL),
    [0xc0] = GROUP(2, F_BYTE | F_IMM8 | F_SPECIAL),
    [0xc1] = GROUP(2, F_IMM8 | F_SPECIAL),
    [0xc6] = GROUP(11, F_BYTE),
    [0xc7] = GROUP(11, 0),
    [0xcf] = PLAIN(IRET, 0),
    [0xd0] = GROUP(2, F_BYTE | F_SPECIAL),
    [0xd1] = GROUP(2, F_SPECIAL),
    [0xd2] = GROUP(2, F_BYTE | F_SPECIAL),
    [0xd3] = GROUP(2, F_SPECIAL),
    [0xe4] = {INSN_IN, FORM_PORT, F_BYTE | F_IMM8},
    [0xe5] = {INSN_IN, FORM_PORT, F_MAX_4 | F_IMM8},
    [0xe6] = {INSN_OUT, FORM_PORT, F_BYTE | F_IMM8},
    [0xe7] = {INSN_OUT, FORM_PORT, F_MAX_4 | F_IMM8},
    [0xec] = {INSN_IN, FORM_PORT_DX, F_BYTE},
    [0xed] = {INSN_IN, FORM_PORT_DX, F_MAX_4},
    [0xee] = {INSN_OUT, FORM_PORT_DX, F_BYTE},
    [0xef] = {INSN_OUT, FORM_PORT_DX, F_MAX_4},
    [0xf0] = PREFIX,
    [0xf2] = PREFIX,
    [0xf3] = PREFIX,
    [0xf4] = PLAIN(HLT, 0),
    [0xf6] = GROUP(3, F_BYTE),
    [0xf7] = GROUP(3, 0),
    [0xfe] = GROUP(4, F_BYTE),
    [0xff] = GROUP(5, 0),
};

const struct opcode decode_two_byte[256] = {
    [0x00] = GROUP(6, 0),
    [0x01] = GROUP(7, 0),
    [0x06] = PLAIN(CLTS, 0),
    [0x08] = PLAIN(INVD, 0),
    [0x09] = PLAIN(WBINVD, F_SPECIAL),
    [0x20] = RM_REG(MOV_FROM_CR, F_REG | F_SPECIAL),
    [0x21] = RM_REG(MOV_FROM_DR, F_REG | F_SPECIAL),
    [0x22] = REG_RM(MOV_TO_CR, F_REG | F_SPECIAL),
    [0x23] = REG_RM(MOV_TO_DR, F_REG | F_SPECIAL),
    [0x30] = PLAIN(WRMSR, 0),
    [0x31] = PLAIN(RDTSC, 0),
    [0x32] = PLAIN(RDMSR, 0),
    [0x33] = PLAIN(RDPMC, 0),
    CMOV_8(0x40),
    CMOV_8(0x48),
    SET_8(0x90),
    SET_8(0x98),
    [0xa2] = PLAIN(CPUID, 0),
    [0xa3] = RM_REG(BT, 0),
    [0xa4] = RM_REG(SHLD, F_IMM8 | F_SPECIAL),
    [0xa5] = RM_REG(SHLD, F_SPECIAL),
    [0xaa] = PLAIN(RSM, 0),
    [0xab] = RM_REG(BTS, F_LOCK),
    [0xac] = RM_REG(SHRD, F_IMM8 | F_SPECIAL),
    [0xad] = RM_REG(SHRD, F_SPECIAL),
    [0xaf] = REG_RM(IMUL, 0),
    [0xb0] = RM_REG(CMPXCHG, F_BYTE | F_LOCK),
    [0xb1] = RM_REG(CMPXCHG, F_LOCK),
    [0xb3] = RM_REG(BTR, F_LOCK),
    [0xb6] = REG_RM(MOVZX, F_EXTEND),
    [0xb7] = REG_RM(MOVZX, F_EXTEND),
    [0xb8] = REG_RM(POPCNT, F_SPECIAL),
    [0xba] = GROUP(8, F_IMM8),
    [0xbb] = RM_REG(BTC, F_LOCK),
    [0xbc] = REG_RM(BSF, F_SPECIAL),
    [0xbd] = REG_RM(BSR, F_SPECIAL),
    [0xbe] = REG_RM(MOVSX, F_EXTEND),
    [0xbf] = REG_RM(MOVSX, F_EXTEND),
    [0xc0] = RM_REG(XADD, F_BYTE | F_LOCK),
    [0xc1] = RM_REG(XADD, F_LOCK),
    [0xc3] = RM_REG(MOVNTI, F_MEM | F_NO_66 | F_NO_REP | F_SPECIAL),
    [0xc7] = GROUP(9, 0),
};

const struct opcode decode_groups[GROUP_COUNT][8] = {
    [GROUP_1] = {RM_IMM(ADD, F_LOCK), RM_IMM(OR, F_LOCK), RM_IMM(ADC, F_LOCK), RM_IMM(SBB, F_LOCK),
                 RM_IMM(AND, F_LOCK), RM_IMM(SUB, F_LOCK), RM_IMM(XOR, F_LOCK), RM_IMM(CMP, 0)},
    [GROUP_1A] = {RM(POP, 0)},
    // /6 is SHL too, in practice and in AMD's manual.
    [GROUP_2] = {RM(ROL, 0), RM(ROR, 0), RM(RCL, 0), RM(RCR, 0), RM(SHL, 0), RM(SHR, 0), RM(SHL, 0),
                 RM(SAR, 0)},
    // /1 is TEST too, in practice and in AMD's manual.
    [GROUP_3] = {RM_IMM(TEST, F_IMM), RM_IMM(TEST, F_IMM), RM(NOT, F_LOCK), RM(NEG, F_LOCK),
                 RM(MUL, 0), RM(IMUL_RAX, 0), RM(DIV, 0), RM(IDIV, 0)},
    [GROUP_4] = {RM(INC, F_LOCK), RM(DEC, F_LOCK)},
    [GROUP_5] = {RM(INC, F_LOCK), RM(DEC, F_LOCK), {0}, {0}, {0}, {0}, RM(PUSH, F_SPECIAL)},
    [GROUP_6] = {RM(SLDT, 0), RM(STR, 0), RM(LLDT, 0), RM(LTR, 0)},
    [GROUP_7] = {RM(SGDT, 0),
                 RM(SIDT, 0),
                 RM(LGDT, 0),
                 RM(LIDT, 0),
                 RM(SMSW, 0),
                 {0},
                 RM(LMSW, 0),
                 RM(INVLPG, 0)},
    [GROUP_8] = {{0},
                 {0},
                 {0},
                 {0},
                 RM_IMM(BT, 0),
                 RM_IMM(BTS, F_LOCK),
                 RM_IMM(BTR, F_LOCK),
                 RM_IMM(BTC, F_LOCK)},
    [GROUP_9] = {{0}, RM(CMPXCHG8B, F_LOCK | F_MEM | F_SPECIAL)},
    [GROUP_11] = {RM_IMM(MOV, F_IMM)},
    [GROUP_17] = {{0}, RM(BLSR, 0), RM(BLSMSK, 0), RM(BLSI, 0)},
};

// Indexed by ModRM & 0x3f. For several of these a prefix makes another instruction.
#define STRICT (F_NO_66 | F_NO_REP)

const struct opcode decode_group_7_register[64] = {
    [0x01] = PLAIN(VMCALL, STRICT),
    [0x08] = PLAIN(MONITOR, STRICT),
    [0x09] = PLAIN(MWAIT, STRICT),
    [0x11] = PLAIN(XSETBV, STRICT),
    [0x18] = PLAIN(VMRUN, 0),
    [0x19] = PLAIN(VMMCALL, 0),
    [0x1a] = PLAIN(VMLOAD, 0),
    [0x1b] = PLAIN(VMSAVE, 0),
    [0x1c] = PLAIN(STGI, 0),
    [0x1d] = PLAIN(CLGI, 0),
    [0x1e] = PLAIN(SKINIT, 0),
    [0x1f] = PLAIN(INVLPGA, 0),
    // SMSW and LMSW with any register.
    [0x20] = RM(SMSW, 0),
    [0x21] = RM(SMSW, 0),
    [0x22] = RM(SMSW, 0),
    [0x23] = RM(SMSW, 0),
    [0x24] = RM(SMSW, 0),
    [0x25] = RM(SMSW, 0),
    [0x26] = RM(SMSW, 0),
    [0x27] = RM(SMSW, 0),
    [0x30] = RM(LMSW, 0),
    [0x31] = RM(LMSW, 0),
    [0x32] = RM(LMSW, 0),
    [0x33] = RM(LMSW, 0),
    [0x34] = RM(LMSW, 0),
    [0x35] = RM(LMSW, 0),
    [0x36] = RM(LMSW, 0),
    [0x37] = RM(LMSW, 0),
    [0x39] = PLAIN(RDTSCP, 0),
    [0x3a] = PLAIN(MONITORX, STRICT),
    [0x3b] = PLAIN(MWAITX, STRICT),
    [0x3d] = PLAIN(RDPRU, 0),
};

// The operation exists without VEX and with it. With VEX the register's part beyond 16 bytes
// becomes 0 (SDM vol. 2, 2.3.10.1).
#define BOTH (RARE_LEGACY | RARE_VEX)

#define ROW(KEY, OPCODE, ENTRY, SIZE, RULES)                                                       \
    {                                                                                              \
        (KEY), (OPCODE), ENTRY, (SIZE), (RULES)                                                    \
    }
#define LOAD(OP)         REG_RM(VECTOR_##OP, F_SPECIAL)
#define LOAD_ELEMENT(OP) REG_RM(VECTOR_##OP, F_SPECIAL | F_IMM8)
#define STORE(OP)        RM_REG(VECTOR_##OP, F_SPECIAL)
#define STORE_ELEMENT    RM_REG(VECTOR_EXTRACT, F_SPECIAL | F_IMM8)
#define GENERAL(OP)      REG_RM(OP, F_SPECIAL)
// A pair of opcodes that load and store a whole register.
#define WHOLE(PREFIX, FROM, TO)                                                                    \
    ROW(BOTH | RARE_0F | (PREFIX), FROM, LOAD(LOAD), RARE_WHOLE, 0),                               \
        ROW(BOTH | RARE_0F | (PREFIX), TO, STORE(STORE), RARE_WHOLE, 0)
// Loads and stores of half a register.
#define HALF(PREFIX, FROM, WHERE, TO, STORED)                                                      \
    ROW(BOTH | RARE_0F | (PREFIX), FROM, LOAD(WHERE), 8, RARE_L0 | RARE_SECOND),                   \
        ROW(BOTH | RARE_0F | (PREFIX), TO, STORE(STORED), 8, RARE_L0)

const struct decode_rare decode_rare[] = {
    // General registers.
    ROW(RARE_LEGACY | RARE_0F38, 0xf0, REG_RM(MOVBE, F_MEM), 0, 0),
    ROW(RARE_LEGACY | RARE_0F38, 0xf1, RM_REG(MOVBE, F_MEM), 0, 0),
    ROW(RARE_LEGACY | RARE_0F38 | RARE_66, 0xf0, REG_RM(MOVBE, F_MEM), 0, 0),
    ROW(RARE_LEGACY | RARE_0F38 | RARE_66, 0xf1, RM_REG(MOVBE, F_MEM), 0, 0),
    ROW(RARE_LEGACY | RARE_0F38 | RARE_F2, 0xf0, GENERAL(CRC32), 1, 0),
    ROW(RARE_LEGACY | RARE_0F38 | RARE_F2, 0xf1, GENERAL(CRC32), 0, 0),
    ROW(RARE_LEGACY | RARE_0F38 | RARE_66, 0xf6, GENERAL(ADCX), 0, 0),
    ROW(RARE_LEGACY | RARE_0F38 | RARE_F3, 0xf6, GENERAL(ADOX), 0, 0),
    ROW(RARE_LEGACY | RARE_0F38, 0xf9, RM_REG(MOVNTI, F_MEM | F_SPECIAL), 0, 0), // MOVDIRI
    ROW(RARE_LEGACY | RARE_0F38 | RARE_66, 0x82, REG_RM(INVPCID, F_MEM), 0, 0),
    ROW(RARE_VEX | RARE_0F38, 0xf2, GENERAL(ANDN), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38, 0xf3, GROUP(17, F_SPECIAL), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38, 0xf5, GENERAL(BZHI), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38 | RARE_F3, 0xf5, GENERAL(PEXT), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38 | RARE_F2, 0xf5, GENERAL(PDEP), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38 | RARE_F2, 0xf6, GENERAL(MULX), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38, 0xf7, GENERAL(BEXTR), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0xf7, GENERAL(SHLX), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38 | RARE_F3, 0xf7, GENERAL(SARX), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F38 | RARE_F2, 0xf7, GENERAL(SHRX), 0, RARE_L0 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F3A | RARE_F2, 0xf0, REG_RM(RORX, F_SPECIAL | F_IMM8), 0, RARE_L0),

    // Whole vector registers: MOVUPS, MOVUPD, MOVAPS, MOVAPD, MOVDQA, MOVDQU.
    WHOLE(0, 0x10, 0x11),
    WHOLE(RARE_66, 0x10, 0x11),
    WHOLE(0, 0x28, 0x29),
    WHOLE(RARE_66, 0x28, 0x29),
    WHOLE(RARE_66, 0x6f, 0x7f),
    WHOLE(RARE_F3, 0x6f, 0x7f),
    ROW(BOTH | RARE_0F | RARE_F2, 0xf0, LOAD(LOAD), RARE_WHOLE, 0),           // LDDQU
    ROW(BOTH | RARE_0F38 | RARE_66, 0x2a, LOAD(LOAD), RARE_WHOLE, 0),         // MOVNTDQA
    ROW(BOTH | RARE_0F, 0x2b, STORE(STORE), RARE_WHOLE, 0),                   // MOVNTPS
    ROW(BOTH | RARE_0F | RARE_66, 0x2b, STORE(STORE), RARE_WHOLE, 0),         // MOVNTPD
    ROW(RARE_LEGACY | RARE_0F | RARE_F3, 0x2b, STORE(STORE), 4, 0),           // MOVNTSS
    ROW(RARE_LEGACY | RARE_0F | RARE_F2, 0x2b, STORE(STORE), 8, 0),           // MOVNTSD
    ROW(BOTH | RARE_0F | RARE_66, 0xe7, STORE(STORE), RARE_WHOLE, 0),         // MOVNTDQ
    ROW(BOTH | RARE_0F | RARE_F3, 0x12, LOAD(EVEN), RARE_WHOLE, 0),           // MOVSLDUP
    ROW(BOTH | RARE_0F | RARE_F3, 0x16, LOAD(ODD), RARE_WHOLE, 0),            // MOVSHDUP
    ROW(BOTH | RARE_0F | RARE_F2, 0x12, LOAD(BROADCAST), 8, RARE_L0),         // MOVDDUP
    ROW(RARE_VEX | RARE_0F | RARE_F2, 0x12, LOAD(EVEN), RARE_WHOLE, RARE_L1), // 32 bytes
    // Numbers: MOVSS, MOVSD, MOVD, MOVQ.
    ROW(BOTH | RARE_0F | RARE_F3, 0x10, LOAD(LOAD), 4, RARE_SCALAR),
    ROW(BOTH | RARE_0F | RARE_F3, 0x11, STORE(STORE), 4, RARE_SCALAR),
    ROW(BOTH | RARE_0F | RARE_F2, 0x10, LOAD(LOAD), 8, RARE_SCALAR),
    ROW(BOTH | RARE_0F | RARE_F2, 0x11, STORE(STORE), 8, RARE_SCALAR),
    ROW(BOTH | RARE_0F | RARE_66, 0x6e, LOAD(LOAD), 0, RARE_L0),
    ROW(BOTH | RARE_0F | RARE_66, 0x7e, STORE(STORE), 0, RARE_L0),
    ROW(BOTH | RARE_0F | RARE_F3, 0x7e, LOAD(LOAD), 8, RARE_L0),
    ROW(BOTH | RARE_0F | RARE_66, 0xd6, STORE(STORE), 8, RARE_L0),
    ROW(BOTH | RARE_0F | RARE_F3, 0x2a, LOAD(TO_SINGLE), 0, RARE_SECOND | RARE_SCALAR), // CVTSI2SS
    ROW(BOTH | RARE_0F | RARE_F2, 0x2a, LOAD(TO_DOUBLE), 0, RARE_SECOND | RARE_SCALAR), // CVTSI2SD
    // Parts: MOVLPS, MOVLPD, MOVHPS, MOVHPD, then PINSR and PEXTR of all sizes.
    HALF(0, 0x12, LOW, 0x13, STORE),
    HALF(RARE_66, 0x12, LOW, 0x13, STORE),
    HALF(0, 0x16, HIGH, 0x17, STORE_HIGH),
    HALF(RARE_66, 0x16, HIGH, 0x17, STORE_HIGH),
    ROW(BOTH | RARE_0F3A | RARE_66, 0x20, LOAD_ELEMENT(INSERT), 1, RARE_L0 | RARE_SECOND),
    ROW(BOTH | RARE_0F | RARE_66, 0xc4, LOAD_ELEMENT(INSERT), 2, RARE_L0 | RARE_SECOND),
    ROW(BOTH | RARE_0F3A | RARE_66, 0x22, LOAD_ELEMENT(INSERT), 0, RARE_L0 | RARE_SECOND),
    ROW(BOTH | RARE_0F3A | RARE_66, 0x21, LOAD_ELEMENT(INSERTPS), 4, RARE_L0 | RARE_SECOND),
    ROW(BOTH | RARE_0F3A | RARE_66, 0x14, STORE_ELEMENT, 1, RARE_L0),
    ROW(BOTH | RARE_0F3A | RARE_66, 0x15, STORE_ELEMENT, 2, RARE_L0),
    ROW(BOTH | RARE_0F3A | RARE_66, 0x16, STORE_ELEMENT, 0, RARE_L0),
    ROW(BOTH | RARE_0F3A | RARE_66, 0x17, STORE_ELEMENT, 4, RARE_L0), // EXTRACTPS
    // Only AVX and AVX2: broadcasts, and halves of the wide registers.
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0x18, LOAD(BROADCAST), 4, RARE_W0),
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0x19, LOAD(BROADCAST), 8, RARE_W0 | RARE_L1),
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0x1a, LOAD(BROADCAST), 16, RARE_W0 | RARE_L1),
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0x58, LOAD(BROADCAST), 4, RARE_W0),
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0x59, LOAD(BROADCAST), 8, RARE_W0),
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0x5a, LOAD(BROADCAST), 16, RARE_W0 | RARE_L1),
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0x78, LOAD(BROADCAST), 1, RARE_W0),
    ROW(RARE_VEX | RARE_0F38 | RARE_66, 0x79, LOAD(BROADCAST), 2, RARE_W0),
    ROW(RARE_VEX | RARE_0F3A | RARE_66, 0x18, LOAD_ELEMENT(INSERT), 16,
        RARE_W0 | RARE_L1 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F3A | RARE_66, 0x38, LOAD_ELEMENT(INSERT), 16,
        RARE_W0 | RARE_L1 | RARE_SECOND),
    ROW(RARE_VEX | RARE_0F3A | RARE_66, 0x19, STORE_ELEMENT, 16, RARE_W0 | RARE_L1),
    ROW(RARE_VEX | RARE_0F3A | RARE_66, 0x39, STORE_ELEMENT, 16, RARE_W0 | RARE_L1),
};

const unsigned decode_rare_count = ARRAY_SIZE(decode_rare);

_Static_assert(sizeof(struct decode_rare) == 8, "a row is small");
