// SPDX-License-Identifier: Apache-2.0
// A model of a machine's PCI functions in place of drivers/pci/access.c: configuration space with
// bits that can be written, BARs that can be measured, capabilities, bridges, and functions that
// are reset as hardware is and take their time. With it comes a clock that only waiting moves.
#ifndef TESTS_UNIT_FAKE_PCI_H
#define TESTS_UNIT_FAKE_PCI_H

#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"

#define FAKE_PCI_ECAM 0xb0000000u // where configuration space of bus 0 is memory-mapped

struct fake_function {
    pci_address_t address;
    uint8_t config[4096];
    uint8_t writable[4096]; // bits that take what is written
    uint8_t clears[4096];   // bits that a one clears
    uint8_t fresh[4096];    // what a reset leaves of the writable bits
    bool in_memory;         // shows up in memory-mapped space, which it does at first
    unsigned capability_link, capability_next, extended_link, extended_next;
    unsigned express, af, pm; // offsets, 0: none
    bool resets_lie;          // a reset that is asked for does not happen
    uint64_t silent_us;       // how long it does not answer behind a reset
    uint64_t silent_until;
    unsigned resets;
    unsigned bar_writes_decoding; // BARs written while the function decodes what they say
    bool mastering_at_reset;      // the bus master bit was on when the last one came
};

extern uint64_t fake_pci_now;           // microseconds
extern unsigned fake_pci_port_accesses; // reads and writes that went through the ports

// Nothing is there, and the clock is at 1 s.
void fake_pci_clear(void);

// A function with a type 0 header, and the usual bits of its command register. Further functions of
// a slot make the first one say that there are several.
struct fake_function *fake_pci_add(pci_address_t a, uint32_t class_code);
// One with a type 1 header.
struct fake_function *fake_pci_add_bridge(pci_address_t a, unsigned secondary,
                                          unsigned subordinate);
// NULL: there is none. What was added stays where it is.
struct fake_function *fake_pci_at(pci_address_t a);

// `flags`: the low bits of the register. A 64-bit BAR takes the next one as well.
void fake_pci_bar(struct fake_function *f, unsigned index, uint32_t flags, uint64_t size,
                  uint64_t address);
// Each returns the offset of the new capability, whose registers are 0 and read-only.
unsigned fake_pci_capability(struct fake_function *f, unsigned id, unsigned size);
unsigned fake_pci_express(struct fake_function *f, unsigned type, bool flr);
unsigned fake_pci_power(struct fake_function *f, bool no_soft_reset);
unsigned fake_pci_advanced(struct fake_function *f); // with its reset
unsigned fake_pci_extended(struct fake_function *f, unsigned id, unsigned size);
unsigned fake_pci_acs(struct fake_function *f, uint32_t offered);

uint32_t fake_pci_get(const struct fake_function *f, unsigned offset, unsigned size);
void fake_pci_set(struct fake_function *f, unsigned offset, unsigned size, uint32_t value);
void fake_pci_let_write(struct fake_function *f, unsigned offset, unsigned size, uint32_t bits);

// One entry of MCFG for all buses of segment 0.
struct acpi_info fake_pci_mcfg(uint64_t base);

// Registers in memory BARs: they hold what is written, and `release` clears bits in one when
// another is written, as firmware would that gives a controller up.
void fake_pci_register(uint64_t address, uint32_t value);
uint32_t fake_pci_register_value(uint64_t address);
void fake_pci_release(uint64_t written, uint64_t address, uint32_t bits);

#endif
