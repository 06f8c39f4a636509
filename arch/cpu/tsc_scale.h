// SPDX-License-Identifier: Apache-2.0
// Converts TSC differences to the ticks of a slower clock, by one multiplication instead of
// divisions. Relies on nothing.
#ifndef ARCH_CPU_TSC_SCALE_H
#define ARCH_CPU_TSC_SCALE_H

#include <stdint.h>

// The number of ticks that a clock of `hz` makes in 2^64 ticks of a TSC of `tsc_hz`, rounded down.
// Gives UINT64_MAX for a TSC that is not faster than the clock, which does not occur. `tsc_hz` is
// above 0 and below 2^63.
static inline uint64_t tsc_scale(uint32_t hz, uint64_t tsc_hz)
{
    uint64_t quotient = 0;
    uint64_t rest = hz;
    if (hz >= tsc_hz) {
        return UINT64_MAX;
    }
    for (unsigned bit = 0; bit < 64; bit++) { // long division of hz * 2^64
        rest *= 2;
        quotient *= 2;
        if (rest >= tsc_hz) {
            rest -= tsc_hz;
            quotient++;
        }
    }
    return quotient;
}

// A TSC difference in ticks of the clock that `scale` was made for. The exact factor is f = scale +
// e, 0 <= e < 1, and the exact result is d * f / 2^64. Two parts of it are dropped: d * e / 2^64,
// which is below 1 because d < 2^64, and the fraction that the shift cuts off. So for any 64-bit
// difference (centuries) the result is the exact one rounded down, or one less: it never drifts. It
// can't overflow, because it is the upper half of a 128-bit product, and it never decreases when d
// grows.
static inline uint64_t tsc_scaled(uint64_t difference, uint64_t scale)
{
    return (uint64_t)((unsigned __int128)difference * scale >> 64);
}

#endif
