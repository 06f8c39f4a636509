// SPDX-License-Identifier: Apache-2.0
// Names the kind of a file that no loader supports, so that the user learns what to do instead.
#ifndef HV_GUEST_LOAD_FOREIGN_H
#define HV_GUEST_LOAD_FOREIGN_H

#include "boot/boot_info.h"

// What the image is, and what to do, as the end of a sentence: "a gzip file: ...". The image must
// be neither a Linux kernel nor have a Multiboot 1 header.
const char *load_foreign_kind(const struct boot_module *image);

#endif
