// SPDX-License-Identifier: Apache-2.0
// Chooses by rank.
#include "hv/machine/console_cpu.h"

#include "arch/interrupt/apic_defs.h"

unsigned console_cpu_choose(const struct acpi_info *acpi, const struct blob_cpu_owner *owner)
{
    unsigned chosen = 0, best = 0;
    for (unsigned i = 0; i < acpi->cpu_count; i++) {
        unsigned rank = (acpi->cpus[i].apic_id <= APIC_XAPIC_LAST_ID ? 2u : 0u) +
                        (owner[i].partition == BLOB_NOBODY ? 1u : 0u);
        if (rank > best) {
            best = rank;
            chosen = i;
        }
    }
    return chosen;
}
