// SPDX-License-Identifier: Apache-2.0
// The ACPI tables as a test guest sees them: found by the scan of the BIOS areas, each checksum
// for the caller to verify. Tables are read where they lie, byte by byte.

#include "tests/guests/guest.h"

static uint64_t field(uint64_t address, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, (const void *)address, size);
    return value;
}

bool acpi_checksum(uint64_t address, size_t length)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + *(const uint8_t *)(address + i));
    return sum == 0;
}

static uint64_t scan(uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at += 16) {
        if (memcmp((const void *)at, "RSD PTR ", 8) == 0 && acpi_checksum(at, 20))
            return at;
    }
    return 0;
}

uint64_t acpi_rsdp(void)
{
    uint64_t ebda_pointer = 0x40e;
    __asm__("" : "+r"(ebda_pointer)); // hides the small constant from the compiler's bounds check
    uint64_t ebda = field(ebda_pointer, 2) << 4, found = 0;
    if (ebda >= 0x80000 && ebda < 0xa0000)
        found = scan(ebda, ebda + 1024);
    return found ? found : scan(0xe0000, 0x100000);
}

uint64_t acpi_table(const char *signature)
{
    uint64_t rsdp = acpi_rsdp();
    if (!rsdp)
        return 0;
    bool xsdt = field(rsdp + 15, 1) >= 2 && field(rsdp + 24, 8);
    uint64_t root = xsdt ? field(rsdp + 24, 8) : field(rsdp + 16, 4);
    size_t width = xsdt ? 8 : 4;
    for (uint64_t at = root + 36; at < root + field(root + 4, 4); at += width) {
        uint64_t table = field(at, width);
        if (memcmp((const void *)table, signature, 4) == 0)
            return table;
    }
    return 0;
}

unsigned acpi_cpus(uint32_t *apic_ids, unsigned max)
{
    uint64_t madt = acpi_table("APIC");
    unsigned n = 0;
    if (!madt)
        return 0;
    for (uint64_t at = madt + 44; at < madt + field(madt + 4, 4); at += field(at + 1, 1)) {
        if (field(at, 1) == 0 && field(at + 4, 4) & 1 && n < max)
            apic_ids[n++] = (uint32_t)field(at + 3, 1);
        if (field(at, 1) == 9 && field(at + 8, 4) & 1 && n < max)
            apic_ids[n++] = (uint32_t)field(at + 4, 4);
        if (field(at + 1, 1) < 2)
            break;
    }
    return n;
}

uint16_t acpi_pm1a_control(void)
{
    uint64_t fadt = acpi_table("FACP");
    return fadt ? (uint16_t)field(fadt + 64, 4) : 0;
}

uint16_t acpi_pm_timer(void)
{
    uint64_t fadt = acpi_table("FACP");
    return fadt ? (uint16_t)field(fadt + 76, 4) : 0;
}

int acpi_s5_type(void)
{
    uint64_t fadt = acpi_table("FACP");
    uint64_t dsdt = fadt ? field(fadt + 40, 4) : 0;
    if (!dsdt)
        return -1;
    for (uint64_t at = dsdt + 36; at + 8 < dsdt + field(dsdt + 4, 4); at++) {
        // Name _S5_, PackageOp, PkgLength of one byte, element count, first element.
        if (memcmp((const void *)at, "_S5_", 4) != 0 || field(at + 4, 1) != 0x12)
            continue;
        uint64_t element = field(at + 7, 1);
        return (int)(element == 0x0a ? field(at + 8, 1) : element);
    }
    return -1;
}
