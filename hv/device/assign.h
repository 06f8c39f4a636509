// SPDX-License-Identifier: Apache-2.0
// Which PCI function becomes whose: the configuration's `devices` against the machine. Decides
// only.
#ifndef HV_DEVICE_ASSIGN_H
#define HV_DEVICE_ASSIGN_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/iommu/iommu.h"
#include "drivers/pci/pci.h"
#include "hv/policy/io_policy.h"
#include "partitions/blob.h"

#define ASSIGN_TEXT_SIZE 320

// Where a function's registers must not lie, and why.
struct assign_kept {
    uint64_t base;
    uint64_t size;
    const char *why;
    const char *remedy; // NULL: there is none but another firmware
};

struct assign_input {
    const struct blob *config; // checked
    const struct pci_machine *pci;
    const struct iommu_ops *iommu; // NULL: the machine has none
    const struct assign_kept *kept;
    unsigned kept_count;
    const struct io_range *ports; // kept on this machine, beside those of every PC
    unsigned port_count;
    const struct pci_function *console; // the hypervisor's console, one of `pci`; or NULL
};

// Whether a function is of a kind that partitions may have: no bridge, no IOMMU.
bool assign_possible(const struct pci_function *f);

// Fills owner[] for all functions: a partition's index, or BLOB_NOBODY. Each thing that is wrong is
// given to `report` as one line without newline, which names the partition, the device, and what to
// do; so is a device that is allowed for want of an IOMMU. ERR_DENIED if anything was wrong;
// owner[] is then of no use.
enum status assign_devices(const struct assign_input *in, int owner[PCI_MAX_FUNCTIONS],
                           void (*report)(const char *text));

#endif
