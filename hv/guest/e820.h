// SPDX-License-Identifier: Apache-2.0
// The guest-physical memory layout of a partition, and how a PC's firmware reports it: the e820 map
// and two words of the BIOS data area. All code that places or maps guest RAM uses this layout.
#ifndef HV_GUEST_E820_H
#define HV_GUEST_E820_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/machine/guest_platform.h"
#include "hv/memory/guest_layout.h"

struct guest_ram;

// The first MiB is all RAM. From here to its end it belongs to the firmware: the extended BIOS data
// area, then the place of a PC's video memory and ROM, where the firmware tables are.
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

// The end of RAM below 4 GiB of a partition with `memory` bytes (at least 1 MiB). RAM begins at 0.
// From 1 MiB to `dma_floor` there is none (hv/memory/guest_layout.h).
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

// Fills `map` with the memory map of such a partition, sorted, without overlaps. Returns the number
// of entries. With a PCI bus the map includes its configuration space.
unsigned guest_e820(uint64_t memory, uint64_t dma_floor, bool has_pci,
                    struct e820_entry map[GUEST_E820_MAX]);

// Writes the words of the BIOS data area that kernels still read: COM1's port (0x400), the EBDA's
// segment (0x40e), the KiB of base memory (0x413). Also writes the EBDA's own size.
enum status guest_bda_write(const struct guest_ram *ram);

#endif
