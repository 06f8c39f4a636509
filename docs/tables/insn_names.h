// SPDX-License-Identifier: Apache-2.0
// The names of the decoder's operations, for the documents and the tests' messages.
#ifndef DOCS_TABLES_INSN_NAMES_H
#define DOCS_TABLES_INSN_NAMES_H

#include "hv/emulate/decode.h"

// "mov", "cpuid"; never NULL.
const char *insn_name(enum insn_op op);

#endif
