// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fake_phys.h"

#include <string.h>

#include "arch/lib/types.h"
#include "arch/memory/window.h"

uint8_t fake_phys[FAKE_PHYS_SIZE];

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    if (address.v < FAKE_PHYS_BASE || !is_within(address.v - FAKE_PHYS_BASE, size, FAKE_PHYS_SIZE))
        return ERR_RANGE;
    memcpy(buffer, fake_phys_at((uint32_t)address.v), size);
    return STATUS_OK;
}

uint8_t *fake_phys_at(uint32_t address)
{
    return fake_phys + (address - FAKE_PHYS_BASE);
}

void set32(uint32_t address, uint32_t value)
{
    memcpy(fake_phys_at(address), &value, sizeof(value));
}

void set64(uint32_t address, uint64_t value)
{
    memcpy(fake_phys_at(address), &value, sizeof(value));
}
