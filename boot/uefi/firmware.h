// SPDX-License-Identifier: Apache-2.0
// What the hypervisor has to know of firmware's tables, and the end of its boot services.
#ifndef BOOT_UEFI_FIRMWARE_H
#define BOOT_UEFI_FIRMWARE_H

#include <efi.h>
#include <stdbool.h>

#include "boot/boot_info.h"
#include "boot/uefi/memory_map.h"

// The RSDP's address: that of ACPI 2 and later if there is one, else that of ACPI 1, else 0.
uint64_t firmware_rsdp(const EFI_SYSTEM_TABLE *system);

// Takes over the screen's framebuffer in this mode, or says in info->framebuffer_refused why not.
void firmware_screen(const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode, struct boot_info *info);

// Reads the memory map into `buffer` of `size` bytes.
EFI_STATUS firmware_map(EFI_BOOT_SERVICES *boot, void *buffer, UINTN size, struct uefi_map *map,
                        const struct boot_error *error);

// Converts the memory map into `info` and leaves the boot services; a map that has changed
// meanwhile is read again, a limited number of times. *leaving becomes true with the first attempt:
// from then on firmware allows nothing but another. EFI_SUCCESS: the machine is ours. Else
// firmware's status, or EFI_LOAD_ERROR with the error text if the map is refused.
EFI_STATUS firmware_leave(EFI_BOOT_SERVICES *boot, EFI_HANDLE image, void *buffer, UINTN size,
                          struct boot_info *info, bool *leaving, const struct boot_error *error);

#endif
