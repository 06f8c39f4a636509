// SPDX-License-Identifier: Apache-2.0
// Which PCI functions the inventory proposes for a partition: all that may be given away, as far as
// one partition can have them together. Asks the code that gives them away when one starts.
#ifndef HV_START_INVENTORY_DEVICES_H
#define HV_START_INVENTORY_DEVICES_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/pci/pci.h"

enum inventory_verdict {
    INVENTORY_MACHINE, // a bridge or an IOMMU: the machine's own
    INVENTORY_REFUSED, // can't be given away
    INVENTORY_LEFT,    // can, but not together with those that are proposed, or better not
    INVENTORY_GIVEN,   // proposed; without an IOMMU its partition would have to be trusted
};

struct inventory_device {
    enum inventory_verdict verdict;
    char why[256]; // of INVENTORY_REFUSED and INVENTORY_LEFT
};

// Judges all functions of the machine into `out`, which is indexed as they are. Behind
// passthrough_discover(); boot CPU. Borrows from the heap: ERR_NO_MEMORY.
enum status inventory_devices(struct inventory_device out[PCI_MAX_FUNCTIONS]);

#endif
