// SPDX-License-Identifier: Apache-2.0
// The MADT (ACPI 6.5, 5.2.12): the CPUs and IOAPICs, and the wiring of ISA interrupts.
#include "arch/lib/format.h"
#include "arch/lib/types.h"
#include "drivers/acpi/acpi.h"
#include "drivers/acpi/tables.h"
#include "drivers/console/console.h"

#define DEFAULT_LAPIC_ADDRESS 0xfee00000u

// Online-capable CPUs, which could be plugged in later, are not enabled and are not counted.
static void add_cpu(struct acpi_info *info, uint32_t apic_id, uint32_t acpi_id, uint32_t flags)
{
    if ((flags & ACPI_MADT_CPU_ENABLED) == 0) {
        info->cpus_disabled++;
        return;
    }
    for (uint32_t i = 0; i < info->cpu_count; i++) {
        if (info->cpus[i].apic_id != apic_id)
            continue;
        // Some firmware lists a CPU both as local APIC and as x2APIC, with the same ID.
        if (info->cpus[i].acpi_id != acpi_id)
            print("ACPI: APIC ID %u is that of processors %u and %u: the first counts\n", apic_id,
                  info->cpus[i].acpi_id, acpi_id);
        return;
    }
    if (info->cpu_count == MAX_CPUS) {
        info->cpus_ignored++;
        return;
    }
    info->cpus[info->cpu_count++] = (struct acpi_cpu){apic_id, acpi_id};
}

static void add_ioapic(struct acpi_info *info, const struct acpi_madt_ioapic *entry)
{
    if (entry->address == 0 || !is_aligned(entry->address, 16)) {
        print("ACPI: IOAPIC %u at 0x%x makes no sense and is left out\n", entry->id,
              entry->address);
        return;
    }
    if (info->ioapic_count == ACPI_MAX_IOAPICS) {
        print("ACPI: more than %d IOAPICs; the one at 0x%x is left out\n", ACPI_MAX_IOAPICS,
              entry->address);
        return;
    }
    info->ioapics[info->ioapic_count++] =
        (struct acpi_ioapic){entry->id, entry->gsi_base, entry->address};
}

static void add_override(struct acpi_info *info, const struct acpi_madt_override *entry)
{
    uint32_t flags = entry->flags;

    if (entry->bus != 0 || entry->irq > 15) {
        print("ACPI: override of interrupt %u on bus %u is not one of ISA and is left out\n",
              entry->irq, entry->bus);
        return;
    }
    if (info->override_count == ACPI_MAX_OVERRIDES) {
        print("ACPI: more than %d interrupt overrides; that of interrupt %u is left out\n",
              ACPI_MAX_OVERRIDES, entry->irq);
        return;
    }
    info->overrides[info->override_count++] = (struct acpi_override){
        .irq = entry->irq,
        .gsi = entry->gsi,
        .active_low = (flags & ACPI_INTI_POLARITY) == ACPI_INTI_ACTIVE_LOW,
        .level = (flags & ACPI_INTI_TRIGGER) == ACPI_INTI_LEVEL,
    };
}

// One entry of any type that is read.
union entry {
    struct acpi_madt_entry header;
    struct acpi_madt_lapic lapic;
    struct acpi_madt_x2apic x2apic;
    struct acpi_madt_ioapic ioapic;
    struct acpi_madt_override override;
    struct acpi_madt_lapic_address lapic_address;
};

// The least length of an entry of this type; 0: the type is not read.
static size_t entry_size(uint8_t type)
{
    switch (type) {
    case ACPI_MADT_LAPIC:
        return sizeof(struct acpi_madt_lapic);
    case ACPI_MADT_IOAPIC:
        return sizeof(struct acpi_madt_ioapic);
    case ACPI_MADT_OVERRIDE:
        return sizeof(struct acpi_madt_override);
    case ACPI_MADT_LAPIC_ADDRESS:
        return sizeof(struct acpi_madt_lapic_address);
    case ACPI_MADT_X2APIC:
        return sizeof(struct acpi_madt_x2apic);
    default:
        return 0;
    }
}

