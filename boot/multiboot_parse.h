// SPDX-License-Identifier: Apache-2.0
// What the two Multiboot parsers have in common: texts of the loader's, and entries of struct
// boot_info with their limits checked.
#ifndef BOOT_MULTIBOOT_PARSE_H
#define BOOT_MULTIBOOT_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "boot/boot_info.h"
#include "boot/error.h"

// Reads `size` bytes at a host-physical address below 4 GiB; `what` is for the error text.
enum status boot_read(const struct boot_error *error, uint64_t address, void *buffer, size_t size,
                      const char *what);

// Reads the hypervisor's command line, which ends with a NUL or after `limit` bytes, to
// info->cmdline: its words of the form name=value. The file's path before them is no option,
// however long it is. ERR_RANGE if they don't fit.
enum status boot_read_options(const struct boot_error *error, uint64_t address, uint64_t limit,
                              struct boot_info *info);

// Adds a memory range of an e820 type; ranges of no length are left out. ERR_INVALID if it wraps,
// ERR_RANGE if there are too many.
enum status boot_add_memory(const struct boot_error *error, struct boot_info *info, uint64_t base,
                            uint64_t size, uint32_t e820_type);

// Adds the module at [start, end), whose command line of at most `limit` bytes is at `cmdline`; 0:
// it has none. ERR_INVALID if it ends before it starts, ERR_RANGE if there are too many, or names
// are too long.
enum status boot_add_module(const struct boot_error *error, struct boot_info *info, uint32_t start,
                            uint32_t end, uint64_t cmdline, uint64_t limit);

#endif
