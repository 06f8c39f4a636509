// SPDX-License-Identifier: Apache-2.0
// The parts of the decoder that a driver's instructions don't need: VEX, opcodes of three bytes,
// opcodes that a prefix selects, and what the tables can't express. Built for size.
#include "hv/emulate/decode_tables.h"

static const struct opcode unknown = {INSN_NONE, FORM_NONE, 0};

// Map, mandatory prefix and VEX of an opcode, in the format of decode_rare, and the fields of VEX.
struct rare_key {
    uint8_t key;
    uint8_t source2;
    bool wide; // L
    bool w;    // W
};

// Takes the rest of a VEX prefix (SDM vol. 2, 2.3.5) of two bytes (C5) or three. False if it is no
// VEX prefix, or if a prefix stands before it that is not allowed there.
static bool take_vex(const uint8_t **next, bool three, uint32_t *prefixes, enum decode_mode mode,
                     struct rare_key *out)
{
    unsigned first = *(*next)++;

    // Outside 64-bit mode these are LES and LDS, unless ModRM.mod would select a register.
    if ((mode != DECODE_64 && first < 0xc0) || (*prefixes & (P_REX | P_66 | P_REP | P_LOCK)))
        return false;
    unsigned second = three ? *(*next)++ : first & 0x7fu;
    out->key = (uint8_t)(RARE_VEX | (second & 3) << 2 | (three ? first & 0x1f : RARE_0F));
    if (three && (first & 0x1f) - 1 > RARE_0F3A - 1)
        return false;
    out->source2 = (uint8_t)(~second >> 3 & 15u);
    out->wide = second & 4;
    out->w = second & 0x80;
    if (mode != DECODE_64)
        return true;
    *prefixes |= 0x40;
    *prefixes |= (uint32_t)(first & 0x80 ? 0 : REX_R);
    if (three)
        *prefixes |= (uint32_t)((first & 0x40 ? 0 : REX_X) | (first & 0x20 ? 0 : REX_B));
    *prefixes |= (uint32_t)(out->w ? REX_W : 0);
    return true;
}

static bool rare_rules_hold(const struct rare_key *key, unsigned rules)
{
    if (!(key->key & RARE_VEX))
        return true;
    return !((rules & RARE_L0) && key->wide) && !((rules & RARE_L1) && !key->wide) &&
           !((rules & RARE_W0) && key->w) && ((rules & RARE_SECOND) || key->source2 == 0);
}

const struct opcode *decode_rare_opcode(const uint8_t **next, uint8_t byte, bool two,
                                        uint32_t *prefixes, enum decode_mode mode, struct insn *out)
{
    static const uint8_t mandatory[] = {[REP_NONE] = 0, [REP_F2] = RARE_F2, [REP_F3] = RARE_F3};
    struct rare_key key = {0};

    if (two) {
        unsigned rep = (*prefixes & P_REP) >> P_REP_SHIFT;

        key.key = RARE_LEGACY | RARE_0F;
        if (byte == 0x38 || byte == 0x3a) {
            key.key = (uint8_t)(RARE_LEGACY | (byte == 0x38 ? RARE_0F38 : RARE_0F3A));
            byte = *(*next)++;
        }
        key.key |= rep == REP_NONE && (*prefixes & P_66) ? RARE_66 : mandatory[rep];
    } else {
        if ((byte & 0xfe) != 0xc4 || !take_vex(next, byte == 0xc4, prefixes, mode, &key))
            return &unknown;
        byte = *(*next)++;
    }
    for (unsigned i = 0; i < decode_rare_count; i++) {
        const struct decode_rare *r = &decode_rare[i];

        if (r->opcode != byte || (r->key & key.key) != key.key || ((r->key ^ key.key) & 15) ||
            !rare_rules_hold(&key, r->rules))
            continue;
        out->row = (uint8_t)i;
        out->source2 = mode == DECODE_64 ? key.source2 : key.source2 & 7; // VEX.vvvv[3] is ignored
        out->vector = key.key & RARE_LEGACY ? 0 : key.wide && !(r->rules & RARE_SCALAR) ? 32 : 16;
        return &r->entry;
    }
    return &unknown;
}

