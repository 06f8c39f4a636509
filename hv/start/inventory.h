// SPDX-License-Identifier: Apache-2.0
// What the hypervisor shows when it is started without a configuration: what the machine has, and a
// configuration for it to begin with.
#ifndef HV_START_INVENTORY_H
#define HV_START_INVENTORY_H

#include "arch/cpu/topology.h"
#include "hv/start/inventory_devices.h"
#include "hv/start/inventory_plan.h"

// All that is printed. Large: not for the stack.
struct inventory {
    struct topology_place place[MAX_CPUS];
    struct inventory_device device[PCI_MAX_FUNCTIONS];
    struct inventory_plan plan;
};

// Prints both; the configuration only if it would start. `devices_known`: what came of
// passthrough_discover(), which has printed what is wrong. Boot CPU, on its own stack, before
// console_start().
void inventory_show(bool devices_known);

// The configuration, between marks that say where it begins and ends, without prefixes.
void inventory_print_config(const struct inventory *inventory);

// The functions that can't be kept apart from one: "00:1f.2, 00:1f.3" as far as there is room; ""
// if there is none that partitions may have.
#define INVENTORY_LIST_SIZE 96
const char *inventory_list_group(const struct pci_machine *pci, unsigned member,
                                 char list[INVENTORY_LIST_SIZE]);

#endif
