// SPDX-License-Identifier: Apache-2.0
// The admin queue of an NVMe controller for the test guests (NVM Express 1.4): enough to make it
// read and write memory at any 64-bit address at once, and to make it send its first MSI-X message.

#ifndef TESTS_GUESTS_NVME_H
#define TESTS_GUESTS_NVME_H

#include "tests/guests/pci.h"

struct nvme {
    pci_where_t where;
    uint64_t base;            // of its registers
    volatile uint32_t *table; // of MSI-X, four words an entry
    unsigned vectors;
    unsigned msix;              // offset of the capability
    unsigned tail, head, phase; // of the queues
};

// Finds QEMU's controller and turns it on, MSI-X on but masked. False: there is none, or it does
// not come up, which is printed.
bool nvme_open(struct nvme *n);
// Commands; false: the controller reports an error, or does not answer. QEMU's reports none when
// its DMA is refused. To identify writes 4096 bytes to memory. To fetch reads 8 bytes from there,
// of which it brings the lower 6, a few more than there were; 0 if all are 0. The last touches no
// memory.
bool nvme_identify(struct nvme *n, uint64_t memory);
bool nvme_fetch(struct nvme *n, uint64_t memory, uint64_t *value);
bool nvme_nothing(struct nvme *n);

// Turns MSI-X on or off, with the mask of the whole function or without.
void nvme_msix(const struct nvme *n, bool on, bool masked);
void nvme_vector(const struct nvme *n, unsigned vector, uint64_t address, uint32_t data,
                 bool masked);

#endif
