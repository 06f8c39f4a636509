// SPDX-License-Identifier: Apache-2.0
// What the hypervisor needs from the firmware's tables, and the end of the boot services.
#ifndef BOOT_UEFI_FIRMWARE_H
#define BOOT_UEFI_FIRMWARE_H

#include <efi.h>
#include <stdbool.h>

#include "boot/boot_info.h"
#include "boot/uefi/memory_map.h"

// The RSDP's address for ACPI 2 or later; else the one for ACPI 1; else 0.
uint64_t firmware_rsdp(const EFI_SYSTEM_TABLE *system);

// Stores the framebuffer of this screen mode in `info`, or the reason against it in
// info->framebuffer_refused.
void firmware_screen(const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode, struct boot_info *info);

// Reads the memory map into `buffer` of `size` bytes.
EFI_STATUS firmware_map(EFI_BOOT_SERVICES *boot, void *buffer, UINTN size, struct uefi_map *map,
                        const struct boot_error *error);

// Converts the memory map into `info` and leaves the boot services. If the map has changed
// meanwhile, it reads the map again, a limited number of times. *leaving becomes true at the first
// attempt: from then on the firmware allows only further attempts. EFI_SUCCESS: the boot services
// have ended. Otherwise the firmware's status, or EFI_LOAD_ERROR with the error text if the map is
// refused.
EFI_STATUS firmware_leave(EFI_BOOT_SERVICES *boot, EFI_HANDLE image, void *buffer, UINTN size,
                          struct boot_info *info, bool *leaving, const struct boot_error *error);

#endif
