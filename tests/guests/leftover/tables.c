// SPDX-License-Identifier: Apache-2.0
// The machine's ACPI tables once more, above 4 GiB: with an XSDT, and a MADT that has more in it.
#include "tests/guests/leftover/leftover.h"

enum {
    HEADER = 36,
    MAX_TABLES = 32,
};

static uint64_t at, begin;

static uint64_t field(uint64_t address, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, (const void *)address, size);
    return value;
}

static void set_checksum(uint64_t table, uint64_t where, size_t size)
{
    uint8_t sum = 0;
    *(uint8_t *)(table + where) = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + *(uint8_t *)(table + i));
    *(uint8_t *)(table + where) = (uint8_t)-sum;
}

static uint64_t copy(uint64_t table, size_t size)
{
    uint64_t to = at;
    memcpy((void *)to, (const void *)table, size);
    at = (at + size + 15) & ~15ull;
    return to;
}

static void append(uint64_t table, const void *entry, uint32_t size)
{
    uint32_t length = (uint32_t)field(table + 4, 4);
    memcpy((void *)(table + length), entry, size);
    length += size;
    memcpy((void *)(table + 4), &length, 4);
    at = (table + length + 15) & ~15ull;
}

// Processors that are not there, or there already, in entries of both types.
static void append_processors(uint64_t madt)
{
    static const uint8_t local[][8] = {
        {0, 8, 0x40, 0x60, 0, 0, 0, 0}, // disabled
        {0, 8, 0x41, 0x61, 2, 0, 0, 0}, // could be plugged in
        {0, 8, 0x42, 0xff, 1, 0, 0, 0}, // a placeholder: everybody's address
        {0, 8, 0x43, 0, 1, 0, 0, 0},    // the first again
    };
    static const uint32_t wide[][4] = {
        {9 | 16 << 8, 0, 1, 0x44},     // the first once more
        {9 | 16 << 8, 70000, 0, 0x45}, // disabled
        {9 | 16 << 8, 0xffffffff, 1, 0x46},
    };
    for (unsigned i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        append(madt, local[i], sizeof(local[i]));
    for (unsigned i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        append(madt, wide[i], sizeof(wide[i]));
    // Beyond what an xAPIC can reach; x2APIC would look for it.
    static const uint32_t far[4] = {9 | 16 << 8, 300, 1, 0x47};
    if (!option_is("apic", "x2apic"))
        append(madt, far, sizeof(far));
    set_checksum(madt, 9, field(madt + 4, 4));
}

uint64_t leftover_tables(uint64_t where, uint8_t rsdp[36])
{
    uint64_t old = acpi_rsdp();
    bool extended = field(old + 15, 1) >= 2 && field(old + 24, 8);
    uint64_t root = extended ? field(old + 24, 8) : field(old + 16, 4);
    uint64_t entries[MAX_TABLES];
    unsigned count = 0, width = extended ? 8 : 4;
    begin = at = where;
    for (uint64_t p = root + HEADER; p < root + field(root + 4, 4) && count < MAX_TABLES;
         p += width) {
        uint64_t table = field(p, width);
        entries[count] = copy(table, field(table + 4, 4));
        if (memcmp((const void *)table, "APIC", 4) == 0)
            append_processors(entries[count]);
        count++;
    }
    uint64_t xsdt = copy(root, HEADER);
    uint32_t length = HEADER;
    memcpy((void *)xsdt, "XSDT", 4);
    memcpy((void *)(xsdt + 4), &length, 4);
    for (unsigned i = 0; i < count; i++)
        append(xsdt, &entries[i], 8);
    set_checksum(xsdt, 9, field(xsdt + 4, 4));

    length = 36;
    memset(rsdp, 0, 36);
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = 2;
    memcpy(rsdp + 20, &length, 4);
    memcpy(rsdp + 24, &xsdt, 8);
    set_checksum((uint64_t)(uintptr_t)rsdp, 8, 20);
    set_checksum((uint64_t)(uintptr_t)rsdp, 32, 36);
    return at - begin;
}
