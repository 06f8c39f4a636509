// SPDX-License-Identifier: Apache-2.0
// Names the reason for a failed entry. The processor only reports that the guest state, the
// controls or the host state is invalid.
#include "arch/vmx/vmx.h"

#include "arch/memory/percpu.h"
#include "drivers/console/console.h"
#include "hv/exit/exits.h"
#include "hv/partition/partition.h"

static void gather(struct vmx_guest_state *s)
{
    *s = (struct vmx_guest_state){
        .cr0 = vmread(VMCS_GUEST_CR0),
        .cr3 = vmread(VMCS_GUEST_CR3),
        .cr4 = vmread(VMCS_GUEST_CR4),
        .dr7 = vmread(VMCS_GUEST_DR7),
        .rip = vmread(VMCS_GUEST_RIP),
        .rflags = vmread(VMCS_GUEST_RFLAGS),
        .efer = vmread(VMCS_GUEST_EFER),
        .pat = vmread(VMCS_GUEST_PAT),
        .debugctl = vmread(VMCS_GUEST_DEBUGCTL),
        .sysenter_esp = vmread(VMCS_GUEST_SYSENTER_ESP),
        .sysenter_eip = vmread(VMCS_GUEST_SYSENTER_EIP),
        .pending_debug = vmread(VMCS_GUEST_PENDING_DEBUG),
        .link_pointer = vmread(VMCS_LINK_POINTER),
        .gdtr_base = vmread(VMCS_GUEST_GDTR_BASE),
        .idtr_base = vmread(VMCS_GUEST_IDTR_BASE),
        .gdtr_limit = (uint32_t)vmread(VMCS_GUEST_GDTR_LIMIT),
        .idtr_limit = (uint32_t)vmread(VMCS_GUEST_IDTR_LIMIT),
        .interruptibility = (uint32_t)vmread(VMCS_GUEST_INTERRUPTIBILITY),
        .activity = (uint32_t)vmread(VMCS_GUEST_ACTIVITY),
        .entry_event = (uint32_t)vmread(VMCS_ENTRY_EVENT),
        .entry_controls = (uint32_t)vmread(VMCS_ENTRY_CONTROLS),
    };
    for (enum vmcs_segment i = VMCS_ES; i < VMCS_SEGMENTS; i++) {
        s->segment[i] = (struct vmx_segment_state){
            .base = vmread(VMCS_SEGMENT_BASE(i)),
            .limit = (uint32_t)vmread(VMCS_SEGMENT_LIMIT(i)),
            .rights = (uint32_t)vmread(VMCS_SEGMENT_RIGHTS(i)),
            .selector = (uint16_t)vmread(VMCS_SEGMENT_SELECTOR(i)),
        };
    }
    for (unsigned i = 0; i < ARRAY_SIZE(s->pdpte); i++) {
        s->pdpte[i] = vmread(VMCS_GUEST_PDPTE0 + 2 * i);
    }
}

void vmx_entry_refused(struct vcpu *v, struct guest_regs *regs, uint64_t reason)
{
    const char *partition = v->partition->name;
    v->exits[EVENT_OTHER]++;
    if (EXIT_REASON_BASIC(reason) == VMX_EXIT_GUEST_STATE) {
        struct vmx_guest_state state;
        uint64_t value = 0;
        gather(&state);
        const char *check = vmx_check_guest(&state, &vmx_limits, &value);
        print("%s/%u: VM entry fails: %s (0x%lx)\n", partition, v->index,
              check != NULL ? check : "guest state, by a check that is not known here", value);
    }
    exit_fault(v, regs, "guest state that VM entry refuses, reason", EXIT_REASON_BASIC(reason));
}

void vmx_entry_failed(struct guest_regs *regs)
{
    struct vcpu *v = this_cpu()->vcpu;
    uint32_t error = (uint32_t)vmread(VMCS_INSTRUCTION_ERROR);
    regs->r[GPR_RSP] = vmread(VMCS_GUEST_RSP);
    print("%s/%u: VM entry fails: %s\n", v->partition->name, v->index,
          vmx_instruction_error(error));
    exit_fault(v, regs, "VM entry is refused, VM-instruction error", error);
    vmwrite(VMCS_GUEST_RSP, regs->r[GPR_RSP]);
}
