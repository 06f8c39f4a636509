// SPDX-License-Identifier: Apache-2.0
// Loads kernels of the Multiboot Specification, version 1: ELF files of both classes, and flat
// files whose Multiboot header gives their addresses.
#ifndef HV_GUEST_LOAD_MULTIBOOT_H
#define HV_GUEST_LOAD_MULTIBOOT_H

#include "hv/guest/load_job.h"

struct multiboot_header {
    uint32_t offset; // in the file
    uint32_t flags;
};

// Searches the first 8 KiB for a header.
bool load_multiboot_find(const struct boot_module *image, struct multiboot_header *header);

// Loads the image with the header that was found, the modules, and the information for the kernel.
// Errors as load_guest().
enum status load_multiboot(struct load_job *job, const struct multiboot_header *header);

#endif
