// SPDX-License-Identifier: Apache-2.0
// The x87, SSE, AVX and further registers that XSAVE covers. They stay the guest's; here is the one
// place that loads them.
#ifndef ARCH_VIRT_VECTOR_STATE_H
#define ARCH_VIRT_VECTOR_STATE_H

// All of them as after RESET (arch/virt/reset_state.h), XCR0 and PKRU too. On the guest's CPU, in
// an exit.
void vector_state_reset(void);

#endif
