// SPDX-License-Identifier: Apache-2.0
// The valid values of XCR0 (SDM volume 1, 13.3). On VT-x every XSETBV exits, and the hypervisor
// must check the value: a value that the processor refuses must cause #GP in the guest, not in the
// hypervisor.
#ifndef ARCH_VMX_XCR0_H
#define ARCH_VMX_XCR0_H

#include "arch/lib/types.h"

// Whether XSETBV accepts `value` on a processor whose CPUID shows the components `shown`.
static inline bool xcr0_valid(uint64_t value, uint64_t shown)
{
    const uint64_t x87 = BIT(0), sse = BIT(1), avx = BIT(2), bounds = BIT(3) | BIT(4),
                   avx512 = BIT(5) | BIT(6) | BIT(7), tiles = BIT(17) | BIT(18);
    if ((value & ~shown) != 0 || (value & x87) == 0) {
        return false;
    }
    if ((value & avx) && (value & sse) == 0) {
        return false;
    }
    if ((value & bounds) != 0 && (value & bounds) != bounds) {
        return false;
    }
    if ((value & avx512) != 0 && ((value & avx512) != avx512 || (value & avx) == 0)) {
        return false;
    }
    return (value & tiles) == 0 || (value & tiles) == tiles;
}

#endif
