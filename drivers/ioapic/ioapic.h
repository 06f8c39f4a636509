// SPDX-License-Identifier: Apache-2.0
// The physical IOAPIC: its pins, and the redirection entries that route them. Holds no state: the
// caller passes the mapped registers. If two CPUs may access them, the caller also holds a lock,
// because they are an index and data pair.
#ifndef DRIVERS_IOAPIC_IOAPIC_H
#define DRIVERS_IOAPIC_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "drivers/acpi/acpi.h"

#define IOAPIC_MMIO_SIZE 0x1000 // bytes to map
#define IOAPIC_MAX_PINS  120    // the index register has 8 bits: (256 - 16) / 2

// Bits of a redirection entry.
#define IOAPIC_ENTRY_REMOTE_IRR (1ull << 14) // a level-triggered interrupt waits for its EOI
#define IOAPIC_ENTRY_MASKED     (1ull << 16)

enum ioapic_mode {
    IOAPIC_MODE_FIXED = 0,
    IOAPIC_MODE_NMI = 4,
};

// One redirection entry. The destination is always physical.
struct ioapic_route {
    uint8_t vector; // 16-255 for FIXED; ignored for NMI
    enum ioapic_mode mode;
    bool level; // else edge; NMI must be edge (82093AA, 3.2.4)
    bool active_low;
    bool masked;
    uint8_t apic_id; // destination: physical local APIC ID, 0-254
};

// An interrupt input of the machine.
struct ioapic_input {
    unsigned ioapic; // index into acpi_info.ioapics
    uint32_t pin;    // on that IOAPIC; not checked against its count of pins
    uint32_t gsi;
    bool level;
    bool active_low;
};

// `regs`: the IOAPIC's registers, mapped uncached.
unsigned ioapic_pins(volatile uint32_t *regs); // 1 to IOAPIC_MAX_PINS
void ioapic_mask_all(volatile uint32_t *regs);

// Programs a pin. The pin is masked meanwhile, so that no half-written entry takes effect.
// ERR_RANGE: the pin does not exist. ERR_INVALID: the route makes no sense.
enum status ioapic_set(volatile uint32_t *regs, unsigned pin, const struct ioapic_route *route);

// Programs a pin with a complete entry: from ioapic_encode(), or in the IOMMU's format. The pin is
// masked meanwhile. Does nothing for a pin that does not exist.
void ioapic_put(volatile uint32_t *regs, unsigned pin, uint64_t entry);

// The raw entry of a pin; all ones (masked) for a pin that does not exist.
uint64_t ioapic_get(volatile uint32_t *regs, unsigned pin);

// The entry in the register's format. Pure.
uint64_t ioapic_encode(const struct ioapic_route *route);

// Finds the IOAPIC and pin of a global system interrupt. ERR_NOT_FOUND: it is below every IOAPIC's
// base.
enum status ioapic_find_gsi(const struct acpi_info *acpi, uint32_t gsi, unsigned *ioapic,
                            uint32_t *pin);

// The same for an ISA interrupt, with its override. Without an override it is edge-triggered,
// active high (ACPI 6.5, 5.2.12.5).
enum status ioapic_find_isa(const struct acpi_info *acpi, uint8_t irq, struct ioapic_input *input);

// The same for a PCI function's interrupt pin that the firmware wired to this global system
// interrupt. It is level-triggered and active low (PCI 3.0, 2.2.6), unless an override of this
// number gives another polarity. ERR_NOT_FOUND as above.
enum status ioapic_find_pci(const struct acpi_info *acpi, uint32_t gsi, struct ioapic_input *input);

#endif
