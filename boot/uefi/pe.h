// SPDX-License-Identifier: Apache-2.0
// The sections of a PE image as the firmware loaded it: headers at its start, each section at its
// virtual address. Nothing in it is trusted: everything is checked against the image's size.
#ifndef BOOT_UEFI_PE_H
#define BOOT_UEFI_PE_H

#include <stdint.h>

#include "boot/error.h"

#define PE_NAME_SIZE 8

struct pe_image {
    const uint8_t *base;
    uint64_t size;
    uint64_t sections; // offset of the first section header
    unsigned count;    // of sections
};

struct pe_section {
    char name[PE_NAME_SIZE + 1];
    uint64_t offset; // in the loaded image
    uint64_t size;   // bytes
    uint64_t raw;    // how many of these bytes the file has; the others are zero
};

// Checks the headers, and that all sections lie within the image and apart from each other.
// ERR_INVALID, ERR_TRUNCATED, ERR_EXISTS (two overlap).
enum status pe_open(struct pe_image *image, const void *base, uint64_t size,
                    const struct boot_error *error);

// Section `index` (below image->count) of an image that pe_open() accepted.
struct pe_section pe_section(const struct pe_image *image, unsigned index);

#endif
