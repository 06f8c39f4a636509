// SPDX-License-Identifier: Apache-2.0
// The x87, SSE, AVX and further registers that XSAVE covers. They stay the guest's. Only this file
// loads all of them.
#ifndef ARCH_VIRT_VECTOR_STATE_H
#define ARCH_VIRT_VECTOR_STATE_H

// Sets all of them to their state after RESET (arch/virt/reset_state.h), including XCR0 and PKRU.
// On the guest's CPU, in an exit.
void vector_state_reset(void);

#endif
