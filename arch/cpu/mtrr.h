// SPDX-License-Identifier: Apache-2.0
// Memory type range registers (SDM vol. 3, 12.11; APM vol. 2, 7.7): the type that they give to an
// address, and whether two CPUs have the same values. Has no privileged instruction, so it is
// tested on the host. arch/cpu/mtrr_cpu.h accesses the registers themselves.
#ifndef ARCH_CPU_MTRR_H
#define ARCH_CPU_MTRR_H

#include <stddef.h>

#include "arch/lib/types.h"

#define MTRR_FIXED       11
#define MTRR_MOST_RANGES 16 // processors have 8 to 10

enum mtrr_type {
    MTRR_UC = 0,
    MTRR_WC = 1,
    MTRR_WT = 4,
    MTRR_WP = 5,
    MTRR_WB = 6,
};

struct mtrrs {
    bool present; // false: the rest is 0
    unsigned ranges;
    uint64_t default_type; // the whole register
    uint64_t fixed[MTRR_FIXED];
    uint64_t base[MTRR_MOST_RANGES], mask[MTRR_MOST_RANGES];
    uint64_t syscfg, top_mem2; // AMD only, else 0; just the bits that affect memory types
};

// False if MTRRs are absent or turned off as a whole; they give no types then.
bool mtrr_on(const struct mtrrs *m);

// The type of an address at or above 1 MiB. Sets `end` (exclusive) to an address up to which the
// type is certain to be the same. Combinations that the manuals leave undefined count as UC.
enum mtrr_type mtrr_type(const struct mtrrs *m, uint64_t address, uint64_t *end);

// Writes the first registers in which `m` differs from `first` to `text`, with both values. False
// if there is no difference. `fixable`: the differences concern only how memory is cached, not
// where memory is.
bool mtrr_difference(const struct mtrrs *m, const struct mtrrs *first, bool *fixable, char *text,
                     size_t size);

// Numbers of the MSRs.
uint32_t mtrr_fixed_msr(unsigned index);
uint32_t mtrr_base_msr(unsigned range); // the mask is the next MSR

#endif
