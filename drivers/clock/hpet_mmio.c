// SPDX-License-Identifier: Apache-2.0
// The HPET's registers, mapped uncached. Tests replace this file by a model.
#include "drivers/clock/hpet.h"

uint32_t hpet_read(volatile uint32_t *regs, unsigned offset)
{
    return regs[offset / sizeof(uint32_t)];
}

void hpet_write(volatile uint32_t *regs, unsigned offset, uint32_t value)
{
    regs[offset / sizeof(uint32_t)] = value;
}
