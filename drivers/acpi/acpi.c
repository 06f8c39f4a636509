// SPDX-License-Identifier: Apache-2.0
// Finds the host's ACPI tables: the RSDP, then RSDT or XSDT, then any table by its name, with a
// verified checksum. The contents are parsed in madt.c, fadt.c (also the MCFG) and serial.c.
#include "drivers/acpi/acpi.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/memory/window.h"
#include "drivers/acpi/tables.h"
#include "drivers/console/console.h"

#define EBDA_SEGMENT 0x40eu // BIOS data area: real-mode segment of the EBDA
#define EBDA_SEARCH  KIB(1)
#define BIOS_AREA    0xe0000u
#define BIOS_END     0x100000u
#define RSDP_ALIGN   16u

// Only a damaged length makes a table larger. The DSDT, often the largest table, is never read.
#define MAX_TABLE   MIB(1)
#define MAX_ENTRIES 256u // of the root table

enum status acpi_read(const struct acpi_table *table, uint32_t offset, void *buffer, size_t size)
{
    if (offset > table->length || size > table->length - offset)
        return ERR_TRUNCATED;
    return phys_read(hpa(table->address + offset), buffer, size);
}

// Sums up bytes of physical memory; the sum is 0 for a correct checksum.
static enum status sum_bytes(uint64_t address, uint32_t length, uint8_t *sum)
{
    uint8_t part[256];

    *sum = 0;
    while (length > 0) {
        uint32_t size = length < sizeof(part) ? length : (uint32_t)sizeof(part);
        enum status status = phys_read(hpa(address), part, size);

        if (status != STATUS_OK)
            return status;
        for (uint32_t i = 0; i < size; i++)
            *sum = (uint8_t)(*sum + part[i]);
        address += size;
        length -= size;
    }
    return STATUS_OK;
}

// ---- RSDP ------------------------------------------------------------------------------------

// ERR_NOT_FOUND: no RSDP at `address`. ERR_CHECKSUM: a damaged one. Before revision 2 the newer
// fields stay 0.
static enum status read_rsdp(uint64_t address, struct acpi_rsdp *rsdp)
{
    uint8_t sum;

    memset(rsdp, 0, sizeof(*rsdp));
    enum status status = phys_read(hpa(address), rsdp, ACPI_RSDP_OLD_SIZE);

    if (status != STATUS_OK)
        return status;
    if (memcmp(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature)) != 0)
        return ERR_NOT_FOUND;
    status = sum_bytes(address, ACPI_RSDP_OLD_SIZE, &sum);
    if (status != STATUS_OK || sum != 0)
        return status != STATUS_OK ? status : ERR_CHECKSUM;
    if (rsdp->revision < 2)
        return STATUS_OK;
    status = phys_read(hpa(address), rsdp, sizeof(*rsdp));
    if (status != STATUS_OK)
        return status;
    if (rsdp->length < sizeof(*rsdp) || rsdp->length > PAGE_SIZE)
        return ERR_INVALID;
    status = sum_bytes(address, rsdp->length, &sum);
    return status != STATUS_OK ? status : sum != 0 ? ERR_CHECKSUM : STATUS_OK;
}

// Tries each paragraph of [start, end). `damaged` becomes true if a damaged RSDP was skipped.
static enum status search_rsdp(uint64_t start, uint64_t end, struct acpi_info *info,
                               struct acpi_rsdp *rsdp, bool *damaged)
{
    for (uint64_t address = start; address + ACPI_RSDP_OLD_SIZE <= end; address += RSDP_ALIGN) {
        enum status status = read_rsdp(address, rsdp);

        if (status == STATUS_OK) {
            info->rsdp = address;
            return STATUS_OK;
        }
        if (status == ERR_CHECKSUM || status == ERR_INVALID)
            *damaged = true;
    }
    return ERR_NOT_FOUND;
}

// The search order of ACPI 6.5, 5.2.5.1: the EBDA's first KiB, then the BIOS area.
static enum status find_rsdp(struct acpi_info *info, struct acpi_rsdp *rsdp, char *error,
                             size_t error_size)
{
    uint16_t segment = 0;
    bool damaged = false;

    if (phys_read(hpa(EBDA_SEGMENT), &segment, sizeof(segment)) != STATUS_OK)
        segment = 0;
    uint64_t ebda = (uint64_t)segment << 4;

    if (ebda >= KIB(1) && ebda + EBDA_SEARCH <= 0xa0000 &&
        search_rsdp(ebda, ebda + EBDA_SEARCH, info, rsdp, &damaged) == STATUS_OK)
        return STATUS_OK;
    if (search_rsdp(BIOS_AREA, BIOS_END, info, rsdp, &damaged) == STATUS_OK)
        return STATUS_OK;
    if (damaged) {
        format(error, error_size, "ACPI: the RSDP is damaged (bad checksum); update the firmware");
        return ERR_CHECKSUM;
    }
    format(error, error_size,
           "ACPI: no RSDP in the EBDA or at 0xe0000-0xfffff; enable ACPI in the firmware, or "
           "boot with a loader that passes it (Multiboot 2)");
    return ERR_NOT_FOUND;
}

// ---- tables ----------------------------------------------------------------------------------

// Reads the header at `address` and verifies length and checksum.
static enum status open_table(uint64_t address, struct acpi_header *header,
                              struct acpi_table *table)
{
    uint8_t sum;
    enum status status = phys_read(hpa(address), header, sizeof(*header));

