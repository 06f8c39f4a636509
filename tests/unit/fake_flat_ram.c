// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fake_flat_ram.h"

#include <string.h>

struct flat_ram flat;

void flat_clear(void)
{
    memset(&flat, 0, sizeof(flat));
}

void flat_set_u64(uint64_t address, uint64_t value)
{
    memcpy(flat.bytes + address, &value, sizeof(value));
}

void flat_set_u32(uint64_t address, uint32_t value)
{
    memcpy(flat.bytes + address, &value, sizeof(value));
}

uint64_t flat_u64(uint64_t address)
{
    uint64_t value;

    memcpy(&value, flat.bytes + address, sizeof(value));
    return value;
}

uint32_t flat_u32(uint64_t address)
{
    uint32_t value;

    memcpy(&value, flat.bytes + address, sizeof(value));
    return value;
}

bool guest_ram_contains(const struct guest_ram *ram, gpa_t address, uint64_t size)
{
    (void)ram;
    return address.v <= FLAT_RAM_SIZE && size <= FLAT_RAM_SIZE - address.v;
}

enum status guest_read(const struct guest_ram *ram, gpa_t address, void *buffer, size_t size)
{
    if (!guest_ram_contains(ram, address, size))
        return ERR_RANGE;
    memcpy(buffer, flat.bytes + address.v, size);
    return STATUS_OK;
}

bool guest_read_u64(const struct guest_ram *ram, gpa_t address, uint64_t *value)
{
    return guest_read(ram, address, value, sizeof(*value)) == STATUS_OK;
}

enum status guest_write(const struct guest_ram *ram, gpa_t address, const void *buffer, size_t size)
{
    if (!guest_ram_contains(ram, address, size))
        return ERR_RANGE;
    memcpy(flat.bytes + address.v, buffer, size);
    flat.writes++;
    return STATUS_OK;
}

enum status guest_replace(const struct guest_ram *ram, gpa_t address, unsigned size,
                          uint64_t expected, uint64_t value)
{
    uint64_t there = 0;

    if (!guest_ram_contains(ram, address, size))
        return ERR_RANGE;
    if (flat.changes > 0) {
        flat.changes--;
        flat.bytes[address.v] ^= (uint8_t)flat.change;
    }
    memcpy(&there, flat.bytes + address.v, size);
    if (there != expected)
        return ERR_CHANGED;
    return guest_write(ram, address, &value, size);
}

bool guest_descend(const struct guest_ram *ram, uint64_t table, uint64_t linear,
                   struct guest_descent *out)
{
    *out = (struct guest_descent){.all = ~0ull, .shift = 39};
    for (;; out->shift -= 9) {
        if (!guest_read_u64(ram, gpa(table + ((linear >> out->shift) & 511) * 8), &out->last))
            return false;
        out->all &= out->last;
        out->any |= out->last;
        if (out->shift == 12 || (out->last & GUEST_ENTRY_LARGE))
            return true;
        table = out->last & GUEST_ENTRY_ADDRESS;
    }
}

bool guest_read_code(const struct guest_ram *ram, gpa_t address, uint8_t bytes[GUEST_CODE_BYTES])
{
    return guest_read(ram, address, bytes, GUEST_CODE_BYTES) == STATUS_OK;
}
