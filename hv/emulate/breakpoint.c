// SPDX-License-Identifier: Apache-2.0
// Finds the breakpoints that an access hits. Relies on nothing.
#include "hv/emulate/breakpoint.h"

enum condition {
    ON_EXECUTION,
    ON_WRITE,
    ON_PORT,
    ON_ACCESS, // data, read or written
};

static bool enabled(const struct guest_debug *d, unsigned n)
{
    return (d->dr7 >> (2 * n) & 3) != 0;
}

static enum condition condition(const struct guest_debug *d, unsigned n)
{
    return (enum condition)(d->dr7 >> (16 + 4 * n) & 3);
}

static bool covers(const struct guest_debug *d, unsigned n, uint64_t at, unsigned size)
{
    static const uint8_t lengths[] = {1, 2, 8, 4};
    uint64_t length = lengths[d->dr7 >> (18 + 4 * n) & 3];
    uint64_t first = d->address[n] & ~(length - 1);

    return at - first < length || first - at < size;
}

uint64_t breakpoint_data(const struct guest_debug *d, uint64_t linear, unsigned size, bool write)
{
    uint64_t hits = 0;

    for (unsigned n = 0; n < BREAKPOINTS; n++) {
        bool wanted = condition(d, n) == ON_ACCESS || (write && condition(d, n) == ON_WRITE);
        if (wanted && enabled(d, n) && covers(d, n, linear, size))
            hits |= DR6_HIT(n);
    }
    return hits;
}

uint64_t breakpoint_port(const struct guest_debug *d, uint16_t port, unsigned size)
{
    uint64_t hits = 0;

    for (unsigned n = 0; n < BREAKPOINTS && d->ports; n++) {
        if (condition(d, n) == ON_PORT && enabled(d, n) && covers(d, n, port, size))
            hits |= DR6_HIT(n);
    }
    return hits;
}
