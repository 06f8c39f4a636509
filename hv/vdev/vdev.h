// SPDX-License-Identifier: Apache-2.0
// What all virtual devices have in common. A device is a pure state machine: it calls no other
// code, takes no lock, reads no clock. The caller serializes the accesses to one device (the
// partition's device lock) and passes the time that the device needs. Accesses come directly from a
// guest, so every register, value and size is handled. Reads where nothing is give all ones.
#ifndef HV_VDEV_VDEV_H
#define HV_VDEV_VDEV_H

#include <stdint.h>

// What an access requests for the whole partition.
enum vdev_event {
    VDEV_NONE = 0,
    VDEV_POWER_OFF, // soft-off (ACPI S5)
    VDEV_RESET,     // the guest asserted its reset line
    VDEV_BIOS_CALL, // a stub of the BIOS was entered (hv/exit/bios_call.h)
};

// What the bus returns if no device answers: `size` bytes of ones. Sizes above 4 count as 4.
static inline uint32_t vdev_all_ones(unsigned size)
{
    return size >= 4 ? UINT32_MAX : (1u << (8 * size)) - 1;
}

// An access wider than a byte to byte-wide registers is one access per byte, lowest address first,
// as on a PC's bus. This moves byte `i` of a read to its place in the result.
static inline uint32_t vdev_byte_at(uint8_t byte, unsigned i)
{
    return (uint32_t)byte << (8 * i);
}

#endif
