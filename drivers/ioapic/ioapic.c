// SPDX-License-Identifier: Apache-2.0
// The physical IOAPIC (Intel 82093AA data sheet, section 3): index and data registers, one 64-bit
// redirection entry per pin.
#include "drivers/ioapic/ioapic.h"

#include <stddef.h>

#include "arch/lib/types.h"

// Registers in the memory window, in words.
#define IOREGSEL 0
#define IOWIN    4

// Registers reached through them.
#define IOAPIC_VER   0x01u
#define IOAPIC_TABLE 0x10u // two registers per pin: low, high

#define VER_LAST_PIN(v) (((v) >> 16) & 0xffu)

#define ENTRY_MODE(m)     ((uint64_t)(m) << 8)
#define ENTRY_ACTIVE_LOW  BIT(13)
#define ENTRY_LEVEL       BIT(15)
#define ENTRY_APIC_ID(id) ((uint64_t)(id) << 56)

static uint32_t read_register(volatile uint32_t *regs, uint32_t index)
{
    regs[IOREGSEL] = index;
    return regs[IOWIN];
}

static void write_register(volatile uint32_t *regs, uint32_t index, uint32_t value)
{
    regs[IOREGSEL] = index;
    regs[IOWIN] = value;
}

unsigned ioapic_pins(volatile uint32_t *regs)
{
    unsigned pins = VER_LAST_PIN(read_register(regs, IOAPIC_VER)) + 1;

    // An absent device reads all ones: 256 pins, more than the index can address.
    return pins < IOAPIC_MAX_PINS ? pins : IOAPIC_MAX_PINS;
}

static uint32_t entry_index(unsigned pin)
{
    return IOAPIC_TABLE + 2 * pin;
}

static void write_entry(volatile uint32_t *regs, unsigned pin, uint64_t entry)
{
    // Masked, but already level-triggered if it will be, so that a line that rises now is not lost.
    write_register(regs, entry_index(pin), (uint32_t)(entry | IOAPIC_ENTRY_MASKED));
    write_register(regs, entry_index(pin) + 1, (uint32_t)(entry >> 32));
    write_register(regs, entry_index(pin), (uint32_t)entry);
}

void ioapic_mask_all(volatile uint32_t *regs)
{
    unsigned pins = ioapic_pins(regs);

    for (unsigned pin = 0; pin < pins; pin++)
        write_entry(regs, pin, IOAPIC_ENTRY_MASKED);
}

uint64_t ioapic_encode(const struct ioapic_route *route)
{
    // The vector of an NMI is ignored (82093AA, 3.2.4).
    uint64_t entry = route->mode == IOAPIC_MODE_FIXED ? route->vector : 0;

    entry |= ENTRY_MODE(route->mode);
    if (route->active_low)
        entry |= ENTRY_ACTIVE_LOW;
    if (route->level)
        entry |= ENTRY_LEVEL;
    if (route->masked)
        entry |= IOAPIC_ENTRY_MASKED;
    return entry | ENTRY_APIC_ID(route->apic_id);
}

enum status ioapic_set(volatile uint32_t *regs, unsigned pin, const struct ioapic_route *route)
{
    if (pin >= ioapic_pins(regs))
        return ERR_RANGE;
    // 0xff would address every CPU. Only these two modes are ever programmed, because others could
    // reset a CPU.
    bool sensible =
        route->apic_id != 0xff &&
        (route->mode == IOAPIC_MODE_FIXED ? route->vector >= 16
                                          : route->mode == IOAPIC_MODE_NMI && !route->level);

    if (!sensible)
        return ERR_INVALID;
    write_entry(regs, pin, ioapic_encode(route));
    return STATUS_OK;
}

void ioapic_put(volatile uint32_t *regs, unsigned pin, uint64_t entry)
{
    if (pin < ioapic_pins(regs))
        write_entry(regs, pin, entry);
}

uint64_t ioapic_get(volatile uint32_t *regs, unsigned pin)
{
    if (pin >= ioapic_pins(regs))
        return UINT64_MAX;
    return (uint64_t)read_register(regs, entry_index(pin) + 1) << 32 |
           read_register(regs, entry_index(pin));
}

enum status ioapic_find_gsi(const struct acpi_info *acpi, uint32_t gsi, unsigned *ioapic,
                            uint32_t *pin)
{
    const struct acpi_ioapic *best = NULL;

    // The IOAPIC with the highest base that is not above `gsi`.
    for (uint32_t i = 0; i < acpi->ioapic_count; i++) {
        const struct acpi_ioapic *candidate = &acpi->ioapics[i];

        if (candidate->gsi_base > gsi || (best != NULL && candidate->gsi_base <= best->gsi_base))
            continue;
        best = candidate;
        *ioapic = i;
        *pin = gsi - candidate->gsi_base;
    }
    return best != NULL ? STATUS_OK : ERR_NOT_FOUND;
}

enum status ioapic_find_isa(const struct acpi_info *acpi, uint8_t irq, struct ioapic_input *input)
{
    *input = (struct ioapic_input){.gsi = irq};
    for (uint32_t i = 0; i < acpi->override_count; i++) {
        const struct acpi_override *override = &acpi->overrides[i];

        if (override->irq != irq)
            continue;
        input->gsi = override->gsi;
        input->level = override->level;
        input->active_low = override->active_low;
        break;
    }
    return ioapic_find_gsi(acpi, input->gsi, &input->ioapic, &input->pin);
}

enum status ioapic_find_pci(const struct acpi_info *acpi, uint32_t gsi, struct ioapic_input *input)
{
    *input = (struct ioapic_input){.gsi = gsi, .level = true, .active_low = true};
    for (uint32_t i = 0; i < acpi->override_count; i++) {
        if (acpi->overrides[i].gsi == gsi)
            input->active_low = acpi->overrides[i].active_low;
    }
    return ioapic_find_gsi(acpi, gsi, &input->ioapic, &input->pin);
}
