// SPDX-License-Identifier: Apache-2.0
// Shared by the two Multiboot parsers: reading the loader's texts, and adding checked entries to
// struct boot_info.
#ifndef BOOT_MULTIBOOT_PARSE_H
#define BOOT_MULTIBOOT_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "boot/boot_info.h"
#include "boot/error.h"

// Reads `size` bytes at a host-physical address below 4 GiB. `what` names the data in the error
// text.
enum status boot_read(const struct boot_error *error, uint64_t address, void *buffer, size_t size,
                      const char *what);

// Reads the hypervisor's command line, which ends with a NUL or after `limit` bytes. Stores its
// words of the form name=value in info->cmdline. The file's path before them is skipped, whatever
// its length. ERR_RANGE: the options don't fit.
enum status boot_read_options(const struct boot_error *error, uint64_t address, uint64_t limit,
                              struct boot_info *info);

// Adds a memory range of an e820 type; skips empty ranges. ERR_INVALID: the range wraps. ERR_RANGE:
// there are too many.
enum status boot_add_memory(const struct boot_error *error, struct boot_info *info, uint64_t base,
                            uint64_t size, uint32_t e820_type);

// Adds the module at [start, end). `cmdline` is the address of its command line of at most `limit`
// bytes, or 0. ERR_INVALID: it ends before it starts. ERR_RANGE: there are too many modules, or the
// names are too long.
enum status boot_add_module(const struct boot_error *error, struct boot_info *info, uint32_t start,
                            uint32_t end, uint64_t cmdline, uint64_t limit);

#endif
