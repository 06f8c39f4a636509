// SPDX-License-Identifier: Apache-2.0
// What all virtual devices have in common. A device is a state machine and nothing else: it calls
// nobody, takes no lock, reads no clock. The caller serializes the accesses to one device (the
// partition's device lock) and passes in whatever time the device needs. Accesses come straight
// from a guest: any register, any value and any size is answered, reads of what isn't there with
// all ones.
#ifndef HV_VDEV_VDEV_H
#define HV_VDEV_VDEV_H

#include <stdint.h>

// What an access asks of the partition as a whole.
enum vdev_event {
    VDEV_NONE = 0,
    VDEV_POWER_OFF, // soft-off (ACPI S5)
    VDEV_RESET,     // the guest pulled its reset line
    VDEV_BIOS_CALL, // a stub of the BIOS was entered (hv/exit/bios_call.h)
};

// What the bus carries when no device answers: `size` bytes of ones; sizes above 4 count as 4.
static inline uint32_t vdev_all_ones(unsigned size)
{
    return size >= 4 ? UINT32_MAX : (1u << (8 * size)) - 1;
}

// An access wider than a byte to byte-wide registers is one access per byte, lowest address first,
// as the bus of a PC splits it. Reads put byte `i` of the result where it belongs.
static inline uint32_t vdev_byte_at(uint8_t byte, unsigned i)
{
    return (uint32_t)byte << (8 * i);
}

#endif
