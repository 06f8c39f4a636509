// SPDX-License-Identifier: Apache-2.0
// Finds the kept ports in the data of the FADT.
#include "hv/machine/kept_ports.h"

#include <stddef.h>

static const char events[] = "the machine's power management events";
static const char power_off[] = "the machine's power-off";

#define FIELD(name) offsetof(struct acpi_info, name)

static const struct kept_port_rule rules[] = {
    {FIELD(pm1a_event_port), 4, "PM1a event block", events},
    {FIELD(pm1b_event_port), 4, "PM1b event block", events},
    {FIELD(pm1a_control_port), 2, "PM1a control block", power_off},
    {FIELD(pm1b_control_port), 2, "PM1b control block", power_off},
    {FIELD(smi_command_port), 1, "SMI command", "calls the firmware's system management mode"},
};

_Static_assert(ARRAY_SIZE(rules) + 2 <= MACHINE_MAX_KEPT_PORTS,
               "and the reset register, and the console (hv/console/serial.c)");

const struct kept_port_rule *kept_port_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}

static unsigned keep(struct io_range *out, uint16_t first, unsigned count, const char *reason)
{
    if (first == 0) {
        return 0;
    }
    *out = (struct io_range){first, (uint16_t)(first + count - 1), reason};
    return 1;
}

unsigned kept_ports_find(const struct acpi_info *acpi, struct io_range out[MACHINE_MAX_KEPT_PORTS])
{
    unsigned found = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        uint16_t first = *(const uint16_t *)((const char *)acpi + rules[i].field);
        found += keep(&out[found], first, rules[i].count, rules[i].reason);
    }
    if (acpi->reset.kind == ACPI_RESET_IO) {
        found += keep(&out[found], (uint16_t)acpi->reset.address, 1, "the machine's reset");
    }
    return found;
}
