// SPDX-License-Identifier: Apache-2.0
// The framebuffer's owner, and where that partition sees it.
#ifndef HV_MACHINE_SCREEN_PLACE_H
#define HV_MACHINE_SCREEN_PLACE_H

#include "boot/boot_info.h"
#include "partitions/blob.h"

// The partition that owns the framebuffer, or BLOB_NOBODY.
int screen_owner(const struct blob *config);

// The framebuffer as its partition sees it: the host's, at its guest-physical address.
struct boot_framebuffer screen_of_guest(const struct boot_framebuffer *host);

#endif
