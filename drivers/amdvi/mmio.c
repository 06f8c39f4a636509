// SPDX-License-Identifier: Apache-2.0
// The registers of an AMD-Vi unit, mapped uncached. Tests replace this file by a model of the unit.
#include "drivers/amdvi/amdvi.h"

uint64_t amdvi_read(const struct amdvi_unit *u, unsigned offset)
{
    return *(volatile uint64_t *)(u->registers + offset / sizeof(uint32_t));
}

// Earlier writes to tables in memory must come before the write to the unit. x86 keeps the order of
// stores, so only the compiler must be kept from changing it.
void amdvi_write(const struct amdvi_unit *u, unsigned offset, uint64_t value)
{
    __asm__ volatile("" : : : "memory");
    *(volatile uint64_t *)(u->registers + offset / sizeof(uint32_t)) = value;
}
