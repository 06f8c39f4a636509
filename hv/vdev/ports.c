// SPDX-License-Identifier: Apache-2.0
// The table of emulated I/O ports, and the byte map built from it. Relies on nothing.
#include "hv/vdev/ports.h"

#include <stdbool.h>

#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "hv/vdev/vpm.h"

const struct vdev_port_range vdev_port_ranges[] = {
    {0x020, 0x021, VDEV_PORT_PIC, "first 8259: the timer of kernels that know no other"},
    {0x040, 0x043, VDEV_PORT_PIT,
     "8254: channel 0 interrupts, and Linux calibrates its TSC with channel 2"},
    {0x060, 0x060, VDEV_PORT_RESET, "keyboard controller data: absent"},
    {0x061, 0x061, VDEV_PORT_61, "gate and output of 8254 channel 2, refresh toggle"},
    {0x064, 0x064, VDEV_PORT_RESET, "keyboard controller command: pulse the reset line"},
    {0x070, 0x071, VDEV_PORT_RTC, "real-time clock and CMOS memory"},
    {0x080, 0x080, VDEV_PORT_SILENT, "POST code, and Linux's delay: goes nowhere"},
    {0x092, 0x092, VDEV_PORT_RESET, "system control port A: A20 and fast reset"},
    {0x0a0, 0x0a1, VDEV_PORT_PIC, "second 8259"},
    {0x0b1, 0x0b1, VDEV_PORT_BIOS, "written by the stubs that stand for a BIOS, in real mode"},
    {0x3b4, 0x3b5, VDEV_PORT_CRTC, "CRT controller of a monochrome screen: storage"},
    {0x3d4, 0x3d5, VDEV_PORT_CRTC, "CRT controller: storage, so that a cursor can be read back"},
    {0x3f8, 0x3ff, VDEV_PORT_UART, "COM1, the partition's console"},
    {0x4d0, 0x4d1, VDEV_PORT_PIC, "8259 edge/level registers"},
    {0xcf8, 0xcf8, VDEV_PORT_PCI, "PCI configuration address, 32-bit accesses only"},
    {0xcf9, 0xcf9, VDEV_PORT_RESET, "reset control register"},
    {0xcfa, 0xcfb, VDEV_PORT_PCI, "upper bytes of the PCI address: nothing of their own"},
    {0xcfc, 0xcff, VDEV_PORT_PCI, "PCI configuration data of the function in the address"},
    {0, VPM_BYTES - 1, VDEV_PORT_PM, "ACPI PM1 event and control: power-off"},
};

const size_t vdev_port_range_count = ARRAY_SIZE(vdev_port_ranges);

uint8_t vdev_port_map[VDEV_PORT_MAP_SIZE];

static bool all_free(unsigned first, unsigned last)
{
    for (unsigned port = first; port <= last; port++) {
        if (vdev_port_map[port] != VDEV_PORT_NONE)
            return false;
    }
    return true;
}

enum status vdev_ports_init(uint16_t pm_base)
{
    bool pm_fits = is_aligned(pm_base, 4) && pm_base + VPM_BYTES <= VDEV_PORT_MAP_SIZE;
    enum status status = pm_fits ? STATUS_OK : ERR_INVALID;

    memset(vdev_port_map, VDEV_PORT_NONE, sizeof(vdev_port_map));
    // PM1 is the last row, so that all other ports are known when its place is checked.
    for (size_t i = 0; i < vdev_port_range_count; i++) {
        const struct vdev_port_range *r = &vdev_port_ranges[i];
        unsigned base = r->device == VDEV_PORT_PM ? pm_base : 0;
        if (r->device == VDEV_PORT_PM) {
            if (!pm_fits)
                continue;
            if (!all_free(base + r->first, base + r->last)) {
                status = ERR_EXISTS;
                continue;
            }
        }
        memset(&vdev_port_map[base + r->first], (int)r->device, (size_t)(r->last - r->first) + 1);
    }
    return status;
}
