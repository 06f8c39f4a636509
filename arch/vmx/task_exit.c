// SPDX-License-Identifier: Apache-2.0
// The exit for a task switch: gathers the state for arch/vmx/task.c, and stores the result in the
// VMCS.
#include "arch/vmx/vmx.h"

#include "arch/interrupt/exceptions.h"
#include "arch/vmx/task.h"
#include "hv/exit/exits.h"
#include "hv/partition/partition.h"

#define QUALIFICATION_SELECTOR(q) ((uint16_t)(q))
#define QUALIFICATION_SOURCE(q)   ((enum task_source)((q) >> 30 & 3))

static bool is_software(uint32_t event)
{
    return EVENT_TYPE(event) == EVENT_TYPE_SOFTWARE || EVENT_TYPE(event) == EVENT_TYPE_PRIVILEGED ||
           EVENT_TYPE(event) == EVENT_TYPE_SOFTWARE_EX;
}

static void gather(struct task_cpu *cpu, struct vcpu *v, struct guest_regs *regs)
{
    struct virt_state state;
    vmx_get_state(v, &state);
    *cpu = (struct task_cpu){
        .ram = &v->partition->ram,
        .paging = state.paging,
        .regs = regs,
        .eip = (uint32_t)state.rip,
        .eflags = (uint32_t)state.rflags,
        .gdt_base = vmread(VMCS_GUEST_GDTR_BASE),
        .gdt_limit = (uint32_t)vmread(VMCS_GUEST_GDTR_LIMIT),
        .dr7 = vmread(VMCS_GUEST_DR7),
    };
    for (unsigned s = 0; s < VMCS_SEGMENTS; s++) {
        cpu->segment[s] = (struct task_segment){
            .selector = (uint16_t)vmread(VMCS_SEGMENT_SELECTOR(s)),
            .limit = (uint32_t)vmread(VMCS_SEGMENT_LIMIT(s)),
            .rights = (uint32_t)vmread(VMCS_SEGMENT_RIGHTS(s)),
            .base = vmread(VMCS_SEGMENT_BASE(s)),
        };
    }
}

static void put_back(const struct task_cpu *cpu)
{
    for (unsigned s = 0; s < VMCS_SEGMENTS; s++) {
        vmwrite(VMCS_SEGMENT_SELECTOR(s), cpu->segment[s].selector);
        vmwrite(VMCS_SEGMENT_LIMIT(s), cpu->segment[s].limit);
        vmwrite(VMCS_SEGMENT_RIGHTS(s), cpu->segment[s].rights);
        vmwrite(VMCS_SEGMENT_BASE(s), cpu->segment[s].base);
    }
    vmwrite(VMCS_GUEST_RIP, cpu->eip);
    vmwrite(VMCS_GUEST_RFLAGS, cpu->eflags);
    vmwrite(VMCS_GUEST_DR7, cpu->dr7);
    vmwrite(VMCS_GUEST_CR0, vmread(VMCS_GUEST_CR0) | CR0_TS);
    if (cpu->loads_cr3) {
        vmwrite(VMCS_GUEST_CR3, cpu->paging.cr3);
        for (unsigned i = 0; i < ARRAY_SIZE(cpu->pdpte); i++) {
            vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, cpu->pdpte[i]);
        }
        vmx_flush_tlb();
    }
}

// Blocks NMIs in a task that an NMI started, and unblocks them after an IRET ended a task.
static void set_blocking(enum task_source source, uint32_t event)
{
    uint64_t blocked = vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKED_BY_SHADOW;
    if (source == TASK_BY_IRET) {
        blocked &= ~BLOCKED_BY_NMI;
    } else if (source == TASK_BY_GATE && EVENT_TYPE(event) == EVENT_TYPE_NMI) {
        blocked |= BLOCKED_BY_NMI;
    }
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, blocked);
}

static void trap_new_task(struct vcpu *v)
{
    uint64_t dr6;
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    __asm__ volatile("mov %0, %%dr6" : : "r"(dr6 | DR6_BT));
    vmx_inject(v, &(struct guest_exception){.vector = EXCEPTION_DB}, false);
}

void vmx_task_switch(struct vcpu *v, struct guest_regs *regs)
{
    uint64_t q = vmread(VMCS_QUALIFICATION);
    // For a task gate: the event that it delivers.
    uint32_t event = (uint32_t)vmread(VMCS_VECTORING_EVENT);
    struct task_request request = {
        .source = QUALIFICATION_SOURCE(q),
        .selector = QUALIFICATION_SELECTOR(q),
    };
    struct task_cpu cpu;
    struct guest_exception fault = {0};
    gather(&cpu, v, regs);
    if (request.source == TASK_BY_GATE) {
        request.external = !is_software(event);
        request.has_error = (event & EVENT_HAS_ERROR) != 0;
        request.error = (uint32_t)vmread(VMCS_VECTORING_ERROR_CODE);
    }
    if (request.source != TASK_BY_GATE || is_software(event)) {
        cpu.eip += (uint32_t)vmread(VMCS_EXIT_LENGTH);
    }
    enum status s = task_switch(&cpu, &request, &fault);
    if (s != STATUS_OK && s != ERR_FAULT) {
        exit_fault(v, regs, "a task switch with tables outside its memory, selector",
                   request.selector);
        return;
    }
    vmwrite(VMCS_ENTRY_EVENT, 0); // the gate's event has been delivered, or the fault replaces it
    if (cpu.switched) {
        put_back(&cpu);
        set_blocking(request.source, event);
    }
    if (s == ERR_FAULT) {
        vmx_inject(v, &fault, true);
    } else if (cpu.debug_trap) {
        trap_new_task(v);
    }
}
