// SPDX-License-Identifier: Apache-2.0
// A partition's ACPI tables as a guest finds them, for the tests of their contents.
#ifndef TESTS_UNIT_GUEST_ACPI_FIXTURE_H
#define TESTS_UNIT_GUEST_ACPI_FIXTURE_H

#include "hv/machine/guest_platform.h"
#include "tests/unit/fake_guest_ram.h"

// Two CPUs and no PCI bus.
extern const struct guest_platform usual_platform;

// The same with a PCI bus.
struct guest_platform platform_with_pci(void);

// Writes the tables into a fresh partition.
void write_tables(struct fake_ram *p, const struct guest_platform *pf);

// As old kernels do: the first of the scan is ours and its checksum holds.
uint64_t scan_for_rsdp(const struct fake_ram *p);

// The address of a table, looked for through the XSDT, and through the RSDT to the same result.
uint64_t find_table(const struct fake_ram *p, const char *signature);

// What the bytes sum to.
uint8_t table_sum(const struct fake_ram *p, uint64_t at, uint64_t size);

#endif
