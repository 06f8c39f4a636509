// SPDX-License-Identifier: Apache-2.0
// The ACPI PM1a event and control blocks (ACPI 6.5, 4.8.3), just enough for a guest to find ACPI
// mode on, to power itself off, and to see its power button pressed, which raises the SCI. There is
// no other event source. The PM timer is the physical one and not here.
#ifndef HV_VDEV_VPM_H
#define HV_VDEV_VPM_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/vdev/vdev.h"

// Register offsets from the PM1 base port. The event block is 4 bytes, the control block 2.
#define VPM_STATUS  0
#define VPM_ENABLE  2
#define VPM_CONTROL 4
#define VPM_BYTES   6

// The sleep type that the DSDT's _S5 names.
#define VPM_SLP_TYP_S5 5

struct vpm {
    uint16_t status; // nothing but the power button's bit
    uint16_t enable;
    uint16_t control;
};

void vpm_reset(struct vpm *pm);

// `offset` from the PM1 base; bytes beyond VPM_BYTES read as ones and take no writes.
uint32_t vpm_read(const struct vpm *pm, unsigned offset, unsigned size);

// VDEV_POWER_OFF when SLP_EN is written with S5's sleep type; other sleep types do nothing.
enum vdev_event vpm_write(struct vpm *pm, unsigned offset, unsigned size, uint32_t value);

// Someone presses the power button. False: the guest has not enabled its event, so that it will not
// see it before it does.
bool vpm_press_power_button(struct vpm *pm);

// Level of the SCI: whether an event that the guest has enabled waits for it.
bool vpm_sci(const struct vpm *pm);

#endif
