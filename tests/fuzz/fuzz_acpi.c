// SPDX-License-Identifier: Apache-2.0
// Fuzzes the ACPI parser. The input's first byte chooses. The rest is memory with an RSDP at its
// start, as it is or with the checksums made good of all that the RSDP leads to; or it is cut into
// MADT, FADT, MCFG, SPCR and DBG2, whose signatures, lengths and checksums are made good. The
// loader passes the RSDP, or it has to be searched for.
#include <string.h>

#include "arch/lib/types.h"
#include "arch/memory/window.h"
#include "drivers/acpi/acpi.h"
#include "drivers/acpi/tables.h"
#include "drivers/ioapic/ioapic.h"
#include "tests/fuzz/fuzz.h"

#define BASE 0xe0000u // where it is searched for

// Bits of the input's first byte.
enum {
    BUILD = 1,
    XSDT = 2,   // as root of what is built
    MEND = 4,   // else
    SEARCH = 8, // for the RSDP
    EBDA = 16,  // and it is in the extended BIOS data area
};

static uint8_t choice;
static uint8_t memory[0x10000];
static size_t memory_size;

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    if ((choice & EBDA) != 0 && address.v == 0x40e && size == 2) {
        // The area lies below 640 KiB, where the memory shows up again.
        memcpy(buffer, &(uint16_t){0x9000}, size);
        return STATUS_OK;
    }
    if ((choice & EBDA) != 0 && address.v >= 0x90000 && address.v < 0xa0000)
        address.v += BASE - 0x90000;
    if (address.v < BASE || address.v - BASE > memory_size ||
        size > memory_size - (address.v - BASE))
        return ERR_RANGE;
    memcpy(buffer, memory + (address.v - BASE), size);
    return STATUS_OK;
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

static void finish_rsdp(struct acpi_rsdp *rsdp)
{
    const uint8_t *bytes = (const uint8_t *)rsdp;

    rsdp->checksum = 0;
    rsdp->checksum = (uint8_t)-sum(bytes, ACPI_RSDP_OLD_SIZE);
    rsdp->extended_checksum = 0;
    rsdp->extended_checksum = (uint8_t)-sum(bytes, sizeof(*rsdp));
}

static void build(const uint8_t *data, size_t size)
{
    struct acpi_rsdp rsdp = {.revision = 0};
    uint32_t tables[5];
    size_t first = size / 2, second = size / 4, third = size / 8, fourth = size / 16;

    memory_size = sizeof(rsdp);
    tables[0] = append("APIC", data, first);
    tables[1] = append("FACP", data + first, second);
    data += first + second;
    tables[2] = append("MCFG", data, third);
    tables[3] = append("SPCR", data + third, fourth);
    tables[4] = append("DBG2", data + third + fourth, size - first - second - third - fourth);
    memcpy(rsdp.signature, "RSD PTR ", 8);
    if ((choice & XSDT) != 0) {
        uint64_t wide[5] = {tables[0], tables[1], tables[2], tables[3], tables[4]};

        rsdp.revision = 2;
        rsdp.length = sizeof(rsdp);
        rsdp.xsdt = append("XSDT", (const uint8_t *)wide, sizeof(wide));
    }
    rsdp.rsdt = append("RSDT", (const uint8_t *)tables, sizeof(tables));
    finish_rsdp(&rsdp);
    memcpy(memory, &rsdp, sizeof(rsdp));
}

// Makes a table's checksum good, if it lies in memory. Returns its body's address and size.
static const uint8_t *mend_table(uint64_t address, size_t *size)
{
    uint8_t *table = memory;
    uint32_t length;

    *size = 0;
    if (address < BASE || address - BASE > memory_size ||
        memory_size - (address - BASE) < sizeof(struct acpi_header))
        return table;
    table += address - BASE;
    memcpy(&length, table + offsetof(struct acpi_header, length), sizeof(length));
    if (length < sizeof(struct acpi_header) || length > memory_size - (address - BASE))
        return table;
    *size = length - sizeof(struct acpi_header);
    table[offsetof(struct acpi_header, checksum)] = 0;
    table[offsetof(struct acpi_header, checksum)] = (uint8_t)-sum(table, length);
    return table + sizeof(struct acpi_header);
}

static void mend_root(uint64_t address, size_t entry_size)
{
    uint64_t entry;
    size_t size, ignored;
    const uint8_t *entries = mend_table(address, &size);

    for (size_t i = 0; i + entry_size <= size; i += entry_size) {
        entry = 0;
        memcpy(&entry, entries + i, entry_size);
        mend_table(entry, &ignored);
    }
    mend_table(address, &ignored); // it may have been one of its own entries
}

static void mend(void)
{
    struct acpi_rsdp rsdp;

    if (memory_size < sizeof(rsdp))
        return;
    memcpy(&rsdp, memory, sizeof(rsdp));
    memcpy(rsdp.signature, "RSD PTR ", 8);
    rsdp.length = sizeof(rsdp);
    mend_root(rsdp.rsdt, 4);
    mend_root(rsdp.xsdt, 8);
    finish_rsdp(&rsdp);
    memcpy(memory, &rsdp, sizeof(rsdp));
}

static void check_serial(const struct acpi_serial *s)
{
    if (!s->found)
        return;
    CHECK(s->address != 0 && s->shift <= 3 && s->irq_kind <= ACPI_SERIAL_GSI);
    CHECK(s->width == 1 || ((s->width == 2 || s->width == 4) && s->memory));
    CHECK(1u << s->shift >= s->width && s->address % s->width == 0);
    CHECK(s->address + (8u << s->shift) <= (s->memory ? 1ull << 53 : 0x10000));
    CHECK(s->irq_kind != ACPI_SERIAL_ISA || s->irq < 16);
}

static void check(const struct acpi_info *info)
{
    struct ioapic_input input;

    CHECK(info->cpu_count > 0 && info->cpu_count <= MAX_CPUS);
    CHECK(info->ioapic_count <= ACPI_MAX_IOAPICS && info->override_count <= ACPI_MAX_OVERRIDES);
    CHECK(info->mcfg_count <= ACPI_MAX_MCFG && is_aligned(info->lapic_address, PAGE_SIZE));
    for (uint32_t i = 0; i < info->cpu_count; i++) {
        for (uint32_t j = 0; j < i; j++)
            CHECK(info->cpus[i].apic_id != info->cpus[j].apic_id);
    }
    check_serial(&info->spcr);
    check_serial(&info->dbg2);
    for (uint8_t irq = 0; irq < 16; irq++)
        CHECK(ioapic_find_isa(info, irq, &input) != STATUS_OK || input.ioapic < info->ioapic_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct acpi_info info;
    char error[64] = "";

    if (size < 1 || size > sizeof(memory) - 512)
        return 0;
    choice = data[0];
    if ((choice & BUILD) != 0) {
        build(data + 1, size - 1);
    } else {
        memory_size = size - 1;
        memcpy(memory, data + 1, memory_size);
        if ((choice & MEND) != 0)
            mend();
    }
    if (acpi_parse(choice & SEARCH ? 0 : BASE, &info, error, sizeof(error)) == STATUS_OK)
        check(&info);
    else
        CHECK(error[0] != '\0');
    return 0;
}
