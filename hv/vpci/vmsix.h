// SPDX-License-Identifier: Apache-2.0
// The MSI-X table that a guest sees instead of its function's (PCI 3.0, 6.8.2): entries in memory,
// shown at the trapped pages of a BAR. Relies on nothing. The caller programs the device's own
// table.
#ifndef HV_VPCI_VMSIX_H
#define HV_VPCI_VMSIX_H

#include "arch/lib/types.h"
#include "drivers/pci/defs.h"

struct vmsix_entry {
    uint8_t byte[PCI_MSIX_ENTRY_SIZE];
};

struct vmsix {
    struct vmsix_entry *entry; // the caller's memory, `count` of them
    unsigned count;            // vectors
    uint32_t table;            // offset of the table in its BAR
    uint16_t control;          // PCI_MSIX_ENABLE, PCI_MSIX_MASK_ALL
};

// Vectors `first` to `first` + `count` - 1 have changed; none if `count` is 0.
struct vmsix_change {
    unsigned first, count;
};

struct vmsix_message {
    uint64_t address;
    uint32_t data;
    bool live; // MSI-X is on, and neither this vector nor the function is masked
};

// All vectors masked, MSI-X off. `entry` has `count` entries; NULL and 0 for a function without
// MSI-X.
void vmsix_init(struct vmsix *m, struct vmsix_entry *entry, unsigned count, uint32_t table);
void vmsix_reset(struct vmsix *m);

// Sets the control register as the guest wrote it. Returns the vectors that this affects.
struct vmsix_change vmsix_set_control(struct vmsix *m, uint16_t control);

// The pages of the BAR that must be trapped, in bytes from the start of its first page: from
// `first` up to `end`, exclusive. `phase` is the BAR's offset in that page.
void vmsix_pages(const struct vmsix *m, uint32_t phase, uint64_t *first, uint64_t *end);

// Whether an access touches the table. If so use the functions below; else it is the caller's.
bool vmsix_hits(const struct vmsix *m, uint64_t offset, unsigned size);

// Accesses of 1, 2, 4 or 8 bytes at an offset in the BAR. Bytes outside the table read 0; writes to
// them are dropped.
uint64_t vmsix_read(const struct vmsix *m, uint64_t offset, unsigned size);
struct vmsix_change vmsix_write(struct vmsix *m, uint64_t offset, unsigned size, uint64_t value);

// What a vector is to send. `vector` < `count`.
struct vmsix_message vmsix_live(const struct vmsix *m, unsigned vector);

#endif
