// SPDX-License-Identifier: Apache-2.0
// The memory of a partition, reached by copies through the per-CPU window. Every access is checked
// against the partition's own RAM. Any CPU.
#ifndef HV_GUEST_MEM_H
#define HV_GUEST_MEM_H

#include "arch/status.h"
#include "arch/types.h"
#include "boot/boot_info.h"

struct partition;

// True if all of [address, address + size) is the partition's RAM.
bool guest_ram_contains(const struct partition *p, gpa_t address, uint64_t size);

// Copies out of and into RAM. ERR_RANGE, and nothing is copied, if any byte lies outside it.
enum status guest_read(const struct partition *p, gpa_t address, void *buffer, size_t size);
enum status guest_write(const struct partition *p, gpa_t address, const void *buffer, size_t size);
enum status guest_fill(const struct partition *p, gpa_t address, uint8_t value, uint64_t size);

// Reads one word that does not cross a page. False: not RAM.
bool guest_read_u64(const struct partition *p, gpa_t address, uint64_t *value);

// Replaces `expected` by `value` in the aligned 4 or 8 bytes (`size`) at `address`, atomically with
// what the partition's CPUs do. ERR_CHANGED: something else was there. ERR_RANGE: not RAM.
enum status guest_replace(const struct partition *p, gpa_t address, unsigned size,
                          uint64_t expected, uint64_t value);

// Part of a boot module. ERR_TRUNCATED if it ends before.
enum status module_read(const struct boot_module *m, uint64_t offset, void *buffer, size_t size);

// Copies part of a boot module into RAM: ERR_TRUNCATED, ERR_RANGE as above.
enum status guest_copy_module(const struct partition *p, gpa_t address, const struct boot_module *m,
                              uint64_t offset, uint64_t size);

// Clears all of a partition's RAM.
void guest_clear(const struct partition *p);

#endif
