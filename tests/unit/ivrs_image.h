// SPDX-License-Identifier: Apache-2.0
// Builds IVRS tables byte by byte, for the tests of the parser and of the driver.
#ifndef TESTS_UNIT_IVRS_IMAGE_H
#define TESTS_UNIT_IVRS_IMAGE_H

#include <stdint.h>
#include <string.h>

struct ivrs_image {
    uint8_t bytes[4096];
    uint32_t size;
    uint32_t block; // where the last one begins
};

static inline void ivrs_put(struct ivrs_image *t, uint64_t value, unsigned size)
{
    memcpy(t->bytes + t->size, &value, size);
    t->size += size;
}

static inline void ivrs_begin(struct ivrs_image *t)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->bytes, "IVRS", 4);
    t->size = 48;
}

static inline void ivrs_unit(struct ivrs_image *t, uint8_t type, uint16_t device, uint64_t base,
                             uint16_t segment)
{
    t->block = t->size;
    ivrs_put(t, type, 1);
    ivrs_put(t, 0x01, 1); // HtTunEn
    ivrs_put(t, type == 0x10 ? 24 : 40, 2);
    ivrs_put(t, device, 2);
    ivrs_put(t, 0x40, 2);
    ivrs_put(t, base, 8);
    ivrs_put(t, segment, 2);
    ivrs_put(t, 0, 2);
    ivrs_put(t, 0, 4);
    for (unsigned i = 0; type != 0x10 && i < 2; i++) {
        ivrs_put(t, 0, 8);
    }
}

static inline void ivrs_grow(struct ivrs_image *t)
{
    uint16_t length = (uint16_t)(t->size - t->block);
    memcpy(t->bytes + t->block + 2, &length, 2);
}

static inline void ivrs_entry4(struct ivrs_image *t, uint8_t type, uint16_t device)
{
    ivrs_put(t, type | (uint64_t)device << 8, 4);
    ivrs_grow(t);
}

static inline void ivrs_entry8(struct ivrs_image *t, uint8_t type, uint16_t device, uint8_t handle,
                               uint16_t source, uint8_t kind)
{
    ivrs_put(t,
             type | (uint64_t)device << 8 | (uint64_t)handle << 32 | (uint64_t)source << 40 |
                 (uint64_t)kind << 56,
             8);
    ivrs_grow(t);
}

static inline void ivrs_memory(struct ivrs_image *t, uint8_t type, uint8_t flags, uint16_t first,
                               uint16_t last, uint64_t base, uint64_t size)
{
    t->block = t->size;
    ivrs_put(
        t, type | (uint64_t)flags << 8 | 32ull << 16 | (uint64_t)first << 32 | (uint64_t)last << 48,
        8);
    ivrs_put(t, 0, 8);
    ivrs_put(t, base, 8);
    ivrs_put(t, size, 8);
}

#endif
