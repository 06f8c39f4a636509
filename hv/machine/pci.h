// SPDX-License-Identifier: Apache-2.0
// The machine's PCI functions, their owners, and the lock for its IOMMUs. Filled by the boot CPU
// before any guest runs, constant afterwards.
#ifndef HV_MACHINE_PCI_H
#define HV_MACHINE_PCI_H

#include "arch/lib/spinlock.h"
#include "drivers/pci/pci.h"

struct machine_pci {
    struct pci_machine pci;
    int owner[PCI_MAX_FUNCTIONS]; // a partition's index, or BLOB_NOBODY
    struct spinlock iommu_lock;   // held during calls of iommu->...; interrupts off
};

extern struct machine_pci machine_pci;

#endif
