// SPDX-License-Identifier: Apache-2.0
// The registers of an AMD-Vi unit, mapped uncached. Tests have a model of the unit in its place.
#include "drivers/amdvi/amdvi.h"

uint64_t amdvi_read(const struct amdvi_unit *u, unsigned offset)
{
    return *(volatile uint64_t *)(u->registers + offset / sizeof(uint32_t));
}

// What the tables in memory say must be there before the unit is told of it; x86 keeps the order of
// stores, so the compiler has to.
void amdvi_write(const struct amdvi_unit *u, unsigned offset, uint64_t value)
{
    __asm__ volatile("" : : : "memory");
    *(volatile uint64_t *)(u->registers + offset / sizeof(uint32_t)) = value;
}
