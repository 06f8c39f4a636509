// SPDX-License-Identifier: Apache-2.0
// The two entries into the hypervisor from assembly.
#ifndef HV_START_MAIN_H
#define HV_START_MAIN_H

#include "arch/lib/types.h"

// From the loader (boot/multiboot.asm, boot/uefi.asm): long mode, boot tables, boot stack,
// interrupts off. `magic` and `info` are what a Multiboot loader left in EAX and EBX, or
// BOOT_INFO_MAGIC and where struct boot_info lies; `image` is where the hypervisor lies; `entered`
// is what the TSC was when it was entered.
_Noreturn void boot_main(uint32_t magic, hpa_t info, hpa_t image, uint64_t entered);

// Every CPU, on its own tables and stack, interrupts off: joins the start, then runs its vCPU or
// idles.
void cpu_main(void) __attribute__((noreturn));

#endif
