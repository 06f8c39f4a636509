// SPDX-License-Identifier: Apache-2.0
// What `console=` on the command line means, and the serial ports that it can lead to. Decides
// only.
#ifndef HV_MACHINE_SERIAL_CHOICE_H
#define HV_MACHINE_SERIAL_CHOICE_H

#include "drivers/acpi/acpi.h"
#include "drivers/ioapic/ioapic.h"
#include "drivers/pci/pci.h"

enum serial_kind {
    SERIAL_DEFAULT, // SPCR's, else the first of COM1 to COM4
    SERIAL_NONE,
    SERIAL_PORT, // COM1 to COM4 by their ports, or any other port
    SERIAL_ACPI, // SPCR's, else DBG2's
    SERIAL_PCI,
};

struct serial_wish {
    enum serial_kind kind;
    uint16_t port;
    pci_address_t function;
    bool has_divisor; // else as the place says
    uint16_t divisor;
};

// Reads the value of `console=`: com1 to com4, 0xPORT, acpi, pci:BB:DD.F or none; behind all but
// the last perhaps a comma and the speed in baud, of which 115200 is a multiple. False: it is none
// of these; then the wish is for the default.
bool serial_parse(const char *text, struct serial_wish *wish);

// The port at `port`, with the interrupt that COM1 to COM4 have.
struct acpi_serial serial_at_port(uint16_t port);

// DBG2's port: the table tells no interrupt, but those of COM1 to COM4 are known.
struct acpi_serial serial_of_debug_port(const struct acpi_serial *dbg2);

// The port of a PCI function, in the first BAR of ports that is large enough, else of memory. NULL,
// or why it has none.
const char *serial_of_function(const struct pci_function *f, struct acpi_serial *serial);

// The function whose BAR the registers are in, or NULL.
const struct pci_function *serial_owner(const struct pci_machine *pci,
                                        const struct acpi_serial *serial);

// Its interrupt input. False: it has none, or no IOAPIC has it.
bool serial_input(const struct acpi_info *acpi, const struct acpi_serial *serial,
                  struct ioapic_input *input);

// Bytes or ports that the registers take.
static inline uint64_t serial_size(const struct acpi_serial *serial)
{
    return 8u << serial->shift;
}

#endif
