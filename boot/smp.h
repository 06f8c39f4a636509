// SPDX-License-Identifier: Apache-2.0
// Starts the application processors.
#ifndef BOOT_SMP_H
#define BOOT_SMP_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

// Pages below 1 MiB that starting a CPU needs.
struct smp_low {
    hpa_t code;                  // the trampoline
    hpa_t root, pdpt, directory; // its page tables
};
#define SMP_LOW_PAGES 4u

// Starts every CPU of cpus[] except this one, through the pages of `low`, whose contents are
// overwritten. Each CPU ends in `entry`, which does not return, on its own stack and tables.
// ERR_NOT_FOUND: a CPU did not start within a second; *failed is its number.
enum status smp_start(const struct smp_low *low, void (*entry)(void), unsigned *failed);

// Where application processors enter C (called by boot/trampoline.asm).
_Noreturn void ap_main(void);

#endif
