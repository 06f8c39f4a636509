// SPDX-License-Identifier: Apache-2.0
// Decodes prefixes, opcode, ModRM and immediates, in the order of the bytes. This runs on every
// trapped access to a device page, so it reads each byte once. It copies the bytes into a buffer
// that ends in zeros, reads from there without checks, and checks at the end whether there were
// enough bytes. A zero is no prefix, so reads can't pass the end of the buffer.
#include "hv/emulate/decode.h"

#include "arch/lib/types.h"
#include "arch/virt/guest_regs.h"
#include "hv/emulate/decode_tables.h"

// Not needed for the plain MOV that drivers use. Out of line, so that the compiler has its
// registers for that.
#define RARE __attribute__((noinline, cold))

// 15 bytes, and what the last of them may announce: at most 8 bytes of address, or of displacement
// and immediate.
#define BUFFER_SIZE 32

// Operand and address sizes in bytes, by mode, and by the prefixes 66 (bit 0) and 67 (bit 1).
static const struct {
    uint8_t operand;
    uint8_t address;
} sizes[3][4] = {
    {{2, 2}, {4, 2}, {2, 4}, {4, 4}}, // 16 bit
    {{4, 4}, {2, 4}, {4, 2}, {2, 2}}, // 32 bit
    {{4, 8}, {2, 8}, {4, 4}, {2, 4}}, // 64 bit
};

// Little-endian numbers of 1, 2, 4 or 8 bytes, sign-extended.
static inline int64_t number(const uint8_t *b, unsigned size)
{
    uint32_t low, high;

    if (size == 1)
        return (int8_t)b[0];
    if (size == 2)
        return (int16_t)(b[0] | b[1] << 8);
    low = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    if (size == 4)
        return (int32_t)low;
    high = b[4] | (uint32_t)b[5] << 8 | (uint32_t)b[6] << 16 | (uint32_t)b[7] << 24;
    return (int64_t)((uint64_t)high << 32 | low);
}

// Adds a prefix to those seen so far. Clears REX, which counts only directly before the opcode. Of
// several prefixes of one kind the last counts.
static RARE uint32_t add_prefix(uint32_t prefixes, uint8_t byte, enum decode_mode mode)
{
    prefixes &= ~P_REX;
    switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
        // ES, CS, SS and DS overrides are ignored in 64-bit mode.
        if (mode == DECODE_64)
            return prefixes;
        prefixes &= ~P_SEG;
        return prefixes | (uint32_t)((byte >> 3) & 3) << P_SEG_SHIFT | P_OVERRIDE;
    case 0x64:
    case 0x65:
        prefixes &= ~P_SEG;
        return prefixes | (SEG_FS + (byte & 1u)) << P_SEG_SHIFT | P_OVERRIDE;
    case 0x66:
        return prefixes | P_66;
    case 0x67:
        return prefixes | P_67;
    case 0xf0:
        return prefixes | P_LOCK;
    case 0xf2:
        return (prefixes & ~P_REP) | (unsigned)REP_F2 << P_REP_SHIFT;
    default: // F3
        return (prefixes & ~P_REP) | (unsigned)REP_F3 << P_REP_SHIFT;
    }
}

// Base and index registers of ModRM.rm with 16-bit addressing.
static const uint8_t base_16[8] = {GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
                                   GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX};
static const uint8_t index_16[4] = {GPR_RSI, GPR_RDI, GPR_RSI, GPR_RDI};

// Takes the address of a ModRM byte in 16-bit addressing, and its default segment.
static RARE const uint8_t *take_address_16(const uint8_t *next, uint8_t modrm, struct insn *out)
{
    unsigned disp_size = modrm >> 6;
    unsigned rm = modrm & 7;

    out->base = base_16[rm];
    if (rm < 4)
        out->index = index_16[rm];
    if ((modrm & 0xc7) == 6) {
        out->base = INSN_NO_REG;
        disp_size = 2;
    }
    if (out->base == GPR_RBP)
        out->segment = SEG_SS;
    if (disp_size != 0)
        out->disp = number(next, disp_size);
    return next + disp_size;
}

