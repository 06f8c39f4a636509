// SPDX-License-Identifier: Apache-2.0
// Interrupt inputs that someone uses.
#ifndef HV_START_GSI_TAKEN_H
#define HV_START_GSI_TAKEN_H

#include <stdbool.h>
#include <stdint.h>

// Whether the console, ACPI or a device of a partition has the input. To be called when the
// partitions have their devices.
bool gsi_is_taken(uint32_t gsi);

#endif
