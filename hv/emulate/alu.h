// SPDX-License-Identifier: Apache-2.0
// Arithmetic and logic on numbers, with the flags that the processor leaves. Pure functions;
// internal to the emulator.
#ifndef HV_EMULATE_ALU_H
#define HV_EMULATE_ALU_H

#include <stdint.h>

#include "hv/emulate/decode.h"

// The result of a two-operand operation (INSN_ADD to INSN_TEST; `a` is the destination) on operands
// of `size` bytes, zero-extended. Updates *rflags. CMP and TEST return `a`, because they store
// nothing. Any other operation returns `a` too and leaves the flags unchanged.
uint64_t alu_binary(enum insn_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *rflags);

// The result of INC, DEC, NOT or NEG; otherwise like alu_binary().
uint64_t alu_unary(enum insn_op op, uint64_t a, unsigned size, uint64_t *rflags);

// The result of BT, BTS, BTR or BTC on bit `bit` (modulo the operand's bits); otherwise like
// alu_binary(). BT returns `a`.
uint64_t alu_bit(enum insn_op op, uint64_t a, uint64_t bit, unsigned size, uint64_t *rflags);

#endif
