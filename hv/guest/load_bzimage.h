// SPDX-License-Identifier: Apache-2.0
// Loads a Linux kernel (bzImage) by Linux's x86 boot protocol. Enters it in 64-bit mode if the
// kernel allows that, else in 32-bit mode.
#ifndef HV_GUEST_LOAD_BZIMAGE_H
#define HV_GUEST_LOAD_BZIMAGE_H

#include "hv/guest/load_job.h"

// Whether the file has a boot sector's signature, followed by the setup header's.
bool load_bzimage_is(const struct boot_module *image);

// Loads the kernel, its initrd and its boot parameters. `rsdp` is the ACPI root pointer. Errors as
// load_guest().
enum status load_bzimage(struct load_job *job, gpa_t rsdp);

#endif