static inline const uint8_t *take_address(const uint8_t *next, unsigned modrm, uint32_t prefixes,
                                          bool long_mode, struct insn *out)
{
    unsigned mod = modrm >> 6;
    unsigned base = modrm & 7;
    bool sib = base == 4;

    if (sib) {
        unsigned byte = *next++;
        unsigned index = ((byte >> 3) & 7u) | (prefixes & REX_X ? 8u : 0u);

        base = byte & 7;
        if (index != GPR_RSP) {
            out->index = (uint8_t)index;
            out->scale = (uint8_t)(byte >> 6);
        }
    }
    if (base == 5 && mod == 0) {
        out->rip_relative = long_mode && !sib;
        mod = 2;
    } else {
        base |= prefixes & REX_B ? 8u : 0u;
        out->base = (uint8_t)base;
        // RSP and RBP use the stack segment; R12 and R13 don't.
        if (base == GPR_RSP || base == GPR_RBP)
            out->segment = SEG_SS;
    }
    if (mod == 0)
        return next;
    if (mod == 1) {
        out->disp = (int8_t)*next;
        return next + 1;
    }
    out->disp = number(next, 4);
    return next + 4;
}

// Without REX the byte registers 4 to 7 are AH, CH, DH, BH.
static inline uint8_t byte_register(uint8_t reg, uint32_t prefixes, bool *high)
{
    if (reg < 4 || (prefixes & P_REX))
        return reg;
    *high = true;
    return (uint8_t)(reg - 4);
}

// With LOCK, MOV of CR0 accesses CR8 on AMD, which needs no REX (AMD APM volume 3, MOV CRn).
static bool lock_selects_cr8(const struct insn *insn)
{
    return (insn->op == INSN_MOV_FROM_CR || insn->op == INSN_MOV_TO_CR) && insn->reg == 8;
}

// Whether the opcode, with these prefixes in this mode, is what the table says.
static RARE enum status check_prefixes(unsigned flags, uint32_t prefixes, enum decode_mode mode)
{
    if (((flags & F_NO_66) && (prefixes & P_66)) || ((flags & F_NO_REP) && (prefixes & P_REP)))
        return ERR_UNSUPPORTED;
    if ((flags & F_ONLY_64) && mode != DECODE_64)
        return ERR_UNSUPPORTED;
    if ((flags & F_NOT_64) && mode == DECODE_64)
        return ERR_INVALID;
    return STATUS_OK;
}

// Takes the operands that ModRM names.
static inline const uint8_t *take_operands(const uint8_t *next, unsigned modrm, unsigned flags,
                                           uint32_t prefixes, enum decode_mode mode,
                                           struct insn *out)
{
    out->reg = (uint8_t)(((modrm >> 3) & 7u) | (prefixes & REX_R ? 8u : 0u));
    if (flags & F_BYTE)
        out->reg = byte_register(out->reg, prefixes, &out->reg_high);
    if (modrm >= 0xc0 || (flags & F_REG)) {
        out->rm = (uint8_t)((modrm & 7u) | (prefixes & REX_B ? 8u : 0u));
        if (out->mem_size == 1)
            out->rm = byte_register(out->rm, prefixes, &out->rm_high);
        return next;
    }
    out->mem = true;
    if (out->address_size == 2)
        return take_address_16(next, (uint8_t)modrm, out);
    return take_address(next, modrm, prefixes, mode == DECODE_64, out);
}

// Takes the operand of A0 to A3: an address of the address size instead of ModRM.
static RARE const uint8_t *take_absolute(const uint8_t *next, struct insn *out)
{
    unsigned size = out->address_size;

    out->mem = true;
    out->disp = (int64_t)((uint64_t)number(next, size) & size_mask(size));
    return next + size;
}

static inline const uint8_t *take_immediate(const uint8_t *next, unsigned flags, struct insn *out)
{
    if ((flags & F_IMM8) || out->operand_size == 1) {
        out->imm = out->form == FORM_PORT ? *next : (int8_t)*next;
        return next + 1;
    }
    if (out->operand_size == 2) {
        out->imm = number(next, 2);
        return next + 2;
    }
    out->imm = number(next, 4);
    return next + 4;
}

// Applies segment overrides and LOCK, when the operands are known.
static RARE enum status apply_prefixes(unsigned flags, uint32_t prefixes, struct insn *out)
{
    if ((prefixes & P_OVERRIDE) && out->segment != SEG_ES)
        out->segment = (uint8_t)((prefixes & P_SEG) >> P_SEG_SHIFT);
    if (!(prefixes & P_LOCK))
        return STATUS_OK;
    out->lock = true;
    if ((flags & F_LOCK) && out->mem)
        return STATUS_OK;
    return lock_selects_cr8(out) ? STATUS_OK : ERR_INVALID;
}

// Decodes from the padded buffer. Moves *position past every byte that was read, whatever the
// result.
static inline enum status decode_padded(const uint8_t **position, enum decode_mode mode,
                                        struct insn *out)
{
    const uint8_t *next = *position;
    const struct opcode *entry;
    uint32_t prefixes = 0;
    unsigned modrm = 0;
    unsigned flags;
    uint8_t byte;
    enum status status = STATUS_OK;

