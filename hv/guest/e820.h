// SPDX-License-Identifier: Apache-2.0
// The guest-physical memory layout of a partition, and how a PC's firmware tells it: the e820 map
// and the two words of the BIOS data area. Everything that places or maps guest RAM agrees on it.
#ifndef HV_GUEST_E820_H
#define HV_GUEST_E820_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/machine/guest_platform.h"
#include "hv/memory/guest_layout.h"

struct guest_ram;

// The first MiB is all backed by RAM. From here to its end it is the firmware's: the extended BIOS
// data area, then what a PC has for video memory and ROM, where our tables lie.
#define GUEST_EBDA         0x9fc00ull
#define GUEST_EBDA_SIZE    0x400ull
#define GUEST_ACPI_TABLES  0xe0000ull // to GUEST_MP_TABLES
#define GUEST_MP_TABLES    0xf0000ull // to GUEST_SMBIOS
#define GUEST_SMBIOS       0xf8000ull // to GUEST_SMBIOS_END; guests scan 0xf0000 to 0xfffff
#define GUEST_SMBIOS_END   0xfc000ull
#define GUEST_BIOS         0xff000ull // to GUEST_FIRMWARE_END, see hv/guest/bios.h
#define GUEST_FIRMWARE_END 0x100000ull

#define E820_USABLE   1u
#define E820_RESERVED 2u

struct e820_entry {
    uint64_t base; // bytes
    uint64_t size;
    uint32_t type;
};

#define GUEST_E820_MAX 9

// Where the RAM of a partition of `memory` bytes, 1 MiB at least, ends below 4 GiB. It begins at 0;
// from 1 MiB to `dma_floor` there is none (hv/memory/guest_layout.h).
static inline uint64_t guest_low_end(uint64_t memory, uint64_t dma_floor)
{
    return dma_floor == 0 ? min_u64(memory, GUEST_RAM_LOW_MAX)
                          : dma_floor + (memory - GUEST_FIRMWARE_END);
}

// Bytes of RAM from 4 GiB on.
static inline uint64_t guest_high_ram(uint64_t memory, uint64_t dma_floor)
{
    return dma_floor == 0 ? memory - guest_low_end(memory, 0) : 0;
}

// Fills `map` with the memory map of such a partition, sorted, without overlaps; returns the number
// of entries. With a PCI bus its configuration space is in the map too.
unsigned guest_e820(uint64_t memory, uint64_t dma_floor, bool has_pci,
                    struct e820_entry map[GUEST_E820_MAX]);

// Writes the BIOS data area's words that kernels still read: COM1's port (0x400), the EBDA's
// segment (0x40e) and the KiB of base memory (0x413); and the EBDA's own size.
enum status guest_bda_write(const struct guest_ram *ram);

#endif
