// SPDX-License-Identifier: Apache-2.0
// Chooses the CPU that serves the console, by the CPUs' owners and APIC IDs.
#ifndef HV_MACHINE_CONSOLE_CPU_H
#define HV_MACHINE_CONSOLE_CPU_H

#include "drivers/acpi/acpi.h"
#include "partitions/blob.h"

// The first unowned CPU that a device's interrupt reaches in every configuration, that is, whose
// APIC ID fits into 8 bits. Else the first CPU with such an ID; else the first unowned CPU; else 0.
unsigned console_cpu_choose(const struct acpi_info *acpi, const struct blob_cpu_owner *owner);

#endif
