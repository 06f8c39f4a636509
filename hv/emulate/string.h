// SPDX-License-Identifier: Apache-2.0
// What all string instructions share: the repeat count, the direction, pointer registers that wrap
// at the address size. Also the string instructions that access a device page. Internal to the
// emulator.
#ifndef HV_EMULATE_STRING_H
#define HV_EMULATE_STRING_H

#include "hv/emulate/emulate.h"

// The number of iterations left; 1 without REP.
uint64_t string_count(const struct emulate_context *c, const struct insn *insn);

// An operand in memory.
struct string_operand {
    struct guest_span span;
    uint64_t linear;
};

// Finds the operand that a pointer register addresses. Errors of emulate_linear() and
// guest_span_walk(): ERR_FAULT with c->exception.
enum status string_operand(struct emulate_context *c, const struct insn *insn, unsigned reg,
                           unsigned segment, bool write, struct string_operand *out);

// Moves a pointer register to the next element.
void string_move(struct emulate_context *c, const struct insn *insn, unsigned reg);

// Ends an iteration: counts it, and moves rip if it was the last. True if it was.
bool string_end_iteration(struct emulate_context *c, const struct insn *insn);

// One iteration of MOVS, CMPS, STOS, LODS or SCAS; as emulate_mmio().
enum status emulate_string_mmio(struct emulate_context *c, const struct insn *insn, gpa_t address);

#endif
