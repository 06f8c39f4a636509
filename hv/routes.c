// SPDX-License-Identifier: Apache-2.0
// The routes, in the order in which one needs the other.
#include "hv/routes.h"

#include "arch/percpu.h"
#include "drivers/console.h"
#include "drivers/iommu.h"
#include "hv/comparator.h"
#include "hv/console_cpu.h"
#include "hv/machine.h"
#include "hv/partition.h"
#include "hv/passthrough.h"
#include "hv/serial.h"
#include "hv/timer.h"

// Whether the console, ACPI or a device of a partition has the input.
static bool gsi_is_taken(uint32_t gsi)
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

enum status routes_start(void)
{
    enum status s = machine_map_ioapics();
    if (s != STATUS_OK) {
        return s;
    }
    machine.console_cpu = console_cpu_choose(&machine.acpi, machine.cpu_owner);
    // A partition's CPU belongs to its guest, timer and all: only one of nobody's can tick.
    comparators_start(gsi_is_taken);
    timers_start();
    console_set_ticker(machine.cpu_owner[machine.console_cpu].partition == BLOB_NOBODY);
    serial_route();
    if (iommu != NULL) {
        iommu->fault_nmi(cpus[machine.console_cpu]->apic_id);
    }
    return STATUS_OK;
}
