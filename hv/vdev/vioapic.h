// SPDX-License-Identifier: Apache-2.0
// A virtual 82093AA with 24 pins, version 0x20 (it has an EOI register). It turns changes of its
// input lines into messages. The caller checks and delivers them like a guest's IPIs.
//
// Interrupts reach a guest as IPIs, and its EOIs go directly to the hardware, so remote IRR never
// latches. A level-triggered pin sends a message in three cases: its line rises; a write changes
// its entry while the line is high and the entry unmasked; the EOI register is written with its
// vector while the line is still high. An IPI leaves the local APIC's TMR bit clear. Linux, for
// example, then writes the EOI register after every level-triggered interrupt.
//
// A direct pin stands for a pin of the physical IOAPIC. Its line is not driven here; the caller
// programs the physical entry when this one has changed. Its EOIs reach the hardware directly.
#ifndef HV_VDEV_VIOAPIC_H
#define HV_VDEV_VIOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define VIOAPIC_PINS 24

enum vioapic_delivery {
    VIOAPIC_FIXED = 0,  // encodings as in a redirection entry
    VIOAPIC_LOWEST = 1, // to one of the destinations
    VIOAPIC_NMI = 4,    // the vector is ignored
};

struct vioapic_message {
    uint8_t vector; // 16..255 unless the delivery is NMI
    enum vioapic_delivery delivery;
    bool logical;        // destination mode is logical
    uint8_t destination; // APIC ID, or logical destination
    bool level;
};

struct vioapic {
    uint8_t index;
    uint32_t id;    // register 0 as written: bits 27:24
    uint32_t lines; // bit n: pin n is asserted
    uint64_t entry[VIOAPIC_PINS];
    uint32_t direct;     // bit n: pin n is a direct one
    uint32_t changed;    // direct pins whose entry was written; the caller clears it
    uint32_t remote_irr; // direct pins that wait for an EOI; set by the caller before a read
};

// All entries masked, all lines low, no pin direct.
void vioapic_reset(struct vioapic *a);

// `offset` within the page: 0x00 index, 0x10 data, 0x40 EOI; all 32 bits wide. Other reads give
// ones; other writes are dropped. A narrower write of index or EOI may be passed zero-extended.
uint32_t vioapic_read(const struct vioapic *a, uint32_t offset);

// True if a message is to be sent, which is then in *out.
bool vioapic_write(struct vioapic *a, uint32_t offset, uint32_t value, struct vioapic_message *out);

// Makes these pins (a bit each) direct, after a reset. They count as changed.
void vioapic_make_direct(struct vioapic *a, uint32_t pins);

// The message that a direct pin's entry makes of each interrupt. False if it is masked, or can't
// send one.
bool vioapic_direct_message(const struct vioapic *a, unsigned pin, struct vioapic_message *out);

// The message that a pin's entry makes of each interrupt. False if it is masked, or can't send one.
bool vioapic_pin_message(const struct vioapic *a, unsigned pin, struct vioapic_message *out);

// A device drives its line. `asserted` means active, whatever polarity the guest programmed. Pins
// from VIOAPIC_PINS on don't exist. True if a message is to be sent, which is then in *out.
bool vioapic_set_line(struct vioapic *a, unsigned pin, bool asserted, struct vioapic_message *out);

#endif
