// SPDX-License-Identifier: Apache-2.0
// The machine's screen: the framebuffer left by the loader, if its format is supported. It shows
// the hypervisor's console, unless the command line says framebuffer=off or the configuration gives
// it to a partition. Boot CPU.
#ifndef HV_CONSOLE_SCREEN_H
#define HV_CONSOLE_SCREEN_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

// Fills machine.framebuffer and machine.screen, and prints why there is no screen. Call after the
// boot information has been read.
void screen_choose(void);

// Bytes of the heap that it needs; 0 without a screen.
uint64_t screen_heap_size(void);

// Maps the screen and shows the console there, unless a partition gets it. On the CPU's own page
// tables, before console_start().
void screen_start(void);

// Decides whether the partition that the configuration names can have the screen, and prints why
// not. Call after passthrough_assign().
enum status screen_grant(void);

// No guest will be started: shows the console's output on the screen, even if that belongs to a
// partition. Same conditions as screen_start().
void screen_give_up(void);

#endif
