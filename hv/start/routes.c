// SPDX-License-Identifier: Apache-2.0
// Sets the routes, in the order in which they depend on each other.
#include "hv/start/routes.h"

#include "arch/memory/percpu.h"
#include "drivers/console/console.h"
#include "drivers/iommu/iommu.h"
#include "hv/console/serial.h"
#include "hv/machine/console_cpu.h"
#include "hv/machine/machine.h"
#include "hv/partition/comparator.h"
#include "hv/partition/timer.h"
#include "hv/start/gsi_taken.h"

enum status routes_start(void)
{
    enum status s = machine_map_ioapics();
    if (s != STATUS_OK) {
        return s;
    }
    machine.console_cpu = console_cpu_choose(&machine.acpi, machine.cpu_owner);
    // A partition's CPU belongs to its guest, including its timer, so only an unowned CPU can tick.
    comparators_start(gsi_is_taken);
    timers_start();
    console_set_ticker(machine.cpu_owner[machine.console_cpu].partition == BLOB_NOBODY);
    serial_route();
    if (iommu != NULL) {
        iommu->fault_nmi(cpus[machine.console_cpu]->apic_id);
    }
    return STATUS_OK;
}
