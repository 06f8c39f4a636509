// SPDX-License-Identifier: Apache-2.0
// The ACPI PM1a event and control blocks (ACPI 6.5, 4.8.3). A guest can see that ACPI mode is on,
// power itself off, and see its power button pressed, which raises the SCI. There is no other event
// source. The PM timer is the physical one.
#ifndef HV_VDEV_VPM_H
#define HV_VDEV_VPM_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/vdev/vdev.h"

// Register offsets from the PM1 base port. The event block has 4 bytes, the control block 2.
#define VPM_STATUS  0
#define VPM_ENABLE  2
#define VPM_CONTROL 4
#define VPM_BYTES   6

// The sleep type in the DSDT's _S5.
#define VPM_SLP_TYP_S5 5

struct vpm {
    uint16_t status; // only the power button's bit
    uint16_t enable;
    uint16_t control;
};

void vpm_reset(struct vpm *pm);

// `offset` is from the PM1 base. Bytes beyond VPM_BYTES read as ones; writes to them are dropped.
uint32_t vpm_read(const struct vpm *pm, unsigned offset, unsigned size);

// VDEV_POWER_OFF if SLP_EN is written with S5's sleep type. Other sleep types do nothing.
enum vdev_event vpm_write(struct vpm *pm, unsigned offset, unsigned size, uint32_t value);

// Presses the power button. False if the guest has not enabled its event; it then sees the press
// when it enables it.
bool vpm_press_power_button(struct vpm *pm);

// Level of the SCI: whether an enabled event is pending.
bool vpm_sci(const struct vpm *pm);

#endif
