// SPDX-License-Identifier: Apache-2.0
// Decides which PCI functions may use their interrupt pins, and at which of the four wires of its
// bus a partition sees each of them. Changes nothing.
//
// An interrupt input of the machine belongs to one partition, because functions can't be told apart
// by the input's level. Functions of one partition share it, as on any PC: the partition sees them
// all at the same wire, which stands for the input.
#ifndef HV_DEVICE_PCI_PINS_H
#define HV_DEVICE_PCI_PINS_H

#include "arch/lib/types.h"

#define PCI_PINS_TEXT_SIZE 160

// A function with an interrupt pin that belongs to a partition.
struct pci_pin {
    unsigned partition;
    const char *partition_name;
    uint32_t address; // of the function on the machine's bus, for messages
    uint8_t device;   // its device number on the partition's bus
    uint8_t pin;      // of the function itself, 1 to 4
    uint8_t line;     // the interrupt line register: the input that firmware says it is wired to
    bool has_input;   // there is an IOAPIC with that input
    bool messages;    // it has MSI or MSI-X, so it can do without the pin
    // The decision:
    bool granted;
    uint8_t wire;    // 0 to 3
    const char *why; // why the pin is not granted
    int other;       // index of the function that is in the way; -1: none
};

// Functions without messages choose first, the others get what is left. Otherwise the order of the
// list counts. `console` is the input of the hypervisor's console, or UINT32_MAX.
void pci_pins_choose(struct pci_pin *list, unsigned count, uint32_t console);

// The first function that has neither a pin nor messages; NULL if there is none.
const struct pci_pin *pci_pins_refused(const struct pci_pin *list, unsigned count);

// Says why a function of the list has no pin, and names the device in the way.
void pci_pins_describe(const struct pci_pin *list, const struct pci_pin *p,
                       char text[PCI_PINS_TEXT_SIZE]);

// The pin, 1 to 4, that a function must show so that it is at its wire.
uint8_t pci_pins_shown(const struct pci_pin *p);

#endif
