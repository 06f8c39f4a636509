// SPDX-License-Identifier: Apache-2.0
// Lets the processor compute products, quotients, shifts and bit counts. So the result and every
// flag, even an undefined one, are those of the processor that the guest runs on. Internal to the
// emulator.
#ifndef HV_EMULATE_COMPUTE_H
#define HV_EMULATE_COMPUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/emulate/decode.h"

// Registers of the computation: those that the instruction itself uses, if it implies some.
struct computation {
    uint64_t rax;    // the first operand, and the result
    uint64_t rdx;    // the third operand
    uint64_t rcx;    // the second operand, or the count
    uint64_t rflags; // status flags before and after
};

// Computes `op`, one of INSN_MUL to INSN_SHRX, with operands of `size` bytes. False if this
// processor has no such instruction, if the quotient doesn't fit, or if the divisor is 0: then
// nothing was computed.
bool compute(enum insn_op op, unsigned size, struct computation *c);

// Whether DIV or IDIV of rDX and rAX (AX alone for 1 byte) by rCX raises #DE.

#endif
