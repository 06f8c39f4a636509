// SPDX-License-Identifier: Apache-2.0
// Where the CPUs enter the hypervisor: the boot CPU from the loader, then every CPU for its guest.
#ifndef HV_START_MAIN_H
#define HV_START_MAIN_H

#include "arch/lib/types.h"

// Called after the loader (boot/multiboot.asm, boot/uefi.asm): long mode, boot tables, boot stack,
// interrupts off. `magic` and `info` are what a Multiboot loader left in EAX and EBX, or
// BOOT_INFO_MAGIC and the address of struct boot_info. `image` is the hypervisor's address;
// `entered` is the TSC at its entry.
_Noreturn void boot_main(uint32_t magic, hpa_t info, hpa_t image, uint64_t entered);

// Every CPU, on its own tables and stack, interrupts off: takes part in the start, then runs its
// vCPU or idles.
_Noreturn void cpu_main(void);

#endif
