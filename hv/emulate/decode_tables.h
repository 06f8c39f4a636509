// SPDX-License-Identifier: Apache-2.0
// The opcode maps of the decoder: what each known opcode is and which bytes follow it. An opcode
// without an entry is refused. Internal to the decoder.
#ifndef HV_EMULATE_DECODE_TABLES_H
#define HV_EMULATE_DECODE_TABLES_H

#include <stdint.h>

#include "arch/lib/types.h"
#include "hv/emulate/decode.h"

#define REX_B BIT(0)
#define REX_X BIT(1)
#define REX_R BIT(2)
#define REX_W BIT(3)

// What the prefixes say, in one word, so that their absence is one test. A REX byte (40 to 4F)
// takes the lowest byte as it is.
#define P_REX       0xffu
#define P_66        (1u << 8)
#define P_67        (1u << 9)
#define P_REP_SHIFT 10 // enum insn_rep
#define P_REP       (3u << P_REP_SHIFT)
#define P_LOCK      (1u << 12)
#define P_SEG_SHIFT 13 // enum insn_segment
#define P_SEG       (7u << P_SEG_SHIFT)
#define P_OVERRIDE  (1u << 16)

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
    GROUP_1A, // 8F: POP
    GROUP_2,  // C0, C1, D0 to D3: rotates and shifts
    GROUP_3,  // F6, F7: TEST, NOT, NEG, MUL, DIV
    GROUP_4,  // FE: INC, DEC
    GROUP_5,  // FF: the same, and PUSH
    GROUP_6,  // 0F 00: LDT and task register
    GROUP_7,  // 0F 01, memory form: descriptor tables, machine status word, INVLPG
    GROUP_8,  // 0F BA: bit tests with an immediate
    GROUP_9,  // 0F C7: CMPXCHG8B
    GROUP_17, // VEX 0F38 F3: BLSR, BLSMSK, BLSI
    GROUP_11, // C6, C7: MOV with an immediate
    GROUP_COUNT,
};

extern const struct opcode decode_one_byte[256]; // opcode
extern const struct opcode decode_two_byte[256]; // 0F opcode
extern const struct opcode decode_groups[GROUP_COUNT][8];
// 0F 01 with ModRM C0 to FF: one instruction for each value.
extern const struct opcode decode_group_7_register[64];

// Opcodes that are not in the maps above: those of three bytes, those that a prefix selects, and
// those with VEX. Few are met, so they are searched for.
#define RARE_0F     1u
#define RARE_0F38   2u
#define RARE_0F3A   3u
#define RARE_66     (1u << 2) // the mandatory prefix, as VEX has it
#define RARE_F3     (2u << 2)
#define RARE_F2     (3u << 2)
#define RARE_LEGACY BIT(4) // without VEX
#define RARE_VEX    BIT(5) // with it
#define RARE_L0     BIT(0) // VEX.L has to be 0
#define RARE_L1     BIT(1) // has to be 1
#define RARE_W0     BIT(2) // VEX.W has to be 0
#define RARE_SECOND BIT(3) // VEX.vvvv is an operand
#define RARE_SCALAR BIT(4) // VEX.L means nothing
#define RARE_WHOLE  0xff   // as size: a whole vector register
struct decode_rare {
    uint8_t key; // RARE_0F and the like, a prefix, RARE_LEGACY or RARE_VEX or both
    uint8_t opcode;
    struct opcode entry;
    uint8_t size;  // bytes in memory; 0: 4, or 8 with W
    uint8_t rules; // RARE_L0 and the like
};
extern const struct decode_rare decode_rare[];
extern const unsigned decode_rare_count;

// The entry for an opcode that the maps don't have: `byte` (behind 0F if `two`), or what follows
// it. An entry without an operation if there is none. Moves *next behind what it looked at.
const struct opcode *decode_rare_opcode(const uint8_t **next, uint8_t byte, bool two,
                                        uint32_t *prefixes, enum decode_mode mode,
                                        struct insn *out);

// What the tables can't say in a flag, of F_SPECIAL entries. `opcode` is the last byte of the maps
// above.
enum status decode_special(struct insn *out, uint8_t opcode, uint32_t prefixes,
                           enum decode_mode mode);

#endif
