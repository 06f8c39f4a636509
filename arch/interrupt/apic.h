// SPDX-License-Identifier: Apache-2.0
// The physical local APIC of the CPU that calls, in xAPIC or x2APIC mode as the machine has it. The
// hypervisor owns no vector; it sends IPIs and passes registers through for a guest's vAPIC.
// Interrupts off, unless said otherwise.
#ifndef ARCH_INTERRUPT_APIC_H
#define ARCH_INTERRUPT_APIC_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

// Chooses the mode for all CPUs, x2APIC where the CPU has it, and puts the boot CPU in it; returns
// the boot CPU's ID. Once; `mmio_address` is where the xAPIC page is to be.
uint32_t apic_choose_mode(uint64_t mmio_address);

// Maps the page, if it is xAPIC. Once, behind mmu_init().
enum status apic_init(void);

// Enables the APIC of this CPU in the chosen mode, whatever state it is in, with every LVT masked.
// What is pending or in service stays so until apic_drain().
void apic_cpu_init(void);

bool apic_is_x2apic(void);
hpa_t apic_page(void); // where the xAPIC page is

// Physical APIC ID of this CPU. Before apic_init() 0, whatever it is.
uint32_t apic_id(void);

// Registers by their MMIO offset (arch/interrupt/apic_defs.h), in either mode. ICR goes through
// apic_send.
uint32_t apic_read(unsigned offset);
void apic_write(unsigned offset, uint32_t value);

// IPIs to one physical APIC ID.
void apic_send_fixed(uint32_t id, uint8_t vector);
void apic_send_nmi(uint32_t id);
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, uint8_t page);

// Makes this CPU's timer interrupt once, in `count` ticks of apic_timer_khz(); a
// second call starts over, 0 stops it. Only on a CPU that has no guest, which waits for it with
// cpu_wait_nmi_or_interrupt().
void apic_timer_start(uint32_t count);

// Whether its interrupt waits to be taken; whether one with this vector does.
bool apic_timer_pending(void);
bool apic_is_pending(uint8_t vector);

// Measures the timer's frequency; kHz, before the divider. Boot CPU, its APIC enabled, behind
// tsc_calibrate().
void apic_timer_calibrate(void);
uint64_t apic_timer_khz(void);

// Removes whatever is pending or in service, so that a reset guest starts with a clean APIC. Takes
// the interrupts in the hypervisor for a moment. Called with interrupts off and NMIs allowed.
void apic_drain(void);

// Called by the entry of every vector but exceptions (arch/interrupt/exceptions.asm).
void apic_drain_vector(void);

#endif
