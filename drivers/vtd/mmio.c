// SPDX-License-Identifier: Apache-2.0
// Access to a unit's registers, and write-back of tables for units that don't snoop caches.
#include "drivers/vtd/vtd.h"

#define CACHE_LINE 64u // of every processor with VT-d

uint32_t vtd_read32(volatile uint32_t *registers, unsigned offset)
{
    return registers[offset / 4];
}

uint64_t vtd_read64(volatile uint32_t *registers, unsigned offset)
{
    return *(volatile uint64_t *)(registers + offset / 4);
}

void vtd_write32(volatile uint32_t *registers, unsigned offset, uint32_t value)
{
    // Earlier table writes come first; the processor keeps stores in order.
    __asm__ volatile("" : : : "memory");
    registers[offset / 4] = value;
}

void vtd_write64(volatile uint32_t *registers, unsigned offset, uint64_t value)
{
    __asm__ volatile("" : : : "memory");
    *(volatile uint64_t *)(registers + offset / 4) = value;
}

void vtd_write_back(const void *start, size_t size)
{
    uint64_t line = align_down((uint64_t)start, CACHE_LINE);
    uint64_t end = (uint64_t)start + size;
    for (; line < end; line += CACHE_LINE) {
        __asm__ volatile("clflush (%0)" : : "r"(line) : "memory");
    }
    __asm__ volatile("mfence" : : : "memory");
}
