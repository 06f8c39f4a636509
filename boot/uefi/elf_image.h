// SPDX-License-Identifier: Apache-2.0
// Copies the hypervisor's ELF file to the memory where it will run.
#ifndef BOOT_UEFI_ELF_IMAGE_H
#define BOOT_UEFI_ELF_IMAGE_H

#include <stdint.h>

#include "boot/error.h"

// The size and the alignment of the memory that the hypervisor needs: one large page.
#define ELF_IMAGE_SIZE 0x200000u

// Copies the segments of the file of `size` bytes to `to`, ELF_IMAGE_SIZE bytes that stand for the
// physical addresses from HV_IMAGE_LINK on. Bytes that the file does not have become zero. *entry
// is the entry point, as an offset. A refused file changes nothing: ERR_INVALID, ERR_TRUNCATED,
// ERR_RANGE (a segment outside the memory), ERR_EXISTS (two segments overlap).
enum status elf_image_load(const void *file, uint64_t size, uint8_t *to, uint64_t *entry,
                           const struct boot_error *error);

#endif
