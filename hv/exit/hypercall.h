// SPDX-License-Identifier: Apache-2.0
// Calls from a guest to the hypervisor: VMMCALL or VMCALL with the number in RAX, the result in
// RAX.
#ifndef HV_EXIT_HYPERCALL_H
#define HV_EXIT_HYPERCALL_H

#include <stdint.h>

// There is no call of that number.
#define HYPERCALL_UNKNOWN (~0ull)

#endif
