// SPDX-License-Identifier: Apache-2.0
// Implements the choice of the serial port (hv/machine/serial_choice.h).
#include "hv/machine/serial_choice.h"

#include "arch/lib/string.h"
#include "drivers/uart/uart.h"

// Class 07, subclass 00: serial controllers; interfaces 00 to 06 are the 8250, the 16450 and the
// 16550 to 16950 (PCI Code and ID Assignment Specification, 1.8).
#define CLASS_SERIAL    0x0700u
#define INTERFACE_16950 0x06u

// Higher values of the interrupt line register name no pin; as in hv/device/pci_pins.c.
#define LINE_MOST 24

// ---- the command line ------------------------------------------------------------------------

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Takes a number up to `most`. False if there is none.
static bool take_number(const char **text, uint32_t base, uint32_t most, uint32_t *value)
{
    const char *begin = *text;

    *value = 0;
    for (int digit; (digit = digit_of(**text)) >= 0 && (uint32_t)digit < base; (*text)++) {
        *value = *value * base + (uint32_t)digit;
        if (*value > most) {
            return false;
        }
    }
    return *text != begin;
}

static bool take_text(const char **text, const char *expected)
{
    size_t length = strlen(expected);

    if (strncmp(*text, expected, length) != 0) {
        return false;
    }
    *text += length;
    return true;
}

static bool take_function(const char **text, struct serial_wish *wish)
{
    uint32_t bus, slot, function;

    if (!take_number(text, 16, 0xff, &bus) || !take_text(text, ":") ||
        !take_number(text, 16, 0x1f, &slot) || !take_text(text, ".") ||
        !take_number(text, 8, 7, &function)) {
        return false;
    }
    wish->kind = SERIAL_PCI;
    wish->function = pci_at(bus, slot, function);
    return true;
}

static bool take_place(const char **text, struct serial_wish *wish)
{
    uint32_t number;

    if (take_text(text, "acpi")) {
        wish->kind = SERIAL_ACPI;
        return true;
    }
    if (take_text(text, "pci:")) {
        return take_function(text, wish);
    }
    if (take_text(text, "0x")) {
        wish->kind = SERIAL_PORT;
        bool good = take_number(text, 16, 0x10000 - UART_REGISTERS, &number) && number != 0;

        wish->port = (uint16_t)number;
        return good;
    }
    if (!take_text(text, "com") || !take_number(text, 10, UART_COMS, &number) || number == 0) {
        return false;
    }
    wish->kind = SERIAL_PORT;
    wish->port = uart_coms[number - 1].port;
    return true;
}

static bool take_speed(const char **text, struct serial_wish *wish)
{
    uint32_t baud;

    if (!take_text(text, ",")) {
        return true;
    }
    if (!take_number(text, 10, UART_BAUD_MOST, &baud) || baud == 0 || UART_BAUD_MOST % baud != 0 ||
        UART_BAUD_MOST / baud > UINT16_MAX) {
        return false;
    }
    wish->has_divisor = true;
    wish->divisor = (uint16_t)(UART_BAUD_MOST / baud);
    return true;
}

bool serial_parse(const char *text, struct serial_wish *wish)
{
    *wish = (struct serial_wish){.kind = SERIAL_NONE};
    if (strcmp(text, "none") == 0 ||
        (take_place(&text, wish) && take_speed(&text, wish) && *text == '\0')) {
        return true;
    }
    *wish = (struct serial_wish){.kind = SERIAL_DEFAULT};
    return false;
}

// ---- ports -----------------------------------------------------------------------------------

struct acpi_serial serial_at_port(uint16_t port)
{
    struct acpi_serial serial = {.found = true, .width = 1, .divisor = 1, .address = port};

    for (unsigned i = 0; i < UART_COMS; i++) {
        if (uart_coms[i].port == port) {
            serial.irq_kind = ACPI_SERIAL_ISA;
            serial.irq = uart_coms[i].irq;
        }
    }
    return serial;
}

struct acpi_serial serial_of_debug_port(const struct acpi_serial *dbg2)
{
    struct acpi_serial serial = *dbg2;

    if (!serial.memory) {
        struct acpi_serial usual = serial_at_port((uint16_t)serial.address);

        serial.irq_kind = usual.irq_kind;
        serial.irq = usual.irq;
    }
    return serial;
}

static const struct pci_bar *find_bar(const struct pci_function *f, bool memory)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &f->bar[i];
        bool fits = memory ? pci_bar_is_memory(bar->kind) : bar->kind == PCI_BAR_IO;

        if (fits && bar->address != 0 && bar->size >= UART_REGISTERS) {
            return bar;
        }
    }
    return NULL;
}

const char *serial_of_function(const struct pci_function *f, struct acpi_serial *serial)
{
    if (f->class_code >> 8 != CLASS_SERIAL || (f->class_code & 0xff) > INTERFACE_16950) {
        return "it is no serial port like a 16550 (class 07/00, interface 00 to 06)";
    }
    const struct pci_bar *bar = find_bar(f, false);

    if (bar == NULL) {
        bar = find_bar(f, true);
    }
    if (bar == NULL) {
        return "the firmware gave its registers no address";
    }
    *serial = (struct acpi_serial){.found = true,
                                   .memory = bar->kind != PCI_BAR_IO,
                                   .pci = true,
                                   .width = 1,
                                   .divisor = 1,
                                   .address = bar->address};
    if (f->interrupt_pin != 0 && f->interrupt_line != 0 && f->interrupt_line < LINE_MOST) {
        serial->irq_kind = ACPI_SERIAL_GSI;
        serial->irq = f->interrupt_line;
    }
    return NULL;
}

const struct pci_function *serial_owner(const struct pci_machine *pci,
                                        const struct acpi_serial *serial)
{
    for (unsigned i = 0; i < pci->count; i++) {
        for (unsigned n = 0; n < PCI_BARS; n++) {
            const struct pci_bar *bar = &pci->function[i].bar[n];

            if (bar->kind != PCI_BAR_NONE && bar->address != 0 &&
                pci_bar_is_memory(bar->kind) == serial->memory &&
                ranges_overlap(bar->address, bar->size, serial->address, serial_size(serial))) {
                return &pci->function[i];
            }
        }
    }
    return NULL;
}

bool serial_input(const struct acpi_info *acpi, const struct acpi_serial *serial,
                  struct ioapic_input *input)
{
    // Only ISA interrupts have ISA's polarity and overrides. A table that names an ISA interrupt by
    // its global number means the same, because firmware maps them one to one, except for the
    // timer.
    bool isa = serial->irq_kind == ACPI_SERIAL_ISA || (!serial->pci && serial->irq < 16);

    if (!serial->found || serial->irq_kind == ACPI_SERIAL_NO_IRQ) {
        return false;
    }
    if (isa) {
        return ioapic_find_isa(acpi, (uint8_t)serial->irq, input) == STATUS_OK;
    }
    return ioapic_find_pci(acpi, serial->irq, input) == STATUS_OK;
}
