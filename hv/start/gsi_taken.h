// SPDX-License-Identifier: Apache-2.0
// Interrupt inputs that are in use.
#ifndef HV_START_GSI_TAKEN_H
#define HV_START_GSI_TAKEN_H

#include <stdbool.h>
#include <stdint.h>

// Whether the console, ACPI or a partition's device uses the input. Call after devices were
// assigned to the partitions.
bool gsi_is_taken(uint32_t gsi);

#endif
