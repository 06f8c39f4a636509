// SPDX-License-Identifier: Apache-2.0
// PCI configuration mechanism 1: the address latch at port 0xcf8 and the data window at 0xcfc.
// The bus behind it is empty.
#ifndef HV_VDEV_VPCI_H
#define HV_VDEV_VPCI_H

#include <stdint.h>

struct vpci {
    uint32_t address; // the latch at 0xcf8
};

void vpci_reset(struct vpci *p);

// Ports 0xcf8 and 0xcfc..0xcff. The latch answers 32-bit accesses only (PCI 3.0, 3.2.2.3.2): byte
// 0xcf9 on its own is the reset control register, see vreset.h. Everything else reads as ones and
// takes no writes.
uint32_t vpci_read(const struct vpci *p, uint16_t port, unsigned size);
void vpci_write(struct vpci *p, uint16_t port, unsigned size, uint32_t value);

#endif
