// SPDX-License-Identifier: Apache-2.0
// The framebuffer as a partition's own (`framebuffer = true`): whether it can be, and where the
// partition finds it. Decides only.
#ifndef HV_DEVICE_SCREEN_GRANT_H
#define HV_DEVICE_SCREEN_GRANT_H

#include "arch/lib/status.h"
#include "boot/boot_info.h"
#include "drivers/pci/pci.h"
#include "hv/machine/screen_place.h"
#include "hv/memory/page_alloc.h"
#include "partitions/blob.h"

#define SCREEN_GRANT_TEXT_SIZE 360

struct screen_request {
    const struct blob *config;                  // has passed blob_check()
    const struct boot_framebuffer *framebuffer; // as the loader has left it
    struct page_range pages;                    // that it covers; empty: it can't be used
    const char *problem;                        // why not; "": the loader tells of none
    const struct pci_machine *pci;
    const int *owner; // of each PCI function: a partition's index, or BLOB_NOBODY
};

// Whether that partition can have it. Otherwise `text` (SCREEN_GRANT_TEXT_SIZE bytes) names the
// partition, what is in the way, and what to do: ERR_NOT_FOUND if there is none that can be used,
// ERR_DENIED if something else would be reached with it. STATUS_OK too if nobody wants it.
enum status screen_check(const struct screen_request *request, char *text);

#endif
