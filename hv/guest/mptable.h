// SPDX-License-Identifier: Apache-2.0
// The tables of the MultiProcessor Specification 1.4, for guests without ACPI: the floating pointer
// at 0xf0000, followed by the configuration table.
#ifndef HV_GUEST_MPTABLE_H
#define HV_GUEST_MPTABLE_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/machine/guest_platform.h"

struct guest_ram;

// Writes both into guest memory. ERR_INVALID: the platform is invalid. ERR_RANGE: the partition has
// no RAM there. On an error `error` describes it, without the partition's name.
enum status guest_mptable_write(const struct guest_ram *ram, const struct guest_platform *platform,
                                char *error, size_t error_size);

#endif
