// SPDX-License-Identifier: Apache-2.0
// What a virtual CPU's own CPU does between two runs of its guest. On that CPU, interrupts off.
#ifndef HV_LIFE_VCPU_WORK_H
#define HV_LIFE_VCPU_WORK_H

#include "hv/partition/vcpu.h"

// After an NMI was taken on the vCPU's CPU: does the work that came with it, and everything that
// follows: it returns when the guest is to run (again), with `regs` then the guest's.
void vcpu_after_nmi(struct vcpu *v, struct guest_regs *regs);

// Sleeps until the vCPU is to run, doing the work that comes meanwhile.
void vcpu_wait_until_running(struct vcpu *v, struct guest_regs *regs);

// Brings the vCPU's APIC, virtual and physical, to the state after power-up.
void vcpu_reset_apic(struct vcpu *v);

// Gives the boot processor's APIC the state in which a PC's firmware hands over.
void vcpu_boot_apic(struct vcpu *v);

// The vCPU's CPU enters the guest for the first time, or sleeps until a SIPI.
_Noreturn void vcpu_start(struct vcpu *v, const struct vcpu_entry *entry);

#endif
