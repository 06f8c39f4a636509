// SPDX-License-Identifier: Apache-2.0
// The SMBIOS tables that a guest finds, and that dmidecode shows: firmware, system, chassis,
// processors and memory of its partition. They are in the firmware's part of the first MiB, where
// guests scan.
#ifndef HV_GUEST_SMBIOS_H
#define HV_GUEST_SMBIOS_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/machine/guest_platform.h"

struct guest_ram;

#define GUEST_UUID_SIZE 16u

struct guest_identity {
    const char *name;    // the partition's; serial number of the system, asset tag of the chassis
    const char *version; // Bulkhead's
    const uint8_t *uuid; // GUEST_UUID_SIZE bytes, in the order of a written UUID
    uint64_t memory;     // bytes of RAM
};

// Writes entry point and tables into guest memory, at GUEST_SMBIOS. ERR_NO_MEMORY: they don't fit
// there. ERR_RANGE: the partition has no RAM there. On an error `error` describes it, without the
// partition's name.
enum status guest_smbios_write(const struct guest_ram *ram, const struct guest_platform *platform,
                               const struct guest_identity *identity, char *error,
                               size_t error_size);

#endif
