// SPDX-License-Identifier: Apache-2.0
// Loads a Linux kernel (bzImage) by Linux's x86 boot protocol, entered in 64-bit mode where the
// kernel can be, else in 32-bit mode.
#ifndef HV_GUEST_LOAD_BZIMAGE_H
#define HV_GUEST_LOAD_BZIMAGE_H

#include "hv/guest/load_job.h"

// True if the file has a boot sector's signature and the setup header's behind it.
bool load_bzimage_is(const struct boot_module *image);

// Loads the kernel, its initrd and its boot parameters; the ACPI root pointer is at `rsdp`. Errors
// as load_guest.
enum status load_bzimage(struct load_job *job, gpa_t rsdp);

#endif