// Moves from and to control and debug registers have 8 bytes in 64-bit mode and 4 otherwise,
// whatever the prefixes. Registers that don't exist are refused.
static enum status control_register_rule(struct insn *out, bool lock, enum decode_mode mode)
{
    out->operand_size = mode == DECODE_64 ? 8 : 4;
    out->mem_size = out->operand_size;
    if (out->op == INSN_MOV_FROM_DR || out->op == INSN_MOV_TO_DR)
        return out->reg < 8 ? STATUS_OK : ERR_INVALID;
    if (lock && out->reg == 0)
        out->reg = 8;
    if (!(BIT(out->reg) & (BIT(0) | BIT(2) | BIT(3) | BIT(4) | BIT(8))))
        return ERR_INVALID;
    return STATUS_OK;
}

// Sizes of instructions of decode_rare. Their register forms access no memory.
static enum status rare_rule(struct insn *out, uint32_t prefixes)
{
    unsigned size = decode_rare[out->row].size;
    unsigned by_w = prefixes & REX_W ? 8 : 4;

    if (!out->mem)
        return ERR_UNSUPPORTED;
    if (out->op == INSN_CRC32) { // the source may have 2 bytes
        out->mem_size = size ? 1 : out->operand_size;
        out->operand_size = (uint8_t)by_w;
        return STATUS_OK;
    }
    out->operand_size = (uint8_t)by_w;
    if (size == RARE_WHOLE)
        size = out->vector ? out->vector : 16;
    out->mem_size = (uint8_t)(size ? size : by_w);
    // F2 selects MOVDDUP, with elements of 8 bytes.
    if (out->op == INSN_VECTOR_EVEN || out->op == INSN_VECTOR_ODD)
        out->operand_size = (decode_rare[out->row].key & RARE_F2) == RARE_F2 ? 8 : 4;
    return STATUS_OK;
}

enum status decode_special(struct insn *out, uint8_t opcode, uint32_t prefixes,
                           enum decode_mode mode)
{
    if ((out->op >= INSN_ADCX && out->op < INSN_MOVS) || out->op == INSN_CRC32 ||
        out->op == INSN_RORX)
        return rare_rule(out, prefixes);
    switch (out->op) {
    case INSN_PUSH:
    case INSN_POP: // 8 bytes in 64-bit mode, or 2
        if (mode == DECODE_64 && out->operand_size == 4) {
            out->operand_size = 8;
            out->mem_size = 8;
        }
        return STATUS_OK;
    case INSN_CMOV:
    case INSN_SET:
        out->imm = opcode & 15;
        return STATUS_OK;
    case INSN_CMPXCHG8B:
        out->operand_size = out->operand_size == 8 ? 8 : 4;
        out->mem_size = (uint8_t)(2 * out->operand_size);
        return STATUS_OK;
    case INSN_SHLD:
    case INSN_SHRD:
        out->count_in_cl = opcode & 1;
        return STATUS_OK;
    case INSN_POPCNT:
        return out->rep == REP_F3 ? STATUS_OK : ERR_UNSUPPORTED;
    case INSN_BSF:
    case INSN_BSR:
        if (out->rep == REP_F3)
            out->op = out->op == INSN_BSF ? INSN_TZCNT : INSN_LZCNT;
        return STATUS_OK;
    case INSN_PAUSE: // without F3, 90 is NOP, or XCHG with r8
        return out->rep == REP_F3 ? STATUS_OK : ERR_UNSUPPORTED;
    case INSN_WBINVD:
        if (out->rep == REP_F3)
            out->op = INSN_WBNOINVD;
        return STATUS_OK;
    case INSN_INS:
    case INSN_STOS:
    case INSN_SCAS: // uses only rDI: always ES
        out->segment = SEG_ES;
        return STATUS_OK;
    case INSN_MOVSXD: // with prefix 66 it reads 4 bytes of memory and keeps 2
        out->mem_size = out->mem || out->operand_size != 2 ? 4 : 2;
        return STATUS_OK;
    case INSN_MOVNTI: // has no 16-bit form
        if (out->operand_size == 2) {
            out->operand_size = 4;
            out->mem_size = 4;
        }
        return STATUS_OK;
    default:
        if (out->op >= INSN_ROL && out->op <= INSN_SAR) {
            if ((opcode & 0x12) != 0x12) // D2 and D3: by CL
                out->form = FORM_RM_IMM;
            if (opcode & 0x10) // D0 and D1: by one
                out->imm = 1;
            return STATUS_OK;
        }
        return control_register_rule(out, prefixes & P_LOCK, mode);
    }
}
