// SPDX-License-Identifier: Apache-2.0
// The memory type range registers of the calling CPU. The boot CPU's values are the reference.
#ifndef ARCH_CPU_MTRR_CPU_H
#define ARCH_CPU_MTRR_CPU_H

#include "arch/cpu/mtrr.h"

// The boot CPU's values. mtrr_boot_init() reads them; the exception tables must be loaded.
extern struct mtrrs mtrr_boot;
void mtrr_boot_init(void);

enum mtrr_state {
    MTRR_EVEN, // the same as the boot CPU's; or they were off, as after reset, and now are the same
    MTRR_MADE, // differed, and now are the same as the boot CPU's
    MTRR_ODD,  // differ and can't be made the same
};

// Gives this CPU the boot CPU's values; `text` gets the differences. Not for the boot CPU.
// Interrupts off.
enum mtrr_state mtrr_follow(char *text, size_t size);

#endif