    for (;;) {
        byte = *next++;
        entry = &decode_one_byte[byte];
        if (entry->op < OPCODE_REX)
            break;
        if (entry->op == OPCODE_PREFIX)
            prefixes = add_prefix(prefixes, byte, mode);
        else if (mode == DECODE_64)
            prefixes = (prefixes & ~P_REX) | byte;
        else
            break;
    }
    if (byte == 0x0f) {
        byte = *next++;
        entry = &decode_two_byte[byte];
        if (entry->op == INSN_NONE)
            entry = decode_rare_opcode(&next, byte, true, &prefixes, mode, out);
    } else if (entry->op == INSN_NONE) {
        entry = decode_rare_opcode(&next, byte, false, &prefixes, mode, out);
    }
    flags = entry->flags;
    if (flags & F_MODRM) {
        modrm = *next++;
        if (flags & F_GROUP) {
            // ModRM.reg selects the instruction. The opcode's own flags (sizes) stay in force.
            if (entry->op == GROUP_7 && modrm >= 0xc0)
                entry = &decode_group_7_register[modrm & 0x3f];
            else
                entry = &decode_groups[entry->op][(modrm >> 3) & 7];
            flags |= entry->flags;
        }
    }
    *position = next;
    if (entry->op == INSN_NONE || entry->op >= OPCODE_REX)
        return ERR_UNSUPPORTED;

    out->op = entry->op;
    out->form = entry->form;
    out->operand_size = sizes[mode >> 5][(prefixes >> 8) & 3].operand;
    if (flags & F_BYTE)
        out->operand_size = 1;
    else if (prefixes & REX_W)
        out->operand_size = flags & F_MAX_4 ? 4 : 8;
    out->mem_size = out->operand_size;
    out->address_size = sizes[mode >> 5][(prefixes >> 8) & 3].address;
    out->rep = (uint8_t)((prefixes & P_REP) >> P_REP_SHIFT);
    out->lock = false;
    out->reg = GPR_RAX;
    out->reg_high = false;
    out->mem = false;
    out->rm = GPR_RAX;
    out->rm_high = false;
    out->rip_relative = false;
    out->segment = SEG_DS;
    out->base = INSN_NO_REG;
    out->index = INSN_NO_REG;
    out->scale = 0;
    out->disp = 0;
    out->imm = 0;

    if (flags & (F_NO_66 | F_NO_REP | F_ONLY_64 | F_NOT_64 | F_EXTEND)) {
        status = check_prefixes(flags, prefixes, mode);
        if (status != STATUS_OK)
            return status;
        if (flags & F_EXTEND)
            out->mem_size = byte & 1 ? 2 : 1;
    }
    if (flags & F_MODRM)
        next = take_operands(next, modrm, flags, prefixes, mode, out);
    if (flags & (F_MOFFS | F_IMM8 | F_IMM | F_SPECIAL | F_MEM)) {
        if (flags & F_MOFFS)
            next = take_absolute(next, out);
        if (flags & (F_IMM8 | F_IMM))
            next = take_immediate(next, flags, out);
        if (flags & F_SPECIAL)
            status = decode_special(out, byte, prefixes, mode);
        if ((flags & F_MEM) && !out->mem)
            status = ERR_INVALID;
    }
    *position = next;
    if ((prefixes & (P_LOCK | P_OVERRIDE)) && status == STATUS_OK)
        status = apply_prefixes(flags, prefixes, out);
    return status;
}

enum status decode(const uint8_t *bytes, size_t available, enum decode_mode mode, struct insn *out)
{
    uint8_t buffer[BUFFER_SIZE];
    const uint8_t *next = buffer;
    enum status status;
    size_t length;

    // The compiler makes this copy a few moves; the loop below is slower.
    if (available >= INSN_MAX_LENGTH) {
        available = INSN_MAX_LENGTH;
        __builtin_memcpy(buffer, bytes, INSN_MAX_LENGTH);
        __builtin_memset(buffer + INSN_MAX_LENGTH, 0, BUFFER_SIZE - INSN_MAX_LENGTH);
    } else {
        __builtin_memset(buffer, 0, BUFFER_SIZE);
        for (size_t i = 0; i < available; i++)
            buffer[i] = bytes[i];
    }
    status = decode_padded(&next, mode, out);
    length = (size_t)(next - buffer);
    out->length = (uint8_t)length;
    if (length > available)
        return available < INSN_MAX_LENGTH ? ERR_TRUNCATED : ERR_INVALID;
    return status;
}
