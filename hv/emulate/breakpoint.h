// SPDX-License-Identifier: Apache-2.0
// The guest's debug registers, where an access is done for it: the processor looks for breakpoints
// only in what it does itself. Instruction breakpoints are always its own to find, since it fetches
// before it exits.
#ifndef HV_EMULATE_BREAKPOINT_H
#define HV_EMULATE_BREAKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/cpu/register_bits.h"
#include "arch/virt/guest_cpu.h"

// Those that an access meets, as bits of DR6 (SDM vol. 3, 18.2.4 and 18.2.5). `size` is in bytes,
// 1 to 8. AMD's address masks are not looked at.
uint64_t breakpoint_data(const struct guest_debug *d, uint64_t linear, unsigned size, bool write);
uint64_t breakpoint_port(const struct guest_debug *d, uint16_t port, unsigned size);

#endif
