// SPDX-License-Identifier: Apache-2.0
// The machine's HPET (IA-PC HPET specification 1.0a): its counter and its comparators. Each
// comparator interrupts through one of the IOAPIC pins that it is wired to. After hpet_init() none
// interrupts. One CPU at a time uses a comparator; any CPU may use the counter.
#ifndef DRIVERS_CLOCK_HPET_H
#define DRIVERS_CLOCK_HPET_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/acpi/acpi.h"

#define HPET_MAX_COMPARATORS 8
#define HPET_SIZE            0x400 // bytes of registers

// The HPET's address from the firmware's table; 0: there is none, or it can't be used.
uint64_t hpet_address(const struct acpi_info *acpi);

// Starts the counter. `regs` are the mapped registers. Returns the number of comparators; 0: the
// HPET can't be used. Boot CPU.
unsigned hpet_init(volatile uint32_t *regs);

uint64_t hpet_hz(void);
bool hpet_is_periodic(unsigned n);
// Bit n: the comparator's interrupt can be routed to GSI n.
uint32_t hpet_gsis(unsigned n);

// Makes the comparator interrupt through this GSI, edge-triggered, after `ticks` of the counter,
// then every `period` ticks; 0: once only. Both are below 2^31.
void hpet_arm(unsigned n, unsigned gsi, uint32_t ticks, uint32_t period);
void hpet_stop(unsigned n);

// drivers/clock/hpet_mmio.c: accesses a register by its offset in bytes.
uint32_t hpet_read(volatile uint32_t *regs, unsigned offset);
void hpet_write(volatile uint32_t *regs, unsigned offset, uint32_t value);

#endif
