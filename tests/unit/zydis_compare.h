// SPDX-License-Identifier: Apache-2.0
// Our decoder against Zydis on the same bytes: what we decode, Zydis decodes to the same length,
// operands, sizes and direction of the memory access; and what Zydis decodes as an instruction that
// we need, we decode. For the unit test and for the fuzzer.
#ifndef TESTS_UNIT_ZYDIS_COMPARE_H
#define TESTS_UNIT_ZYDIS_COMPARE_H

#include "hv/emulate/decode.h"

struct zydis_comparison {
    const char *difference; // what is not the same, or NULL
    enum insn_op compared;  // what both have decoded, INSN_NONE if there was nothing to compare
    unsigned mnemonic;      // Zydis's, 0 if it refuses the bytes
    const char *name;       // of that
    unsigned length;        // Zydis's
};

#define ZYDIS_COMPARE_MNEMONICS 4096 // more than there are

// Decodes `size` bytes in `mode` both ways.
void zydis_compare(enum decode_mode mode, const uint8_t *bytes, size_t size,
                   struct zydis_comparison *out);

#endif
