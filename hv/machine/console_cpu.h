// SPDX-License-Identifier: Apache-2.0
// Which CPU serves the console: a decision by what the others are for.
#ifndef HV_MACHINE_CONSOLE_CPU_H
#define HV_MACHINE_CONSOLE_CPU_H

#include "drivers/acpi/acpi.h"
#include "partitions/blob.h"

// The first CPU that a device's interrupt reaches by whatever way (its APIC ID fits into 8 bits)
// and that is nobody's; else the first that one reaches; else the first of nobody's; else 0.
unsigned console_cpu_choose(const struct acpi_info *acpi, const struct blob_cpu_owner *owner);

#endif
