// SPDX-License-Identifier: Apache-2.0
// Loose files: an EFI image without modules of its own takes them from the folder bulkhead/ next to
// it.
#ifndef BOOT_UEFI_FILES_H
#define BOOT_UEFI_FILES_H

#include <efi.h>
#include <stdbool.h>

#include "boot/boot_info.h"
#include "boot/error.h"

// Loads every file of the folder into its own pages, and enters it as a module under the file's
// name. A missing folder counts as an empty one; the hypervisor then shows what the machine has.
// After a failure files_free() frees what was loaded.
EFI_STATUS files_load(EFI_BOOT_SERVICES *boot, const EFI_LOADED_IMAGE *image,
                      struct boot_info *info, const struct boot_error *error);

// Whether the folder exists, or may exist.
bool files_exist(EFI_BOOT_SERVICES *boot, const EFI_LOADED_IMAGE *image);

// Frees what files_load() loaded.
void files_free(EFI_BOOT_SERVICES *boot, struct boot_info *info);

#endif
