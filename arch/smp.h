// SPDX-License-Identifier: Apache-2.0
// Starts the application processors.
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include "arch/status.h"
#include "arch/types.h"

// Starts every CPU of cpus[] but this one, through the page at `trampoline` (below 1 MiB, page
// aligned; its contents are lost). Each one ends in `cpu_main` (hv/main.c) on its own stack and
// tables. ERR_NOT_FOUND: a CPU did not come up within a second; *failed is its number.
enum status smp_start(hpa_t trampoline, unsigned *failed);

// Where an application processor enters C (boot/trampoline.asm).
_Noreturn void ap_main(void);

#endif
