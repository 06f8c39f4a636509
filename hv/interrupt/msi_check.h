// SPDX-License-Identifier: Apache-2.0
// The check of the messages that a partition's devices interrupt with: what the guest wrote to MSI
// registers becomes the interrupt of one of its own CPUs, or nothing. Pure.
#ifndef HV_INTERRUPT_MSI_CHECK_H
#define HV_INTERRUPT_MSI_CHECK_H

#include "arch/lib/types.h"
#include "hv/interrupt/icr.h"

struct msi_target {
    unsigned vcpu;
    uint8_t vector;
};

// Judges a message as the guest wrote it, in the format without interrupt remapping (SDM vol. 3,
// 11.11.1 and 11.11.2; APM vol. 2, 16.10), by icr_check(): a device's message goes the way of an
// IPI. False: it makes no interrupt; *reason says why, or is NULL if nobody listens there (any
// more). Of several destinations the first gets it: a device's interrupt has one.
bool msi_check(const struct icr_topology *t, uint64_t address, uint32_t data,
               struct msi_target *target, const char **reason);

#endif
