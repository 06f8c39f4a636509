// SPDX-License-Identifier: Apache-2.0
// Data and I/O breakpoints of accesses that the hypervisor does for the guest: the processor checks
// only its own accesses. It finds instruction breakpoints itself, because it fetches before it
// exits.
#ifndef HV_EMULATE_BREAKPOINT_H
#define HV_EMULATE_BREAKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/cpu/register_bits.h"
#include "arch/virt/guest_cpu.h"

// The breakpoints that an access hits, as bits of DR6 (SDM vol. 3, 18.2.4 and 18.2.5). `size` is in
// bytes, 1 to 8. AMD's address masks are ignored.
uint64_t breakpoint_data(const struct guest_debug *d, uint64_t linear, unsigned size, bool write);
uint64_t breakpoint_port(const struct guest_debug *d, uint16_t port, unsigned size);

#endif
