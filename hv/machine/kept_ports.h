// SPDX-License-Identifier: Apache-2.0
// Host ports that are kept on this machine beside those kept on every PC: what the firmware's
// tables say controls power, sleep, system management and reset. Builds for the host.
#ifndef HV_MACHINE_KEPT_PORTS_H
#define HV_MACHINE_KEPT_PORTS_H

#include "drivers/acpi/acpi.h"
#include "hv/machine/io_range.h"

#define MACHINE_MAX_KEPT_PORTS 8

struct kept_port_rule {
    size_t field; // of struct acpi_info: the uint16_t with the first port, 0 if there is none
    unsigned count;
    const char *name;
    const char *reason;
};

// The table, for tests and for printing it. ACPI's reset register is kept too, where it is a port.
const struct kept_port_rule *kept_port_rules(unsigned *count);

// The ranges of a machine with these tables; their number.
unsigned kept_ports_find(const struct acpi_info *acpi, struct io_range out[MACHINE_MAX_KEPT_PORTS]);

#endif
