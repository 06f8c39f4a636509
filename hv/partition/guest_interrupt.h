// SPDX-License-Identifier: Apache-2.0
// A partition's 8259s: their output is wired to the local interrupt pin 0 of the boot processor, as
// in virtual wire mode (MP specification 1.4, 3.6.2.2). The interrupt is injected, since no
// physical 8259 is behind the pin.
#ifndef HV_PARTITION_GUEST_INTERRUPT_H
#define HV_PARTITION_GUEST_INTERRUPT_H

#include <stdbool.h>

struct partition;
struct vcpu;

// A device's ISA interrupt: an input of the 8259s, and a pin of the IOAPIC (0 is pin 2 there).
// Device lock held.
void guest_interrupt_line(struct partition *p, unsigned irq, bool asserted);

// What is asked of the 8259s may have changed: the boot processor learns of it. Device lock held.
void guest_interrupt_changed(struct partition *p);

// vCPU `v` lets their interrupts through, which it may not have done before. No lock.
void guest_interrupt_opened(struct vcpu *v);

// Delivers what can be delivered. On vCPU 0's CPU, between two instructions of its guest.
void guest_interrupt_deliver(struct vcpu *v);

// The guest takes interrupts now, for which an exit was asked. The back ends.
void guest_interrupt_window(struct vcpu *v);

#endif
