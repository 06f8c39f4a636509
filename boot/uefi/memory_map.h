// SPDX-License-Identifier: Apache-2.0
// Converts the firmware's memory map to the form of struct boot_info.
#ifndef BOOT_UEFI_MEMORY_MAP_H
#define BOOT_UEFI_MEMORY_MAP_H

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "boot/error.h"

// The result of GetMemoryMap(): `size` bytes of descriptors, `stride` bytes from one to the next.
struct uefi_map {
    const uint8_t *descriptors;
    uint64_t size;
    uint64_t stride;
    uint64_t key;
};

// Replaces info->memory by the map: sorted, with neighbours of the same kind joined. ERR_INVALID (a
// descriptor makes no sense), ERR_EXISTS (two overlap), ERR_RANGE (more than BOOT_MAX_MEMORY).
enum status uefi_map_convert(const struct uefi_map *map, struct boot_info *info,
                             const struct boot_error *error);

// The highest address, aligned to `size` (a power of two), where `size` bytes below `limit` can be
// allocated with AllocatePages(); 0 if there is none.
uint64_t uefi_map_place(const struct uefi_map *map, uint64_t size, uint64_t limit);

// Whether `count` pages below 640 KiB are usable, page 0 not counted.
bool uefi_map_has_low(const struct boot_info *info, unsigned count);

#endif
