// SPDX-License-Identifier: Apache-2.0
// Exceptions of a guest that the hypervisor sees first, on either vendor. No privileged
// instruction: tested on the host.
#ifndef ARCH_VIRT_EXCEPTION_INTERCEPTS_H
#define ARCH_VIRT_EXCEPTION_INTERCEPTS_H

#include <stdint.h>

struct exception_intercept {
    unsigned vector;
    const char *name;
    const char *reason;
};

// The table, for tests and for printing it.
const struct exception_intercept *exception_intercepts(unsigned *count);

// The same as a mask: bit n for vector n, as VMCB and VMCS want it.
uint32_t exception_intercept_mask(void);

#endif
