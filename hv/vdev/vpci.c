// SPDX-License-Identifier: Apache-2.0
// The PCI configuration ports in front of an empty bus. Relies on nothing.
#include "hv/vdev/vpci.h"

#include "arch/string.h"
#include "hv/vdev/vdev.h"

#define PORT_ADDRESS 0xcf8

void vpci_reset(struct vpci *p)
{
    memset(p, 0, sizeof(*p));
}

uint32_t vpci_read(const struct vpci *p, uint16_t port, unsigned size)
{
    if (port == PORT_ADDRESS && size == 4)
        return p->address;
    return vdev_all_ones(size); // no function answers: master abort
}

struct vpci_effect vpci_write(struct vpci *p, uint16_t port, unsigned size, uint32_t value)
{
    if (port == PORT_ADDRESS && size == 4)
        p->address = value;
    return (struct vpci_effect){0, NULL};
}
