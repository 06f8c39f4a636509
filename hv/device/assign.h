// SPDX-License-Identifier: Apache-2.0
// Decides which partition owns which PCI function: checks the configuration's `devices` against the
// machine. Changes nothing.
#ifndef HV_DEVICE_ASSIGN_H
#define HV_DEVICE_ASSIGN_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/iommu/iommu.h"
#include "drivers/pci/pci.h"
#include "hv/policy/io_policy.h"
#include "partitions/blob.h"

#define ASSIGN_TEXT_SIZE 320

// A range that a function's registers must not overlap, and why.
struct assign_kept {
    uint64_t base;
    uint64_t size;
    const char *why;
    const char *remedy; // NULL: only other firmware would help
};

struct assign_input {
    const struct blob *config; // checked
    const struct pci_machine *pci;
    const struct iommu_ops *iommu; // NULL if the machine has none
    const struct assign_kept *kept;
    unsigned kept_count;
    const struct io_range *ports; // kept on this machine, in addition to those of every PC
    unsigned port_count;
    const struct pci_function *console; // one of `pci`: the hypervisor's console; or NULL
};

// Whether a function is of a kind that partitions may have: no bridge, no IOMMU.
bool assign_possible(const struct pci_function *f);

// Fills owner[] for all functions: a partition's index, or BLOB_NOBODY. Reports each error as one
// line without newline, which names the partition, the device, and the remedy. Also reports a
// device that is allowed although there is no IOMMU. ERR_DENIED if there was an error; owner[] is
// then invalid.
enum status assign_devices(const struct assign_input *in, int owner[PCI_MAX_FUNCTIONS],
                           void (*report)(const char *text));

#endif
