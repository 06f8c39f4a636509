// SPDX-License-Identifier: Apache-2.0
// What hv/policy/cpuid_rules.c does not say of CPUID: the names of its bits, why known bits are
// hidden, and which registers are made for the partition. Unit tests hold it against what
// cpuid_build does.
#ifndef DOCS_TABLES_CPUID_NOTES_H
#define DOCS_TABLES_CPUID_NOTES_H

#include "hv/policy/cpuid_policy.h"

// A bit's name, from arch/cpu/cpuid.h.
struct cpuid_name {
    uint32_t leaf, subleaf;
    enum cpuid_register reg;
    uint32_t mask;
    const char *name;
};

const struct cpuid_name *cpuid_names(unsigned *count);

// Bits that a guest does not see, or not as the host has them, and why.
struct cpuid_hidden {
    uint32_t leaf, subleaf;
    enum cpuid_register reg;
    uint32_t mask;
    const char *reason;
};

const struct cpuid_hidden *cpuid_hidden(unsigned *count);

// Registers, or bits of them, that are made.
struct cpuid_made {
    uint32_t leaf;
    uint8_t registers; // bit n: enum cpuid_register n
    const char *what;
    const char *reason;
};

const struct cpuid_made *cpuid_made(unsigned *count);

#endif
