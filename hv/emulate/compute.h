// SPDX-License-Identifier: Apache-2.0
// Lets the processor compute what it knows best: products, quotients, shifts, bit counts. The
// result and every flag, the undefined ones too, are so those of the processor that the guest runs
// on. Internal to the emulator.
#ifndef HV_EMULATE_COMPUTE_H
#define HV_EMULATE_COMPUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/emulate/decode.h"

// Registers of the computation, which are those of the instruction where it implies some.
struct computation {
    uint64_t rax;    // the first operand, and the result
    uint64_t rdx;    // the third operand
    uint64_t rcx;    // the second operand, or the count
    uint64_t rflags; // status flags before and after
};

// Computes `op`, one of INSN_MUL to INSN_SHRX, with operands of `size` bytes. False if this
// processor has no such instruction, and for a quotient that does not fit (or a divisor of 0):
// nothing was computed then.
bool compute(enum insn_op op, unsigned size, struct computation *c);

#endif
