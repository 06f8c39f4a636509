// SPDX-License-Identifier: Apache-2.0
// The instructions with an operand in memory: which are executed for a guest when the operand is in
// a device page, and which are not, and why. tests/unit/test_emulate_zydis.c holds the table
// against all there are.
#ifndef DOCS_TABLES_EMULATION_GAPS_H
#define DOCS_TABLES_EMULATION_GAPS_H

// What the names of a row are, in the words of Zydis.
enum emulation_gap_kind {
    GAP_INSTRUCTION,
    GAP_EXTENSION, // of the instruction set
    GAP_CATEGORY,
    GAP_ENCODING,
};

struct emulation_gap {
    const char *title; // for the reader
    enum emulation_gap_kind kind;
    const char *names; // separated by spaces
    const char *reason;
};

const struct emulation_gap *emulation_gaps(unsigned *count);

// Those that are executed. The same test holds the list against what the decoder knows.
struct emulation_executed {
    const char *title;
    const char *names; // separated by spaces
};

const struct emulation_executed *emulation_executed(unsigned *count);

#endif
