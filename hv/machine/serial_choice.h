// SPDX-License-Identifier: Apache-2.0
// Parses `console=` on the command line, and finds the serial port that it means. Decides only.
#ifndef HV_MACHINE_SERIAL_CHOICE_H
#define HV_MACHINE_SERIAL_CHOICE_H

#include "drivers/acpi/acpi.h"
#include "drivers/ioapic/ioapic.h"
#include "drivers/pci/pci.h"

enum serial_kind {
    SERIAL_DEFAULT, // SPCR's port, else the first of COM1 to COM4
    SERIAL_NONE,
    SERIAL_PORT, // a port by its number, or COM1 to COM4
    SERIAL_ACPI, // SPCR's port, else DBG2's
    SERIAL_PCI,
};

struct serial_wish {
    enum serial_kind kind;
    uint16_t port;
    pci_address_t function;
    bool has_divisor; // else the port's own default
    uint16_t divisor;
};

// Parses the value of `console=`: com1 to com4, 0xPORT, acpi, pci:BB:DD.F or none. All except
// `none` may be followed by a comma and the speed in baud, a divisor of 115200. False: it is none
// of these; then the wish is the default.
bool serial_parse(const char *text, struct serial_wish *wish);

// The port at `port`, with its usual interrupt if it is COM1 to COM4.
struct acpi_serial serial_at_port(uint16_t port);

// DBG2's port. The table has no interrupt, but those of COM1 to COM4 are known.
struct acpi_serial serial_of_debug_port(const struct acpi_serial *dbg2);

// Finds a PCI function's port: in its first I/O BAR that is large enough, else in a memory BAR.
// Returns NULL, or why there is none.
const char *serial_of_function(const struct pci_function *f, struct acpi_serial *serial);

// The function whose BAR the registers are in, or NULL.
const struct pci_function *serial_owner(const struct pci_machine *pci,
                                        const struct acpi_serial *serial);

// The port's interrupt input. False: it has none, or no IOAPIC has it.
bool serial_input(const struct acpi_info *acpi, const struct acpi_serial *serial,
                  struct ioapic_input *input);

// Size of the registers, in bytes or ports.
static inline uint64_t serial_size(const struct acpi_serial *serial)
{
    return 8u << serial->shift;
}

#endif
