// SPDX-License-Identifier: Apache-2.0
// The configuration blob at boot: found among the modules by its magic, and checked again, on its
// own and against this machine.
#ifndef HV_MACHINE_CONFIG_H
#define HV_MACHINE_CONFIG_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

// Whether any module is one, good or broken. Boot CPU.
bool config_is_there(void);

// Whether a configuration that is sound in itself gives the framebuffer to a partition. Says
// nothing about others: config_load() will. Boot CPU.
bool config_gives_framebuffer(void);

// Bytes of the heap that reading it takes, and what is made from its records. Before there is a
// heap.
uint64_t config_heap_size(void);

// Fills machine.config and machine.cpu_owner. Prints all that is wrong. Boot CPU.
enum status config_load(void);

#endif
