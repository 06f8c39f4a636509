// SPDX-License-Identifier: Apache-2.0
// The FADT (ACPI 6.5, 5.2.9): PM timer, PM1 registers, reset register; and the MCFG (PCI Firmware
// 3.3, 4.1.2): where PCI configuration space is mapped.
#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "drivers/acpi/acpi.h"
#include "drivers/acpi/tables.h"
#include "drivers/console/console.h"

// A register block of `size` ports: from the extended field if that is set (5.2.9 gives it
// priority), else from the old field. 0 if the result is not a possible I/O port.
static uint16_t io_port(const char *name, uint32_t old, const struct acpi_gas *extended,
                        uint32_t size)
{
    uint64_t port = old;

    if (extended->address != 0) {
        if (extended->space == ACPI_SPACE_IO)
            port = extended->address;
        else
            print("ACPI: the extended %s register is not in I/O space and is left out\n", name);
    }
    if (port > 0x10000 - size) {
        print("ACPI: %s register at 0x%lx is no I/O port and is left out\n", name, port);
        return 0;
    }
    return (uint16_t)port;
}

static struct acpi_reset reset_register(const struct acpi_fadt *fadt)
{
    static const struct {
        uint8_t space;
        enum acpi_reset_kind kind;
        uint64_t max;
    } kinds[] = {
        {ACPI_SPACE_IO, ACPI_RESET_IO, 0xffff},
        {ACPI_SPACE_MEMORY, ACPI_RESET_MEMORY, (1ull << 52) - 1},
        {ACPI_SPACE_PCI, ACPI_RESET_PCI, (1ull << 48) - 1},
    };
    struct acpi_reset reset = {0};

    // 5.2.9: the register is one byte wide. The width is not checked, because some machines' tables
    // say 0.
    if ((fadt->flags & ACPI_FADT_RESET) == 0 || fadt->reset.address == 0)
        return reset;
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].space == fadt->reset.space && fadt->reset.address <= kinds[i].max)
            return (struct acpi_reset){kinds[i].kind, fadt->reset_value, fadt->reset.address};
    }
    print("ACPI: reset register 0x%lx in space %u makes no sense and is left out\n",
          fadt->reset.address, fadt->reset.space);
    return reset;
}

void acpi_parse_fadt(const struct acpi_table *table, struct acpi_info *info)
{
    struct acpi_fadt fadt;

    // Fields beyond the table's end (older revisions are shorter) read as 0, which means absent. A
    // field that is cut in two also counts as absent.
    memset(&fadt, 0, sizeof(fadt));
    uint32_t size = (uint32_t)min_u64(table->length, sizeof(fadt));

    if (size < ACPI_FADT_MIN_SIZE || acpi_read(table, 0, &fadt, size) != STATUS_OK) {
        print("ACPI: the FADT has only %u bytes and is left out\n", table->length);
        return;
    }
    if (size < sizeof(fadt)) {
        static const struct {
            size_t start, end;
        } groups[] = {
            {offsetof(struct acpi_fadt, reset), offsetof(struct acpi_fadt, arm_flags)},
            {offsetof(struct acpi_fadt, x_dsdt), offsetof(struct acpi_fadt, x_pm1a_event)},
            {offsetof(struct acpi_fadt, x_pm1a_event), offsetof(struct acpi_fadt, x_pm1b_event)},
            {offsetof(struct acpi_fadt, x_pm1b_event), offsetof(struct acpi_fadt, x_pm1a_control)},
            {offsetof(struct acpi_fadt, x_pm1a_control),
             offsetof(struct acpi_fadt, x_pm1b_control)},
            {offsetof(struct acpi_fadt, x_pm1b_control), offsetof(struct acpi_fadt, x_pm2_control)},
            {offsetof(struct acpi_fadt, x_pm_timer), sizeof(struct acpi_fadt)},
        };

        for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
            if (groups[i].end > size)
                memset((uint8_t *)&fadt + groups[i].start, 0, groups[i].end - groups[i].start);
        }
    }
    info->has_fadt = true;
    info->sci_irq = fadt.sci_irq;
    info->dsdt = fadt.x_dsdt != 0 ? fadt.x_dsdt : fadt.dsdt;
    info->century = fadt.century;
    info->iapc_flags = fadt.header.revision >= 2 ? fadt.iapc_flags : 0;
    info->reset = reset_register(&fadt);

    // 4.8: hardware-reduced machines have none of the registers below.
    if ((fadt.flags & ACPI_FADT_HW_REDUCED) != 0)
        return;
    info->pm1a_event_port = io_port("PM1a event", fadt.pm1a_event, &fadt.x_pm1a_event, 4);
    info->pm1b_event_port = io_port("PM1b event", fadt.pm1b_event, &fadt.x_pm1b_event, 4);
    info->pm1a_control_port = io_port("PM1a control", fadt.pm1a_control, &fadt.x_pm1a_control, 2);
    info->pm1b_control_port = io_port("PM1b control", fadt.pm1b_control, &fadt.x_pm1b_control, 2);
    info->smi_command_port = io_port("SMI command", fadt.smi_command, &(struct acpi_gas){0}, 1);
    // 5.2.9: PM_TMR_LEN is 4 if there is a timer, else 0.
    if (fadt.pm_timer_length == 4)
        info->pm_timer_port = io_port("PM timer", fadt.pm_timer, &fadt.x_pm_timer, 4);
    info->pm_timer_32bit = info->pm_timer_port != 0 && (fadt.flags & ACPI_FADT_TIMER_32) != 0;
}

// Makes room for a range of segment 0, which is used, by dropping one of another segment.
static bool make_room(struct acpi_info *info, const struct acpi_mcfg_entry *entry)
{
    uint32_t last = info->mcfg_count - 1;

    if (entry->segment != 0 || info->mcfg[last].segment == 0)
        return false;
    info->mcfg_count = last;
    return true;
}

void acpi_parse_mcfg(const struct acpi_table *table, struct acpi_info *info)
{
    struct acpi_mcfg_entry entry;

    for (uint32_t offset = ACPI_MCFG_ENTRIES;
         acpi_read(table, offset, &entry, sizeof(entry)) == STATUS_OK;
         offset += (uint32_t)sizeof(entry)) {
        // Each bus has 1 MiB, and the last one must not wrap.
        if (entry.base == 0 || !is_aligned(entry.base, MIB(1)) || entry.base > BIT(52) - MIB(256) ||
            entry.bus_first > entry.bus_last) {
            print("ACPI: MCFG range 0x%lx, buses %u-%u, makes no sense and is left out\n",
                  entry.base, entry.bus_first, entry.bus_last);
            continue;
        }
        if (entry.segment != 0 &&
            (info->mcfg_count == 0 || info->mcfg[info->mcfg_count - 1].segment != entry.segment))
            print("ACPI: PCI segment %u is not used: its devices are nobody's, and stay as the "
                  "firmware left them\n",
                  entry.segment);
        if (info->mcfg_count == ACPI_MAX_MCFG && !make_room(info, &entry)) {
            print("ACPI: more than %d MCFG ranges; that at 0x%lx is left out\n", ACPI_MAX_MCFG,
                  entry.base);
            continue;
        }
        info->mcfg[info->mcfg_count++] =
            (struct acpi_mcfg){entry.base, entry.segment, entry.bus_first, entry.bus_last};
    }
}