static void take_entry(struct acpi_info *info, const union entry *entry)
{
    switch (entry->header.type) {
    case ACPI_MADT_LAPIC:
        // 0xff is the broadcast ID; placeholders of absent CPUs have it.
        if (entry->lapic.apic_id == 0xff)
            info->cpus_disabled++;
        else
            add_cpu(info, entry->lapic.apic_id, entry->lapic.acpi_id, entry->lapic.flags);
        break;
    case ACPI_MADT_X2APIC:
        if (entry->x2apic.apic_id == UINT32_MAX)
            info->cpus_disabled++;
        else
            add_cpu(info, entry->x2apic.apic_id, entry->x2apic.acpi_id, entry->x2apic.flags);
        break;
    case ACPI_MADT_IOAPIC:
        add_ioapic(info, &entry->ioapic);
        break;
    case ACPI_MADT_OVERRIDE:
        add_override(info, &entry->override);
        break;
    case ACPI_MADT_LAPIC_ADDRESS:
        info->lapic_address = entry->lapic_address.address;
        break;
    default:
        break;
    }
}

static enum status take_entries(const struct acpi_table *table, struct acpi_info *info, char *error,
                                size_t error_size)
{
    uint32_t offset = sizeof(struct acpi_madt);

    while (offset < table->length) {
        union entry entry = {0};
        enum status status = acpi_read(table, offset, &entry, sizeof(entry.header));

        // Refuses an entry that is shorter than its header, so would never end, or that ends
        // outside the table.
        if (status == STATUS_OK && entry.header.length < sizeof(entry.header))
            status = ERR_INVALID;
        if (status == STATUS_OK && entry.header.length > table->length - offset)
            status = ERR_TRUNCATED;
        size_t size = status == STATUS_OK ? entry_size(entry.header.type) : 0;

        if (status == STATUS_OK && entry.header.length < size)
            status = ERR_INVALID;
        if (status == STATUS_OK)
            status = acpi_read(table, offset, &entry, size);
        if (status != STATUS_OK) {
            format(error, error_size,
                   "ACPI: the MADT entry at offset %u (type %u, length %u) is malformed; update "
                   "the firmware",
                   offset, entry.header.type, entry.header.length);
            return status;
        }
        if (size > 0)
            take_entry(info, &entry);
        offset += entry.header.length;
    }
    return STATUS_OK;
}

enum status acpi_parse_madt(const struct acpi_table *table, struct acpi_info *info, char *error,
                            size_t error_size)
{
    struct acpi_madt madt;
    enum status status = acpi_read(table, 0, &madt, sizeof(madt));

    if (status != STATUS_OK) {
        format(error, error_size, "ACPI: the MADT has only %u bytes; update the firmware",
               table->length);
        return status;
    }
    info->lapic_address = madt.lapic_address;
    info->pcat_compat = (madt.flags & ACPI_MADT_PCAT_COMPAT) != 0;
    status = take_entries(table, info, error, error_size);
    if (status != STATUS_OK)
        return status;
    if (info->cpu_count == 0) {
        format(error, error_size, "ACPI: the MADT has no enabled CPU; update the firmware");
        return ERR_INVALID;
    }
    if (info->lapic_address == 0 || !is_aligned(info->lapic_address, PAGE_SIZE)) {
        print("ACPI: local APIC address 0x%lx makes no sense; taking 0x%x\n", info->lapic_address,
              DEFAULT_LAPIC_ADDRESS);
        info->lapic_address = DEFAULT_LAPIC_ADDRESS;
    }
    if (info->cpus_ignored > 0)
        print("ACPI: the machine has %u CPUs, of which %d are used; raise MAX_CPUS for the rest\n",
              info->cpu_count + info->cpus_ignored, MAX_CPUS);
    return STATUS_OK;
}

void acpi_leave_out_above(struct acpi_info *info, uint32_t highest)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < info->cpu_count; i++) {
        if (info->cpus[i].apic_id <= highest) {
            info->cpus[kept++] = info->cpus[i];
            continue;
        }
        print("the CPU with APIC ID %u can't be reached without x2APIC and is left out: turn on "
              "x2APIC in the firmware's setup\n",
              info->cpus[i].apic_id);
        info->cpus_ignored++;
    }
    info->cpu_count = kept;
}
