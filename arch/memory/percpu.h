// SPDX-License-Identifier: Apache-2.0
// A CPU's private area. It is mapped at the same fixed address on every CPU (arch/memory/layout.h),
// so this_cpu() is a constant; other CPUs reach it through its address in the heap (cpus[]).
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
    // Written by the NMI handler, read and cleared by its own CPU only: no ordering needed beyond
    // that of one CPU with itself.
    uint8_t nmi_taken;
    // Written by a CPU that panics, before the NMI that makes this CPU look at it.
    uint8_t must_stop;
    uint32_t index;           // number in cpus[]; what configurations call the CPU
    uint32_t apic_id;         // physical
    struct vcpu *vcpu;        // the one virtual CPU it runs; NULL: idle
    uint64_t *window;         // page-table entries of the 4 KiB window slots
    uint64_t *window_big;     // page-directory entry of the 2 MiB slot
    struct page_table tables; // its own page tables
    uint8_t *vm_page;         // the page at PERCPU_VM, by its heap address
    // Set once by the CPU itself when it runs on its own tables; read by the boot CPU.
    uint32_t online;
    uint64_t wake_cr3; // value of CR3 for its own tables
};

_Static_assert(sizeof(struct cpu) <= PERCPU_CPU_SIZE, "struct cpu outgrew its page");

static inline struct cpu *this_cpu(void)
{
    return (struct cpu *)PERCPU_CPU;
}

// The number of the CPU that asks; before percpu_enter() 0, although the boot CPU may have another.
// Any CPU, any context.
unsigned cpu_number(void);

// The CPUs of the machine, in the order of the firmware's MADT, the boot CPU first.
extern struct cpu *cpus[MAX_CPUS];
extern unsigned cpu_count;

// Makes the private area of CPU number `index` with its page tables. The shared part of the tables
// (mmu_init) must be there. ERR_NO_MEMORY.
enum status percpu_create(unsigned index, uint32_t apic_id);

// Moves the boot CPU to its own page tables. The stack stays the boot stack until the caller
// switches to PERCPU_STACK_TOP.
void percpu_enter(unsigned index);

// Waits with interrupts off until an NMI was taken (nmi_taken set), and returns. An NMI between the
// check and the HLT is not lost: its handler moves the return address past the HLT.
void cpu_wait_nmi(void);

// The same, or until an interrupt was taken, for which interrupts are on meanwhile. Only on a CPU
// without a guest, whose APIC sends it nothing but its own timer (apic_timer_start).
void cpu_wait_nmi_or_interrupt(void);

// Stops this CPU for good: it sleeps, and NMIs find nothing to do.
_Noreturn void cpu_stop(void);

#endif
