// SPDX-License-Identifier: Apache-2.0
// The physical local APIC of the calling CPU, in xAPIC or x2APIC mode, as the machine allows. The
// hypervisor owns no vector. It sends IPIs, and passes registers through for a guest's vAPIC.
// Interrupts off, unless a function says otherwise.
#ifndef ARCH_INTERRUPT_APIC_H
#define ARCH_INTERRUPT_APIC_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

// Chooses the mode for all CPUs, x2APIC if the CPU has it, and puts the boot CPU into that mode.
// Returns the boot CPU's ID. Once. `mmio_address` is where the xAPIC page is to be.
uint32_t apic_choose_mode(uint64_t mmio_address);

// Maps the register page in xAPIC mode. Once, after mmu_init().
enum status apic_init(void);

// Enables this CPU's APIC in the chosen mode, from any state, and masks every LVT. Interrupts that
// are pending or in service stay so until apic_drain().
void apic_cpu_init(void);

bool apic_is_x2apic(void);
hpa_t apic_page(void); // the physical address of the xAPIC page

// Physical APIC ID of this CPU. In xAPIC mode it is 0 before apic_init(), whatever the real ID.
uint32_t apic_id(void);

// Access registers by their MMIO offset (arch/interrupt/apic_defs.h), in either mode. The ICR is
// written by apic_send_...() only.
uint32_t apic_read(unsigned offset);
void apic_write(unsigned offset, uint32_t value);

// IPIs to one physical APIC ID.
void apic_send_fixed(uint32_t id, uint8_t vector);
void apic_send_nmi(uint32_t id);
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, uint8_t page);

// Makes this CPU's timer interrupt once, after `count` ticks of apic_timer_khz(). Another call
// restarts it; 0 stops it. Only for a CPU without a guest, which waits for it with
// cpu_wait_nmi_or_interrupt().
void apic_timer_start(uint32_t count);

// Whether the timer's interrupt is pending, and whether an interrupt with the given vector is.
bool apic_timer_pending(void);
bool apic_is_pending(uint8_t vector);

// Measures the timer's frequency, in kHz before the divider. Boot CPU, its APIC enabled, after
// tsc_calibrate().
void apic_timer_calibrate(void);
uint64_t apic_timer_khz(void);

// Removes all interrupts that are pending or in service, so that a reset guest starts with a clean
// APIC. For that it takes the interrupts in the hypervisor for a moment. Called with interrupts off
// and NMIs allowed.
void apic_drain(void);

// Called by the entry of every vector except the exceptions (arch/interrupt/exceptions.asm).
void apic_drain_vector(void);

#endif
