// SPDX-License-Identifier: Apache-2.0
// Vector registers of a guest, behind the functions of arch/virt/vector_regs.h.
#ifndef TESTS_UNIT_FAKE_VECTORS_H
#define TESTS_UNIT_FAKE_VECTORS_H

#include "arch/virt/vector_regs.h"

struct fake_vectors {
    struct vector_value reg[16];
    bool wide_enabled; // XCR0
    bool refuse;       // vector_convert() meets an exception that is not masked
};

extern struct fake_vectors fake_vectors;

#endif
