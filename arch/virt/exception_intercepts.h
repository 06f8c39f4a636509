// SPDX-License-Identifier: Apache-2.0
// A guest's exceptions that the hypervisor sees first, on both vendors. Has no privileged
// instruction, so it is tested on the host.
#ifndef ARCH_VIRT_EXCEPTION_INTERCEPTS_H
#define ARCH_VIRT_EXCEPTION_INTERCEPTS_H

#include <stdint.h>

struct exception_intercept {
    unsigned vector;
    const char *name;
    const char *reason;
};

// The table; also read by tests and for printing.
const struct exception_intercept *exception_intercepts(unsigned *count);

// The table as a mask for the VMCB and VMCS: bit n for vector n.
uint32_t exception_intercept_mask(void);

#endif
