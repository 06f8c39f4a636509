// SPDX-License-Identifier: Apache-2.0
// What a virtual CPU's own CPU does between two runs of its guest. Call on that CPU, interrupts
// off.
#ifndef HV_LIFE_VCPU_WORK_H
#define HV_LIFE_VCPU_WORK_H

#include "hv/partition/vcpu.h"

// Call after an NMI was taken on the vCPU's CPU. Does the posted work and all that follows from it.
// Returns when the guest is to run (again); `regs` are then the guest's.
void vcpu_after_nmi(struct vcpu *v, struct guest_regs *regs);

// Sleeps until the vCPU is to run, and does the work that comes meanwhile.
void vcpu_wait_until_running(struct vcpu *v, struct guest_regs *regs);

// Sets the vCPU's APIC, virtual and physical, to its state after power-up.
void vcpu_reset_apic(struct vcpu *v);

// Sets the boot processor's APIC to the state in which a PC's firmware hands over.
void vcpu_boot_apic(struct vcpu *v);

// Enters the guest for the first time on the vCPU's CPU, or sleeps until a SIPI.
_Noreturn void vcpu_start(struct vcpu *v, const struct vcpu_entry *entry);

#endif
