// SPDX-License-Identifier: Apache-2.0
// The opcode maps (AMD APM volume 3, appendix A; Intel SDM volume 2, appendix A), cut down to
// what can cause a VM exit.
#include "hv/decode_tables.h"

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

// The four memory forms of an arithmetic operation; CMP writes nothing, so takes no LOCK.
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
    [0xc6] = GROUP(11, F_BYTE),
    [0xc7] = GROUP(11, 0),
    [0xcf] = PLAIN(IRET, 0),
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
    [0xff] = GROUP(4, 0),
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
    [0xa2] = PLAIN(CPUID, 0),
    [0xa3] = RM_REG(BT, 0),
    [0xaa] = PLAIN(RSM, 0),
    [0xab] = RM_REG(BTS, F_LOCK),
    [0xb0] = RM_REG(CMPXCHG, F_BYTE | F_LOCK),
    [0xb1] = RM_REG(CMPXCHG, F_LOCK),
    [0xb3] = RM_REG(BTR, F_LOCK),
    [0xb6] = REG_RM(MOVZX, F_EXTEND),
    [0xb7] = REG_RM(MOVZX, F_EXTEND),
    [0xba] = GROUP(8, F_IMM8),
    [0xbb] = RM_REG(BTC, F_LOCK),
    [0xbe] = REG_RM(MOVSX, F_EXTEND),
    [0xbf] = REG_RM(MOVSX, F_EXTEND),
    [0xc0] = RM_REG(XADD, F_BYTE | F_LOCK),
    [0xc1] = RM_REG(XADD, F_LOCK),
    [0xc3] = RM_REG(MOVNTI, F_MEM | F_NO_66 | F_NO_REP | F_SPECIAL),
};

const struct opcode decode_groups[GROUP_COUNT][8] = {
    [GROUP_1] = {RM_IMM(ADD, F_LOCK), RM_IMM(OR, F_LOCK), RM_IMM(ADC, F_LOCK), RM_IMM(SBB, F_LOCK),
                 RM_IMM(AND, F_LOCK), RM_IMM(SUB, F_LOCK), RM_IMM(XOR, F_LOCK), RM_IMM(CMP, 0)},
    // /1 is TEST too, in practice and in AMD's manual. MUL and DIV follow: no device needs them.
    [GROUP_3] = {RM_IMM(TEST, F_IMM), RM_IMM(TEST, F_IMM), RM(NOT, F_LOCK), RM(NEG, F_LOCK)},
    [GROUP_4] = {RM(INC, F_LOCK), RM(DEC, F_LOCK)},
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
    [GROUP_11] = {RM_IMM(MOV, F_IMM)},
};

// Indexed by ModRM & 0x3f. Prefixes make other instructions of several of these.
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

// For reports only.
static const char *const names[] = {
    [INSN_NONE] = "(none)",
    [INSN_ADD] = "add",
    [INSN_OR] = "or",
    [INSN_ADC] = "adc",
    [INSN_SBB] = "sbb",
    [INSN_AND] = "and",
    [INSN_SUB] = "sub",
    [INSN_XOR] = "xor",
    [INSN_CMP] = "cmp",
    [INSN_TEST] = "test",
    [INSN_INC] = "inc",
    [INSN_DEC] = "dec",
    [INSN_NOT] = "not",
    [INSN_NEG] = "neg",
    [INSN_MOV] = "mov",
    [INSN_MOVZX] = "movzx",
    [INSN_MOVSX] = "movsx",
    [INSN_MOVSXD] = "movsxd",
    [INSN_MOVBE] = "movbe",
    [INSN_MOVNTI] = "movnti",
    [INSN_XCHG] = "xchg",
    [INSN_XADD] = "xadd",
    [INSN_CMPXCHG] = "cmpxchg",
    [INSN_BT] = "bt",
    [INSN_BTS] = "bts",
    [INSN_BTR] = "btr",
    [INSN_BTC] = "btc",
    [INSN_MOVS] = "movs",
    [INSN_CMPS] = "cmps",
    [INSN_STOS] = "stos",
    [INSN_LODS] = "lods",
    [INSN_SCAS] = "scas",
    [INSN_INS] = "ins",
    [INSN_OUTS] = "outs",
    [INSN_IN] = "in",
    [INSN_OUT] = "out",
    [INSN_MOV_FROM_CR] = "mov from cr",
    [INSN_MOV_TO_CR] = "mov to cr",
    [INSN_MOV_FROM_DR] = "mov from dr",
    [INSN_MOV_TO_DR] = "mov to dr",
    [INSN_CPUID] = "cpuid",
    [INSN_RDMSR] = "rdmsr",
    [INSN_WRMSR] = "wrmsr",
    [INSN_RDPMC] = "rdpmc",
    [INSN_RDTSC] = "rdtsc",
    [INSN_RDTSCP] = "rdtscp",
    [INSN_RDPRU] = "rdpru",
    [INSN_HLT] = "hlt",
    [INSN_PAUSE] = "pause",
    [INSN_MONITOR] = "monitor",
    [INSN_MONITORX] = "monitorx",
    [INSN_MWAIT] = "mwait",
    [INSN_MWAITX] = "mwaitx",
    [INSN_XSETBV] = "xsetbv",
    [INSN_INVD] = "invd",
    [INSN_WBINVD] = "wbinvd",
    [INSN_WBNOINVD] = "wbnoinvd",
    [INSN_INVLPG] = "invlpg",
    [INSN_INVLPGA] = "invlpga",
    [INSN_INVPCID] = "invpcid",
    [INSN_CLTS] = "clts",
    [INSN_LMSW] = "lmsw",
    [INSN_SMSW] = "smsw",
    [INSN_LGDT] = "lgdt",
    [INSN_LIDT] = "lidt",
    [INSN_SGDT] = "sgdt",
    [INSN_SIDT] = "sidt",
    [INSN_LLDT] = "lldt",
    [INSN_SLDT] = "sldt",
    [INSN_LTR] = "ltr",
    [INSN_STR] = "str",
    [INSN_IRET] = "iret",
    [INSN_RSM] = "rsm",
    [INSN_VMCALL] = "vmcall",
    [INSN_VMMCALL] = "vmmcall",
    [INSN_VMRUN] = "vmrun",
    [INSN_VMLOAD] = "vmload",
    [INSN_VMSAVE] = "vmsave",
    [INSN_STGI] = "stgi",
    [INSN_CLGI] = "clgi",
    [INSN_SKINIT] = "skinit",
};

const char *insn_name(enum insn_op op)
{
    return (size_t)op < ARRAY_SIZE(names) ? names[op] : "(unknown)";
}
