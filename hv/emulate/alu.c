// SPDX-License-Identifier: Apache-2.0
// Results and flags (AMD APM volume 3, each instruction's page; Intel SDM volume 1, 3.4.3). Flags
// that the manuals leave undefined are set as processors do: logic clears AF, a bit test changes
// only CF.
#include "hv/emulate/alu.h"

#include "arch/cpu/register_bits.h"
#include "arch/virt/guest_regs.h"

#define STATUS_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

// ZF, SF and PF of a result.
static uint64_t result_flags(uint64_t result, unsigned size)
{
    uint64_t flags = 0;
    unsigned parity = (unsigned)(result & 0xff);

    parity ^= parity >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    if (!(parity & 1))
        flags |= RFLAGS_PF;
    if (result == 0)
        flags |= RFLAGS_ZF;
    if (result >> (8 * size - 1) & 1)
        flags |= RFLAGS_SF;
    return flags;
}

// CF, AF and OF from the carries out of (or borrows into) each bit.
static uint64_t carry_flags(uint64_t carries, uint64_t overflow, unsigned size)
{
    unsigned top = 8 * size - 1;
    uint64_t flags = 0;

    if (carries >> top & 1)
        flags |= RFLAGS_CF;
    if (carries >> 3 & 1)
        flags |= RFLAGS_AF;
    if (overflow >> top & 1)
        flags |= RFLAGS_OF;
    return flags;
}

static uint64_t add(uint64_t a, uint64_t b, uint64_t carry, unsigned size, uint64_t *flags)
{
    uint64_t sum = (a + b + carry) & size_mask(size);

    *flags = carry_flags((a & b) | ((a | b) & ~sum), (a ^ sum) & (b ^ sum), size);
    *flags |= result_flags(sum, size);
    return sum;
}

static uint64_t subtract(uint64_t a, uint64_t b, uint64_t borrow, unsigned size, uint64_t *flags)
{
    uint64_t difference = (a - b - borrow) & size_mask(size);

    *flags = carry_flags((~a & b) | ((~a | b) & difference), (a ^ b) & (a ^ difference), size);
    *flags |= result_flags(difference, size);
    return difference;
}

uint64_t alu_binary(enum insn_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *rflags)
{
    uint64_t carry = *rflags & RFLAGS_CF;
    uint64_t result;
    uint64_t flags;

    switch (op) {
    case INSN_ADD:
        result = add(a, b, 0, size, &flags);
        break;
    case INSN_ADC:
        result = add(a, b, carry, size, &flags);
        break;
    case INSN_SUB:
        result = subtract(a, b, 0, size, &flags);
        break;
    case INSN_SBB:
        result = subtract(a, b, carry, size, &flags);
        break;
    case INSN_CMP:
        subtract(a, b, 0, size, &flags);
        result = a;
        break;
    case INSN_AND:
        result = a & b;
        flags = result_flags(result, size);
        break;
    case INSN_OR:
        result = a | b;
        flags = result_flags(result, size);
        break;
    case INSN_XOR:
        result = a ^ b;
        flags = result_flags(result, size);
        break;
    case INSN_TEST:
        flags = result_flags(a & b, size);
        result = a;
        break;
    default:
        return a;
    }
    *rflags = (*rflags & ~STATUS_FLAGS) | flags;
    return result;
}

uint64_t alu_unary(enum insn_op op, uint64_t a, unsigned size, uint64_t *rflags)
{
    uint64_t result;
    uint64_t flags;
    uint64_t keep = ~STATUS_FLAGS;

    switch (op) {
    case INSN_INC:
        result = add(a, 1, 0, size, &flags);
        keep |= RFLAGS_CF;
        break;
    case INSN_DEC:
        result = subtract(a, 1, 0, size, &flags);
        keep |= RFLAGS_CF;
        break;
    case INSN_NEG:
        result = subtract(0, a, 0, size, &flags);
        break;
    case INSN_NOT: // changes no flag
        return ~a & size_mask(size);
    default:
        return a;
    }
    *rflags = (*rflags & keep) | (flags & ~keep);
    return result;
}

uint64_t alu_bit(enum insn_op op, uint64_t a, uint64_t bit, unsigned size, uint64_t *rflags)
{
    uint64_t mask = BIT(bit & (8 * size - 1));

    *rflags = a & mask ? *rflags | RFLAGS_CF : *rflags & ~RFLAGS_CF;
    switch (op) {
    case INSN_BTS:
        return a | mask;
    case INSN_BTR:
        return a & ~mask;
    case INSN_BTC:
        return a ^ mask;
    default:
        return a;
    }
}
