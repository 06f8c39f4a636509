// SPDX-License-Identifier: Apache-2.0
// The parts of Bulkhead's EFI image, by sections. tests/tools/efi_image.py writes them.
#ifndef BOOT_UEFI_PARTS_H
#define BOOT_UEFI_PARTS_H

#include "boot/boot_info.h"
#include "boot/uefi/pe.h"

// A range of the loaded image; size 0: the part is missing.
struct uefi_part {
    const uint8_t *data;
    uint64_t size;
};

struct uefi_parts {
    struct uefi_part hypervisor; // .bhimage: the hypervisor's ELF file
    struct uefi_part cmdline;    // .bhcmd: the hypervisor's command line
    struct uefi_part config;     // .bhconf: the configuration blob
    struct uefi_part modules;    // .bhmod: the modules, each page aligned
    struct uefi_part names;      // .bhnames: for each module "SIZE NAME" and a newline
};

// Finds the parts. The hypervisor must be there, and each name must have its module. ERR_NOT_FOUND,
// ERR_EXISTS (a part twice), ERR_TRUNCATED, ERR_INVALID, ERR_RANGE (command line too long).
enum status uefi_parts_find(const struct pe_image *image, struct uefi_parts *parts,
                            const struct boot_error *error);

// Enters command line, configuration blob and modules into `info`, as for Multiboot loaders.
// ERR_RANGE: there are too many modules.
enum status uefi_parts_enter(const struct uefi_parts *parts, struct boot_info *info,
                             const struct boot_error *error);

#endif
