// SPDX-License-Identifier: Apache-2.0
// Puts the hypervisor's ELF file where it is to run.
#ifndef BOOT_UEFI_ELF_IMAGE_H
#define BOOT_UEFI_ELF_IMAGE_H

#include <stdint.h>

#include "boot/error.h"

// Memory that the hypervisor needs, and what its start has to be aligned to: one large page.
#define ELF_IMAGE_SIZE 0x200000u

// Copies the segments of the file of `size` bytes to `to`, ELF_IMAGE_SIZE bytes, which stand for
// the physical addresses from HV_IMAGE_LINK on; what is not in the file becomes zero. *entry is
// where to enter, as an offset. Nothing is written if the file is refused: ERR_INVALID,
// ERR_TRUNCATED, ERR_RANGE (a segment outside the memory), ERR_EXISTS (two overlap).
enum status elf_image_load(const void *file, uint64_t size, uint8_t *to, uint64_t *entry,
                           const struct boot_error *error);

#endif
