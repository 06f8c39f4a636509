// SPDX-License-Identifier: Apache-2.0
// The opcode maps of the decoder: what each known opcode is, and which bytes follow it. An opcode
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

// All prefixes in one word, so that one test shows that there are none. The lowest byte is the REX
// byte itself (40 to 4F).
#define P_REX       0xffu
#define P_66        (1u << 8)
#define P_67        (1u << 9)
#define P_REP_SHIFT 10 // enum insn_rep
#define P_REP       (3u << P_REP_SHIFT)
#define P_LOCK      (1u << 12)
#define P_SEG_SHIFT 13 // enum insn_segment
#define P_SEG       (7u << P_SEG_SHIFT)
#define P_OVERRIDE  (1u << 16)

// What an opcode needs in addition to its operation and form.
#define F_MODRM   BIT(0)  // a ModRM byte follows
#define F_BYTE    BIT(1)  // operands are bytes
#define F_IMM8    BIT(2)  // one immediate byte, sign-extended
#define F_IMM     BIT(3)  // an immediate of the operand size, but at most 4 bytes
#define F_LOCK    BIT(4)  // LOCK is legal with a destination in memory
#define F_MEM     BIT(5)  // #UD with a register
#define F_NO_66   BIT(6)  // with prefix 66 it is another instruction, or none
#define F_NO_REP  BIT(7)  // the same for F2 or F3
#define F_ONLY_64 BIT(8)  // another instruction outside 64-bit mode
#define F_NOT_64  BIT(9)  // #UD in 64-bit mode
#define F_MOFFS   BIT(10) // an absolute address follows, the register is rAX
#define F_GROUP   BIT(11) // `op` is an enum decode_group: ModRM.reg selects the entry
#define F_EXTEND  BIT(12) // the source is narrower: 1 byte, or 2 for an odd opcode
#define F_SPECIAL BIT(13) // decode_special() has a rule for it
#define F_MAX_4   BIT(14) // REX.W does not make the operand 8 bytes wide
#define F_REG     BIT(15) // r/m is a register, whatever ModRM.mod says

struct opcode {
    uint8_t op;     // enum insn_op; INSN_NONE: not known
    uint8_t form;   // enum insn_form
    uint16_t flags; // F_*
};

// Special values instead of an operation, in the one-byte map.
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
// those with VEX. They are rare, so a linear search is enough.
#define RARE_0F     1u
#define RARE_0F38   2u
#define RARE_0F3A   3u
#define RARE_66     (1u << 2) // the mandatory prefix, as VEX encodes it
#define RARE_F3     (2u << 2)
#define RARE_F2     (3u << 2)
#define RARE_LEGACY BIT(4) // without VEX
#define RARE_VEX    BIT(5) // with it
#define RARE_L0     BIT(0) // VEX.L must be 0
#define RARE_L1     BIT(1) // VEX.L must be 1
#define RARE_W0     BIT(2) // VEX.W must be 0
#define RARE_SECOND BIT(3) // VEX.vvvv is an operand
#define RARE_SCALAR BIT(4) // VEX.L is ignored
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

// Finds the entry for an opcode that the maps don't have: `byte` (after 0F if `two`), or the byte
// that follows it. Returns an entry without an operation if there is none. Moves *next past the
// bytes that it read.
const struct opcode *decode_rare_opcode(const uint8_t **next, uint8_t byte, bool two,
                                        uint32_t *prefixes, enum decode_mode mode,
                                        struct insn *out);

// Applies the rules for F_SPECIAL entries, which no flag can express. `opcode` is the last byte
// looked up in the maps above.
enum status decode_special(struct insn *out, uint8_t opcode, uint32_t prefixes,
                           enum decode_mode mode);

#endif
