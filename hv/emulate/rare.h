// SPDX-License-Identifier: Apache-2.0
// Instructions with an operand in a device page that drivers seldom use but compilers generate.
// Internal to the emulator.
#ifndef HV_EMULATE_RARE_H
#define HV_EMULATE_RARE_H

#include "hv/emulate/emulate.h"

// Executes INSN_POP, or one of INSN_PUSH to INSN_VECTOR_EXTRACT, without moving rip. `address` is
// where the operand is. Errors as emulate_mmio().
enum status emulate_rare(struct emulate_context *c, const struct insn *insn, gpa_t address);

// The same for INSN_VECTOR_LOAD to INSN_VECTOR_EXTRACT.
enum status emulate_vector(struct emulate_context *c, const struct insn *insn, gpa_t address);

// Makes c->exception an exception without error code. Returns ERR_FAULT.
enum status emulate_exception(struct emulate_context *c, uint8_t vector);

// Access `size` bytes (1 to 32) of a device. The device's side takes at most 8 bytes, so more bytes
// go in parts, the lowest first.
enum status emulate_mmio_read_wide(struct emulate_context *c, gpa_t address, unsigned size,
                                   void *value);
enum status emulate_mmio_write_wide(struct emulate_context *c, gpa_t address, unsigned size,
                                    const void *value);

#endif
