// SPDX-License-Identifier: Apache-2.0
// Fuzzes the ACPI parser. The input's first byte chooses: the rest is raw memory with an RSDP at
// its start; or it is cut into MADT, FADT and MCFG, whose signatures, lengths and checksums are
// made good, so that the fuzzer gets behind them.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/types.h"
#include "arch/window.h"
#include "drivers/acpi.h"
#include "drivers/acpi_tables.h"
#include "drivers/console.h"
#include "drivers/format.h"
#include "drivers/ioapic.h"

#define BASE 0x10000u

static uint8_t memory[0x10000];
static size_t memory_size;

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    if (address.v < BASE || address.v - BASE > memory_size ||
        size > memory_size - (address.v - BASE))
        return ERR_RANGE;
    memcpy(buffer, memory + (address.v - BASE), size);
    return STATUS_OK;
}

void print(const char *fmt, ...)
{
    char text[CONSOLE_PRINT_SIZE];
    va_list args;

    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
}

static uint8_t sum(const uint8_t *bytes, size_t size)
{
    uint8_t total = 0;

    for (size_t i = 0; i < size; i++)
        total = (uint8_t)(total + bytes[i]);
    return total;
}

// Appends a table and returns its address.
static uint32_t append(const char *signature, const uint8_t *body, size_t size)
{
    uint8_t *to = memory + memory_size;
    uint32_t address = (uint32_t)(BASE + memory_size);
    struct acpi_header header = {.length = (uint32_t)(sizeof(header) + size)};

    memcpy(header.signature, signature, 4);
    // The revision is the fuzzer's choice too.
    header.revision = size > 0 ? body[0] : 0;
    memcpy(to, &header, sizeof(header));
    if (size > 0)
        memcpy(to + sizeof(header), body, size);
    to[offsetof(struct acpi_header, checksum)] = (uint8_t)-sum(to, header.length);
    memory_size += header.length;
    return address;
}

static void build(const uint8_t *data, size_t size)
{
    struct acpi_rsdp rsdp = {.revision = 0};
    uint32_t tables[3];
    size_t first = size / 2, second = size / 4;

    memory_size = sizeof(rsdp);
    tables[0] = append("APIC", data, first);
    tables[1] = append("FACP", data + first, second);
    tables[2] = append("MCFG", data + first + second, size - first - second);
    rsdp.rsdt = append("RSDT", (const uint8_t *)tables, sizeof(tables));
    memcpy(rsdp.signature, "RSD PTR ", 8);
    rsdp.checksum = (uint8_t)-sum((const uint8_t *)&rsdp, ACPI_RSDP_OLD_SIZE);
    memcpy(memory, &rsdp, sizeof(rsdp));
}

static void check(const struct acpi_info *info)
{
    struct ioapic_input input;

    if (info->cpu_count == 0 || info->cpu_count > MAX_CPUS ||
        info->ioapic_count > ACPI_MAX_IOAPICS || info->override_count > ACPI_MAX_OVERRIDES ||
        info->mcfg_count > ACPI_MAX_MCFG || !is_aligned(info->lapic_address, PAGE_SIZE))
        abort();
    for (uint32_t i = 0; i < info->cpu_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (info->cpus[i].apic_id == info->cpus[j].apic_id)
                abort();
        }
    }
    for (uint8_t irq = 0; irq < 16; irq++) {
        if (ioapic_find_isa(info, irq, &input) == STATUS_OK && input.ioapic >= info->ioapic_count)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct acpi_info info;
    char error[64] = "";

    if (size < 1 || size > sizeof(memory) - 512)
        return 0;
    if ((data[0] & 1) != 0) {
        build(data + 1, size - 1);
    } else {
        memory_size = size - 1;
        memcpy(memory, data + 1, memory_size);
    }
    if (acpi_parse(BASE, &info, error, sizeof(error)) == STATUS_OK)
        check(&info);
    else if (error[0] == '\0')
        abort();
    return 0;
}
