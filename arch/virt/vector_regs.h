// SPDX-License-Identifier: Apache-2.0
// The one place where the hypervisor touches vector registers. They stay the guest's over an exit,
// and so does XCR0; the hypervisor is built without the use of them. Each function opens the
// registers in its own CR0 and CR4, moves one of them, and closes them. The guest's CPU, in an
// exit; the caller has found that the guest itself may use them.
#ifndef ARCH_VIRT_VECTOR_REGS_H
#define ARCH_VIRT_VECTOR_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/types.h"

struct vector_value {
    uint8_t byte[32]; // an XMM register, or a YMM register
};

// Whether XCR0 enables the wide registers. Only where the guest's CR4.OSXSAVE says that there is
// XCR0.
bool vector_wide_enabled(void);

// Registers 0 to 15. Not `wide`: the low 16 bytes, and the rest of the register stays as it is.
void vector_read(unsigned reg, bool wide, struct vector_value *out);
void vector_write(unsigned reg, bool wide, const struct vector_value *in);

// Converts a signed integer of `size` bytes (4 or 8) to a number of 4 or 8 bytes (`to_double`), as
// the guest's MXCSR says, and notes the exceptions there. False: it is one that MXCSR doesn't mask.
bool vector_convert(uint64_t value, unsigned size, bool to_double, uint64_t *out);

#endif
