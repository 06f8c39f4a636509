// SPDX-License-Identifier: Apache-2.0
// The configuration blob at boot: found among the modules by its magic number, then checked again,
// by itself and against this machine.
#ifndef HV_MACHINE_CONFIG_H
#define HV_MACHINE_CONFIG_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

// Whether any module is a configuration, valid or not. Boot CPU.
bool config_is_there(void);

// Whether a configuration that is valid by itself gives the framebuffer to a partition. Prints
// nothing about others: config_load() does. Boot CPU.
bool config_gives_framebuffer(void);

// Bytes of heap that reading the configuration takes, and what is made from its records. Call
// before there is a heap.
uint64_t config_heap_size(void);

// Fills machine.config and machine.cpu_owner. Prints all errors. Boot CPU.
enum status config_load(void);

#endif
