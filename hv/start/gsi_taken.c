// SPDX-License-Identifier: Apache-2.0
#include "hv/start/gsi_taken.h"

#include "hv/device/passthrough.h"
#include "hv/machine/machine.h"
#include "hv/partition/partition.h"

bool gsi_is_taken(uint32_t gsi)
{
    if (gsi == machine_console_gsi() || gsi == machine.acpi.sci_irq) {
        return true;
    }
    for (unsigned i = 0; i < partition_count; i++) {
        const struct passthrough *pt = partitions[i]->passthrough;
        for (unsigned n = 0; pt != NULL && n < GUEST_PCI_PINS; n++) {
            if ((pt->pins >> n & 1) && pt->pin[n].gsi == gsi) {
                return true;
            }
        }
    }
    return false;
}
