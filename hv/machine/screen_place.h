// SPDX-License-Identifier: Apache-2.0
// Whose the framebuffer is, and where its owner sees it.
#ifndef HV_MACHINE_SCREEN_PLACE_H
#define HV_MACHINE_SCREEN_PLACE_H

#include "boot/boot_info.h"
#include "partitions/blob.h"

// The partition that the framebuffer is given to, or BLOB_NOBODY.
int screen_owner(const struct blob *config);

// The framebuffer as its partition sees it: the same, at its guest-physical address.
struct boot_framebuffer screen_of_guest(const struct boot_framebuffer *host);

#endif
