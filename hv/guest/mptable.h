// SPDX-License-Identifier: Apache-2.0
// The tables of the MultiProcessor Specification 1.4 for guests that know no ACPI: the floating
// pointer at 0xf0000 and the configuration table behind it.
#ifndef HV_GUEST_MPTABLE_H
#define HV_GUEST_MPTABLE_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/machine/guest_platform.h"

struct guest_ram;

// Writes both into guest memory. ERR_INVALID: the platform makes no sense; ERR_RANGE: the partition
// has no RAM there. `error` then says what, without naming the partition.
enum status guest_mptable_write(const struct guest_ram *ram, const struct guest_platform *platform,
                                char *error, size_t error_size);

#endif
