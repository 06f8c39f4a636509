// SPDX-License-Identifier: Apache-2.0
// Names what a file is that no loader knows, so that its user learns what to do instead.
#ifndef HV_GUEST_LOAD_FOREIGN_H
#define HV_GUEST_LOAD_FOREIGN_H

#include "boot/boot_info.h"

// What the image is, and what to do, as the end of a sentence: "a gzip file: ...". It is no Linux
// kernel and has no Multiboot 1 header.
const char *load_foreign_kind(const struct boot_module *image);

#endif
