// SPDX-License-Identifier: Apache-2.0
// The hypervisor's screen: the framebuffer that the loader has left, if it is one that can be used
// and the command line does not say framebuffer=off. Boot CPU.
#ifndef HV_SCREEN_H
#define HV_SCREEN_H

#include "arch/types.h"

// Decides on machine.screen and says what is in the way. Behind reading the boot information.
void screen_choose(void);

// Bytes of the heap that it needs; 0: there is none.
uint64_t screen_heap_size(void);

// Maps it, and shows the console there. On the CPU's own page tables, before console_start().
void screen_start(void);

#endif