    if (status != STATUS_OK)
        return status;
    if (header->length < sizeof(*header) || header->length > MAX_TABLE)
        return ERR_INVALID;
    status = sum_bytes(address, header->length, &sum);
    if (status != STATUS_OK)
        return status;
    *table = (struct acpi_table){address, header->length};
    return sum == 0 ? STATUS_OK : ERR_CHECKSUM;
}

// Checks that the root table can be read. `address` 0: there is none.
static enum status open_root(uint64_t address, const char *signature)
{
    struct acpi_header header;
    struct acpi_table table;

    if (address == 0)
        return ERR_NOT_FOUND;
    enum status status = open_table(address, &header, &table);

    if (status == STATUS_OK && memcmp(header.signature, signature, 4) != 0)
        status = ERR_INVALID;
    if (status != STATUS_OK)
        print("ACPI: the %s at 0x%lx is damaged\n", signature, address);
    return status;
}

// Chooses the XSDT if it is valid, else the RSDT.
static enum status choose_root(const struct acpi_rsdp *rsdp, struct acpi_info *info, char *error,
                               size_t error_size)
{
    info->revision = rsdp->revision;
    if (rsdp->revision >= 2 && open_root(rsdp->xsdt, "XSDT") == STATUS_OK) {
        info->root = rsdp->xsdt;
        info->root_is_xsdt = true;
        return STATUS_OK;
    }
    enum status status = open_root(rsdp->rsdt, "RSDT");

    if (status != STATUS_OK) {
        format(error, error_size,
               "ACPI: the RSDP at 0x%lx leads to no good RSDT or XSDT; update the firmware",
               info->rsdp);
        return status;
    }
    info->root = rsdp->rsdt;
    return STATUS_OK;
}

// The address in the root table's entry `index`; ERR_TRUNCATED after the last entry.
static enum status root_entry(const struct acpi_info *info, const struct acpi_table *root,
                              uint32_t index, uint64_t *address)
{
    uint32_t size = info->root_is_xsdt ? 8 : 4;

    *address = 0;
    if (index >= MAX_ENTRIES)
        return ERR_TRUNCATED;
    return acpi_read(root, (uint32_t)sizeof(struct acpi_header) + index * size, address, size);
}

enum status acpi_find_table(const struct acpi_info *info, const char *signature, unsigned index,
                            uint64_t *address, uint32_t *length)
{
    struct acpi_header header;
    struct acpi_table root, table;
    uint64_t candidate;

    if (info->root == 0)
        return ERR_NOT_FOUND;
    enum status status = open_table(info->root, &header, &root);

    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; root_entry(info, &root, i, &candidate) == STATUS_OK; i++) {
        if (candidate == 0 || phys_read(hpa(candidate), &header, sizeof(header)) != STATUS_OK ||
            memcmp(header.signature, signature, 4) != 0)
            continue;
        if (index-- > 0)
            continue;
        status = open_table(candidate, &header, &table);
        if (status != STATUS_OK)
            return status;
        *address = table.address;
        *length = table.length;
        return STATUS_OK;
    }
    return ERR_NOT_FOUND;
}

// Finds a table that the machine can do without. A damaged one counts as missing, with a warning.
static bool find_optional(const struct acpi_info *info, const char *signature,
                          struct acpi_table *table)
{
    enum status status = acpi_find_table(info, signature, 0, &table->address, &table->length);

    if (status != STATUS_OK && status != ERR_NOT_FOUND)
        print("ACPI: table %s is damaged and left out\n", signature);
    return status == STATUS_OK;
}

static enum status parse_tables(struct acpi_info *info, char *error, size_t error_size)
{
    struct acpi_table table;
    enum status status = acpi_find_table(info, "APIC", 0, &table.address, &table.length);

    if (status != STATUS_OK) {
        format(error, error_size,
               status == ERR_NOT_FOUND
                   ? "ACPI: no MADT (table APIC), so the CPUs can't be known; update the firmware"
                   : "ACPI: the MADT (table APIC) is damaged; update the firmware");
        return status;
    }
    status = acpi_parse_madt(&table, info, error, error_size);
    if (status != STATUS_OK)
        return status;
    if (find_optional(info, "FACP", &table))
        acpi_parse_fadt(&table, info);
    if (find_optional(info, "MCFG", &table))
        acpi_parse_mcfg(&table, info);
    if (find_optional(info, "SPCR", &table))
        acpi_parse_spcr(&table, info);
    if (find_optional(info, "DBG2", &table))
        acpi_parse_dbg2(&table, info);
    return STATUS_OK;
}

enum status acpi_parse(uint64_t rsdp_address, struct acpi_info *info, char *error,
                       size_t error_size)
{
    struct acpi_rsdp rsdp;
    enum status status;

    memset(info, 0, sizeof(*info));
    if (rsdp_address != 0) {
        info->rsdp = rsdp_address;
        status = read_rsdp(rsdp_address, &rsdp);
        if (status != STATUS_OK)
            format(error, error_size,
                   "ACPI: the RSDP that the loader passed, at 0x%lx, is %s; try another loader",
                   rsdp_address, status == ERR_NOT_FOUND ? "none" : "damaged");
    } else {
        status = find_rsdp(info, &rsdp, error, error_size);
    }
    if (status == STATUS_OK)
        status = choose_root(&rsdp, info, error, error_size);
    if (status == STATUS_OK)
        status = parse_tables(info, error, error_size);
    return status;
}
