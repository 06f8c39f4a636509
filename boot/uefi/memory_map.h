// SPDX-License-Identifier: Apache-2.0
// Firmware's memory map as struct boot_info has it.
#ifndef BOOT_UEFI_MEMORY_MAP_H
#define BOOT_UEFI_MEMORY_MAP_H

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "boot/error.h"

// What GetMemoryMap() gave: `size` bytes of descriptors, `stride` bytes from one to the next.
struct uefi_map {
    const uint8_t *descriptors;
    uint64_t size;
    uint64_t stride;
    uint64_t key;
};

// Replaces info->memory by the map, sorted, with neighbours of the same kind as one. ERR_INVALID (a
// descriptor makes no sense), ERR_EXISTS (two overlap), ERR_RANGE (more than BOOT_MAX_MEMORY).
enum status uefi_map_convert(const struct uefi_map *map, struct boot_info *info,
                             const struct boot_error *error);

// The highest address below `limit`, aligned to `size` (a power of two), with `size` bytes that
// AllocatePages() can give; 0 if there is none.
uint64_t uefi_map_place(const struct uefi_map *map, uint64_t size, uint64_t limit);

// Whether `count` pages below 640 KiB, beyond page 0, can be used.
bool uefi_map_has_low(const struct boot_info *info, unsigned count);

#endif
