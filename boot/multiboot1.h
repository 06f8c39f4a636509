// SPDX-License-Identifier: Apache-2.0
// Multiboot 1 information (Multiboot Specification 0.6.96, section 3.3) to struct boot_info. Relies
// on phys_read() by link-time name; trusts nothing that it reads.
#ifndef BOOT_MULTIBOOT1_H
#define BOOT_MULTIBOOT1_H

#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "boot/boot_info.h"

// `info_addr`: host-physical address of the information, EBX at the entry. On an error writes a
// text for the user to `error`. Texts that are too long are cut. ERR_RANGE: more memory ranges than
// BOOT_MAX_MEMORY, or more modules than BOOT_MAX_MODULES. Boot CPU, before any of the loader's
// memory is reused.
enum status multiboot1_parse(uint32_t info_addr, struct boot_info *info, char *error,
                             size_t error_size);

#endif
