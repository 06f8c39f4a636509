// SPDX-License-Identifier: Apache-2.0
// The machine's PCI functions, whose each one is, and the lock around its IOMMUs. Filled by the
// boot CPU before any guest runs, constant afterwards.
#ifndef HV_MACHINE_PCI_H
#define HV_MACHINE_PCI_H

#include "arch/lib/spinlock.h"
#include "drivers/pci/pci.h"

struct machine_pci {
    struct pci_machine pci;
    int owner[PCI_MAX_FUNCTIONS]; // partition's index, or BLOB_NOBODY
    struct spinlock iommu_lock;   // around calls of iommu->...; interrupts off
};

extern struct machine_pci machine_pci;

#endif
