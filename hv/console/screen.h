// SPDX-License-Identifier: Apache-2.0
// The machine's screen: the framebuffer that the loader has left, if it is one that can be used. It
// shows the hypervisor's console, unless the command line says framebuffer=off or the configuration
// gives it to a partition. Boot CPU.
#ifndef HV_CONSOLE_SCREEN_H
#define HV_CONSOLE_SCREEN_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

// Fills machine.framebuffer and machine.screen and says what is in the way. Behind reading the boot
// information.
void screen_choose(void);

// Bytes of the heap that it needs; 0: there is none.
uint64_t screen_heap_size(void);

// Maps it, and shows the console there, unless a partition is to have it. On the CPU's own page
// tables, before console_start().
void screen_start(void);

// Decides whether the partition that the configuration names can have it, and says why not. Behind
// passthrough_assign().
enum status screen_grant(void);

// No guest will be started: what the console has said shows on the screen after all, also if that
// is a partition's. As screen_start().
void screen_give_up(void);

#endif
