// SPDX-License-Identifier: Apache-2.0
// What an EFI image of ours holds, by its sections. tests/tools/efi_image.py writes them.
#ifndef BOOT_UEFI_PARTS_H
#define BOOT_UEFI_PARTS_H

#include "boot/boot_info.h"
#include "boot/uefi/pe.h"

// A range of the loaded image; size 0: there is none.
struct uefi_part {
    const uint8_t *data;
    uint64_t size;
};

struct uefi_parts {
    struct uefi_part hypervisor; // .bhimage: its ELF file
    struct uefi_part cmdline;    // .bhcmd: its command line
    struct uefi_part config;     // .bhconf: the configuration blob
    struct uefi_part modules;    // .bhmod: the modules, each on a page of its own
    struct uefi_part names;      // .bhnames: for each of them "SIZE NAME" and a newline
};

// Finds the parts. The hypervisor has to be among them; each name has its module. ERR_NOT_FOUND,
// ERR_EXISTS (a part twice), ERR_TRUNCATED, ERR_INVALID.
enum status uefi_parts_find(const struct pe_image *image, struct uefi_parts *parts,
                            const struct boot_error *error);

// Enters command line, blob and modules into `info`, as Multiboot loaders do. ERR_RANGE if there
// are too many modules.
enum status uefi_parts_enter(const struct uefi_parts *parts, struct boot_info *info,
                             const struct boot_error *error);

#endif
