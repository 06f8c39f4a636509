// SPDX-License-Identifier: Apache-2.0
// A DMAR table in a small physical memory, with the root table that leads to it; see fake_vtd.h.
#include <string.h>

#include "arch/memory/window.h"
#include "drivers/acpi/tables.h"
#include "tests/unit/fake_vtd.h"

#define RSDT   0x1000u
#define DMAR   0x2000u
#define MEMORY 0x8000u

static uint8_t memory[MEMORY];
static uint32_t length; // of the table so far

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    if (address.v >= MEMORY || size > MEMORY - address.v) {
        return ERR_RANGE;
    }
    memcpy(buffer, memory + address.v, size);
    return STATUS_OK;
}

static void finish(uint32_t address, const char *signature, uint32_t size)
{
    uint8_t sum = 0;
    memcpy(memory + address, signature, 4);
    memcpy(memory + address + 4, &size, sizeof(size));
    memory[address + 9] = 0;
    for (uint32_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + memory[address + i]);
    }
    memory[address + 9] = (uint8_t)-sum;
}

static void append(const void *bytes, size_t size)
{
    memcpy(memory + DMAR + length, bytes, size);
    length += (uint32_t)size;
}

struct acpi_info *fake_dmar_begin(uint8_t flags)
{
    static struct acpi_info info;
    memset(memory, 0, sizeof(memory));
    memset(&info, 0, sizeof(info));
    info.root = RSDT;
    memory[RSDT + 37] = DMAR >> 8;
    finish(RSDT, "RSDT", 40);
    length = 48;
    memory[DMAR + 36] = 38; // 39 bits
    memory[DMAR + 37] = flags;
    return &info;
}

void fake_dmar_entry(uint16_t type, const void *fields, size_t size)
{
    uint16_t head[2] = {type, (uint16_t)(4 + size)};
    append(head, sizeof(head));
    append(fields, size);
}

static void entry_with_scopes(uint16_t type, uint8_t *fields, size_t size, const void *scopes,
                              size_t scopes_size)
{
    if (scopes_size > 0) {
        memcpy(fields + size, scopes, scopes_size);
    }
    fake_dmar_entry(type, fields, size + scopes_size);
}

void fake_dmar_unit(uint64_t base, uint16_t segment, bool include_all, const void *scopes,
                    size_t size)
{
    uint8_t fields[2048] = {include_all, 0, (uint8_t)segment, (uint8_t)(segment >> 8)};
    memcpy(fields + 4, &base, sizeof(base));
    entry_with_scopes(0, fields, 12, scopes, size);
}

void fake_dmar_rmrr(uint64_t base, uint64_t limit, const void *scopes, size_t size)
{
    uint8_t fields[256] = {0};
    memcpy(fields + 4, &base, sizeof(base));
    memcpy(fields + 12, &limit, sizeof(limit));
    entry_with_scopes(1, fields, 20, scopes, size);
}

void fake_dmar_end(unsigned cut)
{
    finish(DMAR, "DMAR", length - cut);
}

uint8_t *fake_dmar_byte(unsigned offset)
{
    return memory + DMAR + offset;
}
