// SPDX-License-Identifier: Apache-2.0
// A CPU's private area. It is mapped at the same fixed address on every CPU (arch/memory/layout.h),
// so this_cpu() is a constant. Other CPUs reach it at its heap address, through cpus[].
#ifndef ARCH_MEMORY_PERCPU_H
#define ARCH_MEMORY_PERCPU_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/memory/layout.h"
#include "arch/memory/paging.h"

struct vcpu;

struct cpu {
    // Physical address of the VMCB or VMCS; the entry path loads it.
    uint64_t vm_area;
    // Written by the NMI handler; read and cleared by this CPU only. Needs no memory ordering,
    // because all accesses are this CPU's own.
    uint8_t nmi_taken;
    // Written by a CPU that panics, before it sends the NMI whose handler reads it.
    uint8_t must_stop;
    uint32_t index;           // number in cpus[], and in configurations
    uint32_t apic_id;         // physical
    struct vcpu *vcpu;        // the one virtual CPU that it runs; NULL: idle
    uint64_t *window;         // page-table entries of the 4 KiB window slots
    uint64_t *window_big;     // page-directory entry of the 2 MiB slot
    struct page_table tables; // its own page tables
    uint8_t *vm_page;         // heap address of the page at PERCPU_VM
    // Set once by this CPU when it runs on its own tables; read by the boot CPU.
    uint32_t online;
    uint64_t wake_cr3; // CR3 value of its own tables
};

_Static_assert(sizeof(struct cpu) <= PERCPU_CPU_SIZE, "struct cpu outgrew its page");

static inline struct cpu *this_cpu(void)
{
    return (struct cpu *)PERCPU_CPU;
}

// The number of the calling CPU. Before percpu_enter() it is 0, even if the boot CPU has another
// number. Any CPU, any context.
unsigned cpu_number(void);

// The CPUs of the machine, in the order of the firmware's MADT, the boot CPU first.
extern struct cpu *cpus[MAX_CPUS];
extern unsigned cpu_count;

// Makes the private area of CPU number `index`, and its page tables. mmu_init() must have made the
// shared part. ERR_NO_MEMORY.
enum status percpu_create(unsigned index, uint32_t apic_id);

// Moves the boot CPU to its own page tables. The stack stays the boot stack until the caller
// switches to PERCPU_STACK_TOP.
void percpu_enter(unsigned index);

// Waits with interrupts off until an NMI was taken (nmi_taken is set). An NMI between the check and
// the HLT is not lost: its handler moves the return address past the HLT.
void cpu_wait_nmi(void);

// The same, but an interrupt also ends the wait: interrupts are on meanwhile. Only for a CPU
// without a guest, whose APIC delivers only its own timer (apic_timer_start).
void cpu_wait_nmi_or_interrupt(void);

// Stops this CPU for ever: it halts with interrupts off, and an NMI only halts it again.
_Noreturn void cpu_stop(void);

#endif
