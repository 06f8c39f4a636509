// SPDX-License-Identifier: Apache-2.0
// The only place where the hypervisor touches single vector registers. These and XCR0 stay the
// guest's over an exit; the hypervisor is built without using them. Each function enables the
// registers in its own CR0 and CR4, moves one of them, and restores CR0 and CR4. On the guest's
// CPU, in an exit, after the caller has checked that the guest itself may use them.
#ifndef ARCH_VIRT_VECTOR_REGS_H
#define ARCH_VIRT_VECTOR_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/types.h"

struct vector_value {
    uint8_t byte[32]; // an XMM register, or a YMM register
};

// Whether XCR0 enables the wide registers. Only if the guest's CR4.OSXSAVE is set, so that XCR0
// exists.
bool vector_wide_enabled(void);

// Registers 0 to 15. Without `wide` only the low 16 bytes; the rest of the register is unchanged.
void vector_read(unsigned reg, bool wide, struct vector_value *out);
void vector_write(unsigned reg, bool wide, const struct vector_value *in);

// Converts a signed integer of `size` bytes (4 or 8) to a single (4 bytes) or, with `to_double`, a
// double. Rounds by the guest's MXCSR and sets its exception flags. False: an exception that MXCSR
// does not mask.
bool vector_convert(uint64_t value, unsigned size, bool to_double, uint64_t *out);

#endif
