// SPDX-License-Identifier: Apache-2.0
// Arithmetic and logic on numbers, with the flags that the processor leaves. Pure functions;
// internal to the emulator.
#ifndef HV_EMULATE_ALU_H
#define HV_EMULATE_ALU_H

#include <stdint.h>

#include "hv/emulate/decode.h"

// The result of a two-operand operation (INSN_ADD to INSN_TEST; `a` is the destination) on
// operands of `size` bytes, zero-extended; *rflags is updated. CMP and TEST return `a`: nothing is
// to be stored. Another operation returns `a` too, with the flags as they were.
uint64_t alu_binary(enum insn_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *rflags);

// The result of INC, DEC, NOT or NEG, likewise.
uint64_t alu_unary(enum insn_op op, uint64_t a, unsigned size, uint64_t *rflags);

// The result of BT, BTS, BTR or BTC on bit `bit` (taken modulo the size), likewise. BT returns `a`.
uint64_t alu_bit(enum insn_op op, uint64_t a, uint64_t bit, unsigned size, uint64_t *rflags);

#endif
