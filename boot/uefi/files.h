// SPDX-License-Identifier: Apache-2.0
// Loose files: what an EFI image that holds none takes from the folder bulkhead/ beside it.
#ifndef BOOT_UEFI_FILES_H
#define BOOT_UEFI_FILES_H

#include <efi.h>
#include <stdbool.h>

#include "boot/boot_info.h"
#include "boot/error.h"

// Loads every file of the folder into pages of its own, and enters it as a module of its name. No
// folder is as good as an empty one: the hypervisor then shows what the machine has. On failure
// what was loaded is left to files_free().
EFI_STATUS files_load(EFI_BOOT_SERVICES *boot, const EFI_LOADED_IMAGE *image,
                      struct boot_info *info, const struct boot_error *error);

// Whether there is such a folder, or may be.
bool files_exist(EFI_BOOT_SERVICES *boot, const EFI_LOADED_IMAGE *image);

// Gives back what files_load() has loaded.
void files_free(EFI_BOOT_SERVICES *boot, struct boot_info *info);

#endif
