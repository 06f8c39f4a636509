// SPDX-License-Identifier: Apache-2.0
// The memory type range registers of the CPU that calls: those of the boot CPU count for all.
#ifndef ARCH_CPU_MTRR_CPU_H
#define ARCH_CPU_MTRR_CPU_H

#include "arch/cpu/mtrr.h"

// What the boot CPU has. mtrr_boot_init() reads them; the exception tables must be loaded.
extern struct mtrrs mtrr_boot;
void mtrr_boot_init(void);

enum mtrr_state {
    MTRR_EVEN, // as the boot CPU's; or were off, as from reset, and are now
    MTRR_MADE, // were others, and are now as the boot CPU's
    MTRR_ODD,  // are others, and can't be made the same
};

// Gives a CPU other than the boot CPU the same; `text` says in what they differed. Interrupts off.
enum mtrr_state mtrr_follow(char *text, size_t size);

#endif
