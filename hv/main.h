// SPDX-License-Identifier: Apache-2.0
// The two entries into the hypervisor from assembly.
#ifndef HV_MAIN_H
#define HV_MAIN_H

#include <stdint.h>

// From the loader (boot/multiboot.asm): long mode, boot tables, boot stack, interrupts off. `magic`
// and `info` are what the loader left in EAX and EBX.
_Noreturn void boot_main(uint32_t magic, uint32_t info);

// Every CPU, on its own tables and stack, interrupts off: joins the start, then runs its vCPU or
// idles.
_Noreturn void cpu_main(void);

#endif
