// SPDX-License-Identifier: Apache-2.0
// The framebuffer as a partition's own (`framebuffer = true`): whether that is possible, and where
// the partition finds it. Decides only.
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
    const struct boot_framebuffer *framebuffer; // as the loader left it
    struct page_range pages;                    // pages it covers; empty: it can't be used
    const char *problem; // why it can't be used; "": the loader reports no framebuffer
    const struct pci_machine *pci;
    const int *owner; // of each PCI function: a partition's index, or BLOB_NOBODY
};

// Whether the configured partition can have it. Otherwise `text` (SCREEN_GRANT_TEXT_SIZE bytes)
// names the partition, the obstacle, and the remedy. ERR_NOT_FOUND if there is no usable
// framebuffer, ERR_DENIED if the partition would reach something else with it. STATUS_OK too if no
// partition wants it.
enum status screen_check(const struct screen_request *request, char *text);

#endif
