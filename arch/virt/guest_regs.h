// SPDX-License-Identifier: Apache-2.0
// A guest's general registers, in x86's numbering. The assembly of the exit path fills exactly this
// frame, so the layout is fixed. Relies on nothing.
#ifndef ARCH_VIRT_GUEST_REGS_H
#define ARCH_VIRT_GUEST_REGS_H

#include <stdbool.h>
#include <stdint.h>

enum guest_gpr {
    GPR_RAX,
    GPR_RCX,
    GPR_RDX,
    GPR_RBX,
    GPR_RSP,
    GPR_RBP,
    GPR_RSI,
    GPR_RDI,
    GPR_R8,
    GPR_R15 = 15,
    GPR_COUNT = 16,
};

struct guest_regs {
    uint64_t r[GPR_COUNT];
};

_Static_assert(sizeof(struct guest_regs) == 128, "the exit path's assembly stores 16 quadwords");

// All bits of an operand of `size` bytes (1, 2, 4 or 8).
static inline uint64_t size_mask(unsigned size)
{
    return ~0ull >> (64 - 8 * size);
}

// The low `size` bytes (1, 2, 4 or 8) of a register, zero-extended. With `high` (and size 1) the
// numbers 0 to 3 name AH, CH, DH and BH.
static inline uint64_t guest_reg_read(const struct guest_regs *regs, unsigned reg, unsigned size,
                                      bool high)
{
    return (high ? regs->r[reg] >> 8 : regs->r[reg]) & size_mask(size);
}

// Writes a register like an instruction of that operand size: 32 bits clear the upper half, 8 and
// 16 bits leave the other bits unchanged.
static inline void guest_reg_write(struct guest_regs *regs, unsigned reg, unsigned size, bool high,
                                   uint64_t value)
{
    uint64_t mask = size_mask(size);
    unsigned shift = high ? 8 : 0;

    if (size >= 4)
        regs->r[reg] = value & mask;
    else
        regs->r[reg] = (regs->r[reg] & ~(mask << shift)) | (value & mask) << shift;
}

#endif
