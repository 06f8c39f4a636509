// SPDX-License-Identifier: Apache-2.0
// The registers of the HPET, mapped uncached. Tests have a model of it in their place.
#include "drivers/clock/hpet.h"

uint32_t hpet_read(volatile uint32_t *regs, unsigned offset)
{
    return regs[offset / sizeof(uint32_t)];
}

void hpet_write(volatile uint32_t *regs, unsigned offset, uint32_t value)
{
    regs[offset / sizeof(uint32_t)] = value;
}
