// SPDX-License-Identifier: Apache-2.0
// What the hypervisor shows when it starts without a configuration: what the machine has, and a
// configuration for it as a starting point.
#ifndef HV_START_INVENTORY_H
#define HV_START_INVENTORY_H

#include "arch/cpu/topology.h"
#include "hv/start/inventory_devices.h"
#include "hv/start/inventory_plan.h"

// The data that is printed. Too large for the stack.
struct inventory {
    struct topology_place place[MAX_CPUS];
    struct inventory_device device[PCI_MAX_FUNCTIONS];
    struct inventory_plan plan;
};

// Prints both; the configuration only if it would start. `devices_known`: whether
// passthrough_discover() succeeded; it has printed its errors. Boot CPU, on its own stack, before
// console_start().
void inventory_show(bool devices_known);

// Prints the configuration without prefixes, between marks for its beginning and end.
void inventory_print_config(const struct inventory *inventory);

// Lists the functions that can't be isolated from one function, as many as fit: "00:1f.2, 00:1f.3".
// "" if partitions may have none of them.
#define INVENTORY_LIST_SIZE 96
const char *inventory_list_group(const struct pci_machine *pci, unsigned member,
                                 char list[INVENTORY_LIST_SIZE]);

#endif
