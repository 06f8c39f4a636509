// SPDX-License-Identifier: Apache-2.0
// Numbers that assembly shares with C. The build compiles this file to assembly text and turns the
// marked lines into definitions for nasm (build/gen/asm_offsets.inc). It is not linked.
#include "arch/interrupt/exceptions.h"
#include "arch/memory/layout.h"
#include "arch/memory/percpu.h"
#include "arch/virt/guest_regs.h"
#include "boot/boot_info.h"

#define DEFINE(name, value)                                                                        \
    __asm__ volatile("\n.ascii \"->" #name " %c0\"" : : "i"((unsigned long)(value)))

void asm_offsets(void);
void asm_offsets(void)
{
    DEFINE(HV_IMAGE_LINK, HV_IMAGE_LINK);
    DEFINE(BOOT_INFO_MAGIC, BOOT_INFO_MAGIC);
    DEFINE(PERCPU_STACK_TOP, PERCPU_STACK_TOP);
    DEFINE(PERCPU_NMI_TAKEN, PERCPU_CPU + offsetof(struct cpu, nmi_taken));
    DEFINE(PERCPU_MUST_STOP, PERCPU_CPU + offsetof(struct cpu, must_stop));
    DEFINE(PERCPU_VM_AREA, PERCPU_CPU + offsetof(struct cpu, vm_area));
    DEFINE(HV_CODE_SELECTOR, HV_CODE_SELECTOR);
    DEFINE(HV_DATA_SELECTOR, HV_DATA_SELECTOR);
    DEFINE(GUEST_REGS_SIZE, sizeof(struct guest_regs));
}
