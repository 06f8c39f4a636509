// SPDX-License-Identifier: Apache-2.0
// Host ports that are kept on this machine, in addition to those kept on every PC: ports that
// control power, sleep, system management and reset by the firmware's tables. Builds for the host.
#ifndef HV_MACHINE_KEPT_PORTS_H
#define HV_MACHINE_KEPT_PORTS_H

#include "drivers/acpi/acpi.h"
#include "hv/machine/io_range.h"

#define MACHINE_MAX_KEPT_PORTS 8

struct kept_port_rule {
    size_t field; // offset in struct acpi_info of the uint16_t with the first port; 0 in it if
                  // there is none
    unsigned count;
    const char *name;
    const char *reason;
};

// The table, for tests and for printing. ACPI's reset register is kept too if it is a port.
const struct kept_port_rule *kept_port_rules(unsigned *count);

// Finds the ranges of a machine with these tables. Returns their number.
unsigned kept_ports_find(const struct acpi_info *acpi, struct io_range out[MACHINE_MAX_KEPT_PORTS]);

#endif
