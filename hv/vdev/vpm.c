// SPDX-License-Identifier: Apache-2.0
// The PM1a registers byte by byte (ACPI 6.5, 4.8.3.1 and 4.8.3.2). Relies on nothing.
#include "hv/vdev/vpm.h"

#include "arch/lib/string.h"

// PM1 enable: timer, global lock, power button, sleep button, RTC, PCIe wake disable. Drivers check
// whether bits that they enable stay set, so all do. Only the power button's event ever occurs.
#define ENABLE_WRITABLE 0x4721
#define POWER_BUTTON    0x0100 // in both status and enable

#define CONTROL_SCI_EN        0x0001 // ACPI mode: always on, because there is no SMI to turn it on
#define CONTROL_SLP_TYP       0x1c00
#define CONTROL_SLP_TYP_SHIFT 10
#define CONTROL_SLP_EN        0x2000
// Bus master reload and the sleep type. The other bits are write-only or reserved.
#define CONTROL_WRITABLE (0x0002 | CONTROL_SLP_TYP)

void vpm_reset(struct vpm *pm)
{
    memset(pm, 0, sizeof(*pm));
    pm->control = CONTROL_SCI_EN;
}

static uint8_t read_byte(const struct vpm *pm, unsigned offset)
{
    switch (offset) {
    case VPM_STATUS:
        return (uint8_t)pm->status;
    case VPM_STATUS + 1:
        return (uint8_t)(pm->status >> 8);
    case VPM_ENABLE:
        return (uint8_t)pm->enable;
    case VPM_ENABLE + 1:
        return (uint8_t)(pm->enable >> 8);
    case VPM_CONTROL:
        return (uint8_t)pm->control;
    case VPM_CONTROL + 1:
        return (uint8_t)(pm->control >> 8);
    default:
        return 0xff;
    }
}

// Replaces byte `i` of `value`.
static uint16_t with_byte(uint16_t value, unsigned i, uint8_t byte)
{
    return (uint16_t)((value & 0xff00u >> (8 * i)) | (unsigned)byte << (8 * i));
}

static enum vdev_event write_byte(struct vpm *pm, unsigned offset, uint8_t byte)
{
    uint16_t value;

    switch (offset) {
    case VPM_STATUS: // writing ones clears bits
    case VPM_STATUS + 1:
        pm->status &= (uint16_t)~with_byte(0, offset - VPM_STATUS, byte);
        return VDEV_NONE;
    case VPM_ENABLE:
    case VPM_ENABLE + 1:
        pm->enable = with_byte(pm->enable, offset - VPM_ENABLE, byte) & ENABLE_WRITABLE;
        return VDEV_NONE;
    case VPM_CONTROL:
    case VPM_CONTROL + 1:
        // Sleep type and sleep enable are in the same byte, so an 8-bit write has both.
        value = with_byte(pm->control, offset - VPM_CONTROL, byte);
        pm->control = (value & CONTROL_WRITABLE) | CONTROL_SCI_EN;
        if ((value & CONTROL_SLP_EN) &&
            (value & CONTROL_SLP_TYP) >> CONTROL_SLP_TYP_SHIFT == VPM_SLP_TYP_S5)
            return VDEV_POWER_OFF;
        return VDEV_NONE;
    default:
        return VDEV_NONE;
    }
}

uint32_t vpm_read(const struct vpm *pm, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < size && i < 4; i++)
        value |= vdev_byte_at(read_byte(pm, offset + i), i);
    return value;
}

enum vdev_event vpm_write(struct vpm *pm, unsigned offset, unsigned size, uint32_t value)
{
    enum vdev_event event = VDEV_NONE;
    for (unsigned i = 0; i < size && i < 4; i++) {
        enum vdev_event e = write_byte(pm, offset + i, (uint8_t)(value >> (8 * i)));
        if (e != VDEV_NONE)
            event = e;
    }
    return event;
}

bool vpm_press_power_button(struct vpm *pm)
{
    pm->status |= POWER_BUTTON;
    return vpm_sci(pm);
}

bool vpm_sci(const struct vpm *pm)
{
    return (pm->status & pm->enable) != 0;
}
