// SPDX-License-Identifier: Apache-2.0
// Random numbers of a test guest, the same ones for the same seed (splitmix64).

#include "tests/guests/guest.h"

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t random_kind(uint64_t *state)
{
    uint64_t wide = random_next(state);
    switch (wide & 7) {
    case 0:
        return wide >> 56;
    case 1:
        return 1ull << (wide >> 58);
    case 2:
        return UINT64_MAX >> (wide >> 58);
    case 3:
        return (uint32_t)random_next(state);
    default:
        return random_next(state);
    }
}
