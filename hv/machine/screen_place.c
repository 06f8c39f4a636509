// SPDX-License-Identifier: Apache-2.0
// The framebuffer's place in the hole below 4 GiB.
#include "hv/machine/screen_place.h"

#include "arch/lib/types.h"
#include "hv/machine/guest_platform.h"

// The size of the pages that map it: guest and host address then agree within each page.
#define PLACE_ALIGN MIB(2)

_Static_assert(GUEST_SCREEN_ADDRESS % PLACE_ALIGN == 0 &&
                   GUEST_SCREEN_ADDRESS >= GUEST_ECAM_ADDRESS + GUEST_ECAM_SIZE &&
                   GUEST_SCREEN_ADDRESS + PLACE_ALIGN + GUEST_SCREEN_MAX <= GUEST_IOAPIC_ADDRESS,
               "between the other things in the hole below 4 GiB");

int screen_owner(const struct blob *config)
{
    for (unsigned i = 0; i < blob_partition_count(config); i++) {
        if (blob_partition(config, i)->flags & BLOB_FRAMEBUFFER) {
            return (int)i;
        }
    }
    return BLOB_NOBODY;
}

struct boot_framebuffer screen_of_guest(const struct boot_framebuffer *host)
{
    struct boot_framebuffer guest = *host;
    guest.base = GUEST_SCREEN_ADDRESS + (host->base & (PLACE_ALIGN - 1));
    return guest;
}
