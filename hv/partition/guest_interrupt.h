// SPDX-License-Identifier: Apache-2.0
// A partition's 8259s. Their output is wired to local interrupt pin 0 of the boot processor, as in
// virtual wire mode (MP specification 1.4, 3.6.2.2). The interrupt is injected, because no physical
// 8259 drives that pin.
#ifndef HV_PARTITION_GUEST_INTERRUPT_H
#define HV_PARTITION_GUEST_INTERRUPT_H

#include <stdbool.h>

struct partition;
struct vcpu;

// Drives a device's ISA interrupt line: an input of the 8259s, and a pin of the IOAPIC (pin 2 for
// interrupt 0). Device lock held.
void guest_interrupt_line(struct partition *p, unsigned irq, bool asserted);

// Tells the boot processor that the output of the 8259s may have changed. Device lock held.
void guest_interrupt_changed(struct partition *p);

// vCPU `v` accepts their interrupts now, and may not have done so before. No lock.
void guest_interrupt_opened(struct vcpu *v);

// Delivers an interrupt if possible. On vCPU 0's CPU, between two instructions of its guest.
void guest_interrupt_deliver(struct vcpu *v);

// The guest now takes interrupts; an exit was requested for this. Called by the back ends.
void guest_interrupt_window(struct vcpu *v);

#endif
