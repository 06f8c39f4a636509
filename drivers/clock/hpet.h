// SPDX-License-Identifier: Apache-2.0
// The machine's HPET (IA-PC HPET specification 1.0a): its counter and comparators, each of which
// interrupts through one of the IOAPIC's pins that it is wired to. After hpet_init() all are
// silent. A comparator is used by one CPU at a time; the counter by any.
#ifndef DRIVERS_CLOCK_HPET_H
#define DRIVERS_CLOCK_HPET_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "drivers/acpi/acpi.h"

#define HPET_MAX_COMPARATORS 8
#define HPET_SIZE            0x400 // bytes of registers

// Where the firmware's table says that it is; 0: there is none, or none that can be used.
uint64_t hpet_address(const struct acpi_info *acpi);

// Starts the counter. `regs` are mapped. Returns the number of comparators; 0: it can't be used.
// Boot CPU.
unsigned hpet_init(volatile uint32_t *regs);

uint64_t hpet_hz(void);
bool hpet_is_periodic(unsigned n);
// Bit n: the comparator's interrupt can be brought to GSI n.
uint32_t hpet_gsis(unsigned n);

// The comparator interrupts by this GSI, edge-triggered, in `ticks` of the counter, and then each
// `period` ticks; 0: once. Both below 2^31.
void hpet_arm(unsigned n, unsigned gsi, uint32_t ticks, uint32_t period);
void hpet_stop(unsigned n);

// drivers/clock/hpet_mmio.c: a register, by its offset in bytes.
uint32_t hpet_read(volatile uint32_t *regs, unsigned offset);
void hpet_write(volatile uint32_t *regs, unsigned offset, uint32_t value);

#endif
