// SPDX-License-Identifier: Apache-2.0
// The ACPI tables that a guest finds: RSDP, RSDT, XSDT, FADT, FACS, MADT, and the DSDT that iasl
// compiled from hv/guest/dsdt.asl. With a PCI bus also MCFG and the SSDT of hv/guest/pci.asl. They
// are in the firmware's part of the first MiB.
#ifndef HV_GUEST_ACPI_H
#define HV_GUEST_ACPI_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/machine/guest_platform.h"

struct guest_ram;

// What the guest writes to the SLP_TYP field (bits 12:10) of PM1 control, with SLP_EN (bit 13), to
// power off. hv/guest/dsdt.asl has the same number in \_S5; a unit test compares them.
#define GUEST_ACPI_S5_SLP_TYP 5

// Writes all tables into guest memory and returns the RSDP's address, which is where kernels scan
// for it (0xe0000-0xfffff, a multiple of 16). ACPI is always enabled: there is no SMI command.
// ERR_INVALID: the platform is invalid. ERR_RANGE: the partition has no RAM there. On an error
// `error` describes it, without the partition's name.
enum status guest_acpi_write(const struct guest_ram *ram, const struct guest_platform *platform,
                             gpa_t *rsdp, char *error, size_t error_size);

#endif
