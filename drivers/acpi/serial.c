// SPDX-License-Identifier: Apache-2.0
// The tables that describe a serial port: SPCR for the firmware's own console (Microsoft, Serial
// Port Console Redirection Table, revision 4), and DBG2 for debug ports (Microsoft Debug Port Table
// 2). Only ports of the 16550's family are used.
#include "arch/lib/types.h"
#include "drivers/acpi/acpi.h"
#include "drivers/acpi/tables.h"
#include "drivers/console/console.h"

#define PC_CLOCK    1843200u // Hz
#define MAX_ADDRESS BIT(52)

static bool is_16550(uint16_t kind)
{
    return kind == ACPI_UART_16550 || kind == ACPI_UART_16550_SUBSET || kind == ACPI_UART_16550_GAS;
}

// log2 of the register stride, from the register width if the table gives one.
static uint8_t find_shift(uint8_t bits, uint8_t least)
{
    for (uint8_t shift = 0; shift <= 3; shift++) {
        if (bits == 8u << shift && (1u << shift) >= least)
            return shift;
    }
    return (uint8_t)__builtin_ctz(least);
}

static bool take_ports(uint16_t kind, const struct acpi_gas *gas, struct acpi_serial *serial)
{
    // The old kinds always have consecutive ports, whatever the width field says.
    serial->shift = kind == ACPI_UART_16550_GAS ? find_shift(gas->bit_width, 1) : 0;
    return gas->address <= 0x10000 - (8u << serial->shift);
}

static bool take_memory(const struct acpi_gas *gas, struct acpi_serial *serial)
{
    static const uint8_t widths[] = {1, 1, 2, 4}; // by access size; 0 means not given

    if (gas->access_size >= ARRAY_SIZE(widths))
        return false;
    serial->memory = true;
    serial->width = widths[gas->access_size];
    serial->shift = find_shift(gas->bit_width, serial->width);
    return is_aligned(gas->address, serial->width) && gas->address < MAX_ADDRESS;
}

// Stores where the registers are. False, with a warning, if that makes no sense.
static bool take_place(const char *table, uint16_t kind, const struct acpi_gas *gas,
                       struct acpi_serial *serial)
{
    bool good = gas->address != 0;

    serial->address = gas->address;
    serial->width = 1;
    if (gas->space == ACPI_SPACE_IO)
        good = good && take_ports(kind, gas, serial);
    else
        good = good && gas->space == ACPI_SPACE_MEMORY && take_memory(gas, serial);
    if (!good)
        print("ACPI: %s's serial port at 0x%lx in space %u (%u bits, access %u) makes no sense and "
              "is left out\n",
              table, gas->address, gas->space, gas->bit_width, gas->access_size);
    return good;
}

// The divisor for the table's speed; 0: keep the present speed.
static uint16_t find_divisor(const struct acpi_spcr *spcr, const struct acpi_serial *serial)
{
    static const struct {
        uint8_t code;
        uint32_t baud;
    } rates[] = {{3, 9600}, {4, 19200}, {6, 57600}, {7, 115200}};
    uint64_t clock = spcr->header.revision >= 3 ? spcr->clock : 0;

    // Only a PC's own ports are known to have the clock of a PC.
    if (clock == 0 && !serial->memory && !serial->pci)
        clock = PC_CLOCK;
    for (unsigned i = 0; i < ARRAY_SIZE(rates); i++) {
        uint64_t divisor = (clock + 8 * rates[i].baud) / (16 * rates[i].baud);

        if (rates[i].code == spcr->baud && divisor <= UINT16_MAX)
            return (uint16_t)divisor;
    }
    return 0;
}

static void take_irq(const struct acpi_spcr *spcr, struct acpi_serial *serial)
{
    if ((spcr->interrupt_type & ACPI_SPCR_IOAPIC) != 0) {
        serial->irq_kind = ACPI_SERIAL_GSI;
        serial->irq = spcr->gsi;
    } else if ((spcr->interrupt_type & ACPI_SPCR_PIC) != 0 && spcr->irq < 16) {
        serial->irq_kind = ACPI_SERIAL_ISA;
        serial->irq = spcr->irq;
    }
}

void acpi_parse_spcr(const struct acpi_table *table, struct acpi_info *info)
{
    struct acpi_serial serial = {.found = true};
    struct acpi_spcr spcr;

    if (acpi_read(table, 0, &spcr, sizeof(spcr)) != STATUS_OK) {
        print("ACPI: the SPCR has only %u bytes and is left out\n", table->length);
        return;
    }
    if (spcr.base.address == 0) // no console
        return;
    if (!is_16550(spcr.kind)) {
        print("ACPI: SPCR's serial port is of kind 0x%x, not a 16550, and is left out\n",
              spcr.kind);
        return;
    }
    if (!take_place("SPCR", spcr.kind, &spcr.base, &serial))
        return;
    serial.pci = spcr.pci_vendor != 0xffff && spcr.pci_vendor != 0;
    serial.divisor = find_divisor(&spcr, &serial);
    take_irq(&spcr, &serial);
    info->spcr = serial;
}

// Reads one device of the DBG2. False at the end of the table.
static bool take_debug_port(const struct acpi_table *table, uint32_t *offset,
                            struct acpi_info *info)
{
    struct acpi_serial serial = {.found = true};
    struct acpi_dbg2_device device;
    struct acpi_gas gas;
    uint32_t at = *offset;

    if (acpi_read(table, at, &device, sizeof(device)) != STATUS_OK)
        return false;
    if (device.length < sizeof(device) || device.length > table->length - at) {
        print("ACPI: DBG2's device at %u has %u bytes; the rest is left out\n", at, device.length);
        return false;
    }
    *offset = at + device.length;
    if (device.type != ACPI_DBG2_SERIAL || !is_16550(device.subtype) || device.address_count == 0)
        return true;
    if (device.addresses > device.length - sizeof(gas) ||
        acpi_read(table, at + device.addresses, &gas, sizeof(gas)) != STATUS_OK) {
        print("ACPI: DBG2's device at %u has no address and is left out\n", at);
        return true;
    }
    if (take_place("DBG2", device.subtype, &gas, &serial) && !info->dbg2.found)
        info->dbg2 = serial;
    return true;
}

void acpi_parse_dbg2(const struct acpi_table *table, struct acpi_info *info)
{
    struct acpi_dbg2 dbg2;

    if (acpi_read(table, 0, &dbg2, sizeof(dbg2)) != STATUS_OK) {
        print("ACPI: the DBG2 has only %u bytes and is left out\n", table->length);
        return;
    }
    for (uint32_t i = 0, at = dbg2.devices; i < dbg2.count; i++) {
        if (!take_debug_port(table, &at, info))
            return;
    }
}
