// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fake_vectors.h"

#include <string.h>

struct fake_vectors fake_vectors;

bool vector_wide_enabled(void)
{
    return fake_vectors.wide_enabled;
}

void vector_read(unsigned reg, bool wide, struct vector_value *out)
{
    memset(out, 0xee, sizeof(*out)); // what is not read
    memcpy(out, &fake_vectors.reg[reg], wide ? 32 : 16);
}

void vector_write(unsigned reg, bool wide, const struct vector_value *in)
{
    memcpy(&fake_vectors.reg[reg], in, wide ? 32 : 16);
}

// Rounds to nearest, as MXCSR says after a reset.
bool vector_convert(uint64_t value, unsigned size, bool to_double, uint64_t *out)
{
    int64_t number = size == 8 ? (int64_t)value : (int32_t)value;
    double d = (double)number;
    float f = (float)number;

    *out = 0;
    if (to_double)
        memcpy(out, &d, sizeof(d));
    else
        memcpy(out, &f, sizeof(f));
    return !fake_vectors.refuse;
}
