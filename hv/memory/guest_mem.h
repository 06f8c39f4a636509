// SPDX-License-Identifier: Apache-2.0
// The memory of a partition, accessed by copies through the per-CPU window. Every access is checked
// against the partition's own RAM. Any CPU.
#ifndef HV_MEMORY_GUEST_MEM_H
#define HV_MEMORY_GUEST_MEM_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "boot/boot_info.h"

struct guest_ram;

// Whether all of [address, address + size) is the partition's RAM.
bool guest_ram_contains(const struct guest_ram *ram, gpa_t address, uint64_t size);

// Copy from and to RAM. ERR_RANGE, and nothing is copied, if any byte lies outside it.
enum status guest_read(const struct guest_ram *ram, gpa_t address, void *buffer, size_t size);
enum status guest_write(const struct guest_ram *ram, gpa_t address, const void *buffer,
                        size_t size);
enum status guest_fill(const struct guest_ram *ram, gpa_t address, uint8_t value, uint64_t size);

// Reads one word that does not cross a page. False: not RAM.
bool guest_read_u64(const struct guest_ram *ram, gpa_t address, uint64_t *value);

// Reads the bytes of the longest instruction, which must not cross a page. False: not RAM.
#define GUEST_CODE_BYTES 15
bool guest_read_code(const struct guest_ram *ram, gpa_t address, uint8_t bytes[GUEST_CODE_BYTES]);

// Reads the entries of a 4-level page walk (AMD APM volume 2, 5.3), from the table at `table` down
// to the entry that maps `linear`. Checks nothing in them, not even whether they are present. False
// if an entry lies outside RAM.
#define GUEST_ENTRY_LARGE   BIT(7)
#define GUEST_ENTRY_ADDRESS 0x000ffffffffff000ull
struct guest_descent {
    uint64_t all;   // the AND of the entries
    uint64_t any;   // the OR of them
    uint64_t last;  // the last entry of the walk
    uint32_t shift; // position of its index in `linear`: 12, 21, 30 or 39
};
bool guest_descend(const struct guest_ram *ram, uint64_t table, uint64_t linear,
                   struct guest_descent *out);

// Replaces `expected` by `value` in the aligned 4 or 8 bytes (`size`) at `address`, atomically with
// respect to the partition's CPUs. ERR_CHANGED: other data was there. ERR_RANGE: not RAM.
enum status guest_replace(const struct guest_ram *ram, gpa_t address, unsigned size,
                          uint64_t expected, uint64_t value);

// Reads a part of a boot module. ERR_TRUNCATED if the module ends before.
enum status module_read(const struct boot_module *m, uint64_t offset, void *buffer, size_t size);

// Copies a part of a boot module into RAM. ERR_TRUNCATED, ERR_RANGE as above.
enum status guest_copy_module(const struct guest_ram *ram, gpa_t address,
                              const struct boot_module *m, uint64_t offset, uint64_t size);

// Clears all of a partition's RAM.
void guest_clear(const struct guest_ram *ram);

#endif
