// SPDX-License-Identifier: Apache-2.0
// Makes a partition's memory map from its size and the needs of its devices, and the words of the
// BIOS data area that repeat it. Relies on guest_write() for the latter.
#include "hv/guest/e820.h"

#include "hv/memory/guest_mem.h"

#define BDA_COM1        0x400u // I/O ports of COM1 to COM4
#define BDA_EBDA        0x40eu // real-mode segment of the extended BIOS data area
#define BDA_BASE_MEMORY 0x413u // KiB below it

unsigned guest_e820(uint64_t memory, uint64_t dma_floor, bool has_pci,
                    struct e820_entry map[GUEST_E820_MAX])
{
    const uint64_t low = guest_low_end(memory, dma_floor);
    const uint64_t high = guest_high_ram(memory, dma_floor);
    const uint64_t upper = max_u64(GUEST_FIRMWARE_END, dma_floor);
    unsigned n = 0;

    map[n++] = (struct e820_entry){0, GUEST_EBDA, E820_USABLE};
    // One entry up to 1 MiB. No kernel may take the hole of a PC's video memory, or the one below
    // the DMA floor, for free space for a device.
    map[n++] = (struct e820_entry){GUEST_EBDA, upper - GUEST_EBDA, E820_RESERVED};
    if (low > upper) {
        map[n++] = (struct e820_entry){upper, low - upper, E820_USABLE};
    }
    // Kernels use the space that MCFG names only if it is reserved.
    if (has_pci) {
        map[n++] = (struct e820_entry){GUEST_ECAM_ADDRESS, GUEST_ECAM_SIZE, E820_RESERVED};
    }
    // Nothing may be placed at the APICs' addresses.
    map[n++] = (struct e820_entry){GUEST_IOAPIC_ADDRESS, PAGE_SIZE, E820_RESERVED};
    map[n++] = (struct e820_entry){GUEST_LAPIC_ADDRESS, PAGE_SIZE, E820_RESERVED};
    map[n++] = (struct e820_entry){GUEST_RESET_PAGE, PAGE_SIZE, E820_RESERVED};
    if (high > 0) {
        map[n++] = (struct e820_entry){GUEST_RAM_HIGH, high, E820_USABLE};
    }
    return n;
}

enum status guest_bda_write(const struct guest_ram *ram)
{
    const uint16_t com1 = 0x3f8;
    const uint16_t ebda_segment = GUEST_EBDA >> 4;
    const uint16_t base_memory = GUEST_EBDA >> 10;
    const uint8_t ebda_size = GUEST_EBDA_SIZE >> 10;
    enum status s = guest_write(ram, gpa(BDA_COM1), &com1, sizeof(com1));

    if (s == STATUS_OK) {
        s = guest_write(ram, gpa(BDA_EBDA), &ebda_segment, sizeof(ebda_segment));
    }
    if (s == STATUS_OK) {
        s = guest_write(ram, gpa(BDA_BASE_MEMORY), &base_memory, sizeof(base_memory));
    }
    if (s == STATUS_OK) {
        s = guest_write(ram, gpa(GUEST_EBDA), &ebda_size, sizeof(ebda_size));
    }
    return s;
}
