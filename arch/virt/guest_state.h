// SPDX-License-Identifier: Apache-2.0
// The processor state that neither VMRUN nor VM entry swaps. It stays the guest's, because the
// hypervisor does not use it.
#ifndef ARCH_VIRT_GUEST_STATE_H
#define ARCH_VIRT_GUEST_STATE_H

#include "arch/virt/guest_cpu.h"

// Sets that state as RESET does, or with `init` as INIT does, by the table of
// arch/virt/reset_state.h. `held`: RESET_IN_... of the control block that the back end fills
// itself. On the guest's CPU, in an exit.
void guest_state_reset(uint8_t held, bool init);

// The guest's breakpoints. Reads DR0 to DR3 from the CPU. On the guest's CPU, in an exit.
void guest_debug_read(struct guest_debug *out, uint64_t dr7, uint64_t cr4);

#endif
