// SPDX-License-Identifier: Apache-2.0
// What a partition has where a PC has its BIOS. Code at the reset vector restarts the partition. A
// stub for each real-mode interrupt reports the call to the hypervisor (hv/exit/bios_call.h). There
// is no BIOS.
#ifndef HV_GUEST_BIOS_H
#define HV_GUEST_BIOS_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

struct guest_ram;

// In the partition's RAM they are in the last page of the first MiB, GUEST_BIOS. The reset vector
// is also in a page of its own at GUEST_RESET_PAGE, the last page below 4 GiB, where processors
// start.
#define GUEST_BIOS_PORT    0xb1u // the stubs write to it
#define GUEST_BIOS_STEP    4u // size of a stub; the stub of interrupt n is at GUEST_BIOS + n * this
#define GUEST_BIOS_VECTORS 256u

// The last bytes of both pages, from the reset vector on.
#define GUEST_RESET_SIZE   16u
#define GUEST_RESET_OFFSET (PAGE_SIZE - GUEST_RESET_SIZE)
extern const uint8_t guest_reset_code[GUEST_RESET_SIZE];

// Writes the page into RAM, which must be zero there, and the real-mode interrupt vectors that
// point to it. ERR_RANGE: no RAM there.
enum status guest_bios_write(const struct guest_ram *ram);

#endif
