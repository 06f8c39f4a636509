// SPDX-License-Identifier: Apache-2.0
// Which virtual device answers at which I/O port. The table is complete: at any other port reads
// give ones and writes are dropped.
#ifndef HV_VDEV_PORTS_H
#define HV_VDEV_PORTS_H

#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"

enum vdev_port {
    VDEV_PORT_NONE = 0, // no device: reads as ones, writes dropped
    VDEV_PORT_SILENT,   // the same, on purpose
    VDEV_PORT_PIC,      // vpic
    VDEV_PORT_PIT,      // vpit_read(), vpit_write()
    VDEV_PORT_61,       // vpit_port61_read(), vpit_port61_write()
    VDEV_PORT_RTC,      // vrtc
    VDEV_PORT_RESET,    // vreset
    VDEV_PORT_BIOS,     // BIOS stubs write here: bios_call()
    VDEV_PORT_UART,     // vuart, register = port - VDEV_UART_BASE
    VDEV_PORT_CRTC,     // vcrtc
    VDEV_PORT_PCI,      // vpci
    VDEV_PORT_PM,       // vpm, offset = port - the base given to vdev_ports_init()
};

#define VDEV_UART_BASE 0x3f8

struct vdev_port_range {
    uint16_t first; // VDEV_PORT_PM: relative to the base given to vdev_ports_init()
    uint16_t last;  // inclusive
    enum vdev_port device;
    const char *reason;
};

extern const struct vdev_port_range vdev_port_ranges[];
extern const size_t vdev_port_range_count;

// Each port below this has a byte in the map; no virtual device is above.
#define VDEV_PORT_MAP_SIZE 0x1000
extern uint8_t vdev_port_map[VDEV_PORT_MAP_SIZE];

// Builds the map; once, at boot, before other CPUs read it. `pm_base` is the port of PM1: a
// multiple of 4, below VDEV_PORT_MAP_SIZE. ERR_INVALID if it is not, ERR_EXISTS if another device
// is there; then PM1 is left out, and all others are in place.
enum status vdev_ports_init(uint16_t pm_base);

// The device at `port`. An access of several bytes belongs to the device at its first port. The
// device answers for those of the bytes that are its own; the others read as ones.
static inline enum vdev_port vdev_port_lookup(uint16_t port)
{
    return port < VDEV_PORT_MAP_SIZE ? (enum vdev_port)vdev_port_map[port] : VDEV_PORT_NONE;
}

#endif
