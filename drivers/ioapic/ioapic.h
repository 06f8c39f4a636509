// SPDX-License-Identifier: Apache-2.0
// The physical IOAPIC: its pins, and the redirection entry that routes one. Holds no state: the
// caller brings the mapped registers and, where two CPUs might, a lock (the register pair is
// index and data).
#ifndef DRIVERS_IOAPIC_IOAPIC_H
#define DRIVERS_IOAPIC_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "drivers/acpi/acpi.h"

#define IOAPIC_MMIO_SIZE 0x1000 // map this much
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

// An interrupt input of the machine, found by its ISA number.
struct ioapic_input {
    unsigned ioapic; // index into acpi_info.ioapics
    uint32_t pin;    // on that IOAPIC; not checked against its number of pins
    uint32_t gsi;
    bool level;
    bool active_low;
};

// `regs`: the IOAPIC's registers, mapped uncached.
uint8_t ioapic_version(volatile uint32_t *regs);
unsigned ioapic_pins(volatile uint32_t *regs); // 1 to IOAPIC_MAX_PINS
void ioapic_mask_all(volatile uint32_t *regs);

// Programs a pin; masked while it changes, so that no half-written entry is ever live. ERR_RANGE
// for a pin that doesn't exist, ERR_INVALID for a route that makes no sense.
enum status ioapic_set(volatile uint32_t *regs, unsigned pin, const struct ioapic_route *route);

// Programs a pin with an entry that was made elsewhere: ioapic_encode(), or the IOMMU's format.
// Masked while it changes. Nothing happens to a pin that doesn't exist.
void ioapic_put(volatile uint32_t *regs, unsigned pin, uint64_t entry);

// The raw entry of a pin; all ones (masked) for a pin that doesn't exist.
uint64_t ioapic_get(volatile uint32_t *regs, unsigned pin);

// The entry as the register has it. Pure.
uint64_t ioapic_encode(const struct ioapic_route *route);

// Which IOAPIC and pin a global system interrupt is; ERR_NOT_FOUND if it lies before all of them.
enum status ioapic_find_gsi(const struct acpi_info *acpi, uint32_t gsi, unsigned *ioapic,
                            uint32_t *pin);

// The same for an ISA interrupt, with its overrides; without one it is edge, active high (ACPI
// 6.5, 5.2.12.5).
enum status ioapic_find_isa(const struct acpi_info *acpi, uint8_t irq, struct ioapic_input *input);

// The interrupt of a PCI function's pin that firmware wired to this global system interrupt: level,
// active low (PCI 3.0, 2.2.6), unless an override of this number says another polarity.
// ERR_NOT_FOUND as above.
enum status ioapic_find_pci(const struct acpi_info *acpi, uint32_t gsi, struct ioapic_input *input);

#endif
