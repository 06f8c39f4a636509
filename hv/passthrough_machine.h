// SPDX-License-Identifier: Apache-2.0
// The machine's side of passthrough, shared by the hv/passthrough*.c files and the audit.
#ifndef HV_PASSTHROUGH_MACHINE_H
#define HV_PASSTHROUGH_MACHINE_H

#include "arch/spinlock.h"
#include "drivers/pci.h"

struct passthrough_machine {
    struct pci_machine pci;
    int owner[PCI_MAX_FUNCTIONS]; // partition's index, or BLOB_NOBODY
    struct spinlock iommu_lock;   // around calls of iommu->...; interrupts off
};

extern struct passthrough_machine passthrough_machine;

#endif
