// SPDX-License-Identifier: Apache-2.0
// The check of interrupt messages (MSI) of a partition's devices. Turns what the guest wrote to MSI
// registers into the interrupt of one of its own CPUs, or into nothing. Pure.
#ifndef HV_INTERRUPT_MSI_CHECK_H
#define HV_INTERRUPT_MSI_CHECK_H

#include "arch/lib/types.h"
#include "hv/interrupt/icr.h"

struct msi_target {
    unsigned vcpu;
    uint8_t vector;
};

// Judges a message as the guest wrote it, in the format without interrupt remapping (SDM vol. 3,
// 11.11.1 and 11.11.2; APM vol. 2, 16.10). It uses icr_check(), because a device's message is
// treated like an IPI. False: it makes no interrupt. Then *reason says why, or is NULL if no CPU
// listens there. Of several destinations only the first gets it, because a device's interrupt has
// one destination.
bool msi_check(const struct icr_topology *t, uint64_t address, uint32_t data,
               struct msi_target *target, const char **reason);

#endif
