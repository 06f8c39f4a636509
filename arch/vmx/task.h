// SPDX-License-Identifier: Apache-2.0
// Hardware task switches. VT-x does not make them (SDM vol. 3, 26.4.2), so this code does what the
// processor would do (SDM vol. 3, 8.3 and table 8-1). It works on a copy of the guest's state, and
// reaches the guest's descriptor tables and task-state segments through the guest's own page
// tables.
#ifndef ARCH_VMX_TASK_H
#define ARCH_VMX_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "arch/vmx/vmcs.h"
#include "hv/emulate/emulate.h"

struct guest_ram;

// In the order of the exit qualification's encoding.
enum task_source {
    TASK_BY_CALL,
    TASK_BY_IRET,
    TASK_BY_JMP,
    TASK_BY_GATE, // an interrupt or exception through a task gate of the IDT
};

struct task_segment {
    uint16_t selector;
    uint32_t limit;
    uint32_t rights; // as in the VMCS
    uint64_t base;
};

// The state that a task switch reads, saves or loads.
struct task_cpu {
    const struct guest_ram *ram;
    struct guest_paging paging; // CR0, CR3, CR4
    struct guest_regs *regs;    // only the eight that a task has, including RSP
    uint32_t eip;               // the old task's next instruction; after the switch the new task's
    uint32_t eflags;
    uint64_t gdt_base;
    uint32_t gdt_limit;
    struct task_segment segment[VMCS_SEGMENTS];
    uint64_t dr7;

    // Results.
    bool switched;     // the state is the new task's
    bool loads_cr3;    // CR3 was loaded, so the TLB is stale
    bool debug_trap;   // the T bit of the new task-state segment was set
    uint64_t pdpte[4]; // the entries, if CR3 was loaded under PAE paging
};

struct task_request {
    enum task_source source;
    uint16_t selector; // of the new task-state segment
    bool external;     // caused by an event that no instruction raised: sets EXT in error codes
    bool has_error;    // the exception has an error code for the new task
    uint32_t error;
};

// STATUS_OK: *cpu holds the new task's state. ERR_FAULT: *fault is to be delivered: in the new task
// if it was entered (`switched`), else in the old one. Other errors: tables or task-state segments
// lie outside the partition's memory.
enum status task_switch(struct task_cpu *cpu, const struct task_request *request,
                        struct guest_exception *fault);

#endif
