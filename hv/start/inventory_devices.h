// SPDX-License-Identifier: Apache-2.0
// Which PCI functions the inventory proposes for a partition: all that may be assigned and that one
// partition can have together. Asks the code that assigns them at a real start.
#ifndef HV_START_INVENTORY_DEVICES_H
#define HV_START_INVENTORY_DEVICES_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/pci/pci.h"

enum inventory_verdict {
    INVENTORY_MACHINE, // a bridge or an IOMMU, which stays with the machine
    INVENTORY_REFUSED, // can't be assigned
    INVENTORY_LEFT,    // can be assigned, but not together with the proposed ones, or better not
    INVENTORY_GIVEN,   // proposed; without an IOMMU only a trusted partition can have it
};

struct inventory_device {
    enum inventory_verdict verdict;
    char why[256]; // reason for INVENTORY_REFUSED and INVENTORY_LEFT
};

// Judges all functions of the machine. `out` has the same indices as the functions. Call after
// passthrough_discover(); boot CPU. Uses heap temporarily: ERR_NO_MEMORY.
enum status inventory_devices(struct inventory_device out[PCI_MAX_FUNCTIONS]);

#endif
