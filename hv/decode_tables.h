// SPDX-License-Identifier: Apache-2.0
// The opcode maps of the decoder: what each known opcode is and which bytes follow it. An opcode
// without an entry is refused. Internal to the decoder.
#ifndef HV_DECODE_TABLES_H
#define HV_DECODE_TABLES_H

#include <stdint.h>

#include "arch/types.h"
#include "hv/decode.h"

// What an opcode needs, beside its operation and form.
#define F_MODRM   BIT(0)  // a ModRM byte follows
#define F_BYTE    BIT(1)  // operands are bytes
#define F_IMM8    BIT(2)  // one immediate byte, sign-extended
#define F_IMM     BIT(3)  // an immediate of the operand size, but at most 4 bytes
#define F_LOCK    BIT(4)  // LOCK is legal with a destination in memory
#define F_MEM     BIT(5)  // #UD with a register
#define F_NO_66   BIT(6)  // with the prefix 66 it is another instruction, or none
#define F_NO_REP  BIT(7)  // likewise with F2 or F3
#define F_ONLY_64 BIT(8)  // elsewhere another instruction
#define F_NOT_64  BIT(9)  // #UD in 64-bit mode
#define F_MOFFS   BIT(10) // an absolute address follows, the register is rAX
#define F_GROUP   BIT(11) // `op` is an enum decode_group: ModRM.reg selects the entry
#define F_EXTEND  BIT(12) // the source is narrower: 1 byte, or 2 for an odd opcode
#define F_SPECIAL BIT(13) // decode.c has a rule of its own
#define F_MAX_4   BIT(14) // REX.W does not make the operand 8 bytes
#define F_REG     BIT(15) // a register, whatever ModRM.mod says

struct opcode {
    uint8_t op;     // enum insn_op; INSN_NONE: not known
    uint8_t form;   // enum insn_form
    uint16_t flags; // F_*
};

// In place of an operation, in the one-byte map.
enum {
    OPCODE_REX = 0xfe, // 40 to 4F: REX in 64-bit mode; INC and DEC of registers elsewhere
    OPCODE_PREFIX = 0xff,
};

enum decode_group {
    GROUP_NONE,
    GROUP_1,  // 80 to 83: arithmetic with an immediate
    GROUP_3,  // F6, F7: TEST, NOT, NEG
    GROUP_4,  // FE, FF: INC, DEC
    GROUP_6,  // 0F 00: LDT and task register
    GROUP_7,  // 0F 01, memory form: descriptor tables, machine status word, INVLPG
    GROUP_8,  // 0F BA: bit tests with an immediate
    GROUP_11, // C6, C7: MOV with an immediate
    GROUP_COUNT,
};

extern const struct opcode decode_one_byte[256]; // opcode
extern const struct opcode decode_two_byte[256]; // 0F opcode
extern const struct opcode decode_groups[GROUP_COUNT][8];
// 0F 01 with ModRM C0 to FF: one instruction for each value.
extern const struct opcode decode_group_7_register[64];

#endif
