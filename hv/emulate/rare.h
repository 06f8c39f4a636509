// SPDX-License-Identifier: Apache-2.0
// The instructions with an operand in a device page that drivers seldom have, but compilers make.
// Internal to the emulator.
#ifndef HV_EMULATE_RARE_H
#define HV_EMULATE_RARE_H

#include "hv/emulate/emulate.h"

// Executes INSN_POP, or one of INSN_PUSH to INSN_VECTOR_EXTRACT, apart from moving rip on. The
// operand has been found to be at `address`. As emulate_mmio().
enum status emulate_rare(struct emulate_context *c, const struct insn *insn, gpa_t address);

// The same for INSN_VECTOR_LOAD to INSN_VECTOR_EXTRACT alone.
enum status emulate_vector(struct emulate_context *c, const struct insn *insn, gpa_t address);

// Makes c->exception one without an error code; returns ERR_FAULT.
enum status emulate_exception(struct emulate_context *c, uint8_t vector);

// What the device's side takes is at most 8 bytes: more go in parts, from the lowest on, `size` 1
// to 32.
enum status emulate_mmio_read_wide(struct emulate_context *c, gpa_t address, unsigned size,
                                   void *value);
enum status emulate_mmio_write_wide(struct emulate_context *c, gpa_t address, unsigned size,
                                    const void *value);

#endif
