// SPDX-License-Identifier: Apache-2.0
// The life of a virtual CPU: INIT, SIPI, NMI, stop. Another CPU posts the work and sends an NMI;
// then the vCPU's own CPU does the work.
#include "hv/life/vcpu_work.h"

#include "arch/interrupt/apic.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/percpu.h"
#include "arch/virt/virt.h"
#include "hv/console/guest_console.h"
#include "hv/console/service.h"
#include "hv/device/passthrough.h"
#include "hv/life/end.h"
#include "hv/life/machine_check.h"
#include "hv/partition/guest_interrupt.h"
#include "hv/partition/guest_timer.h"

// Clears what the CPU's local APIC still holds for the guest that ran before.
static void reset_apic(struct vcpu *v, bool init_only)
{
    vapic_reset(&v->apic, init_only);
    virt->nmi_open();
    apic_drain();
    virt->nmi_close();
    virt->set_x2apic(v, v->apic.mode == APIC_X2APIC);
}

static void take_init(struct vcpu *v, struct guest_regs *regs)
{
    if (v->index == 0) {
        // On a PC the boot processor would run the firmware's reset code, which restarts the
        // system.
        partition_end(v, PARTITION_REBOOT, "INIT sent to the boot processor", regs);
        return;
    }
    reset_apic(v, true);
    v->after_init |= v->state == VCPU_RUNNING;
    v->state = VCPU_WAIT_SIPI;
}

static void take_sipi(struct vcpu *v, struct guest_regs *regs)
{
    struct partition *p = v->partition;
    uint64_t sipi = __atomic_exchange_n(&v->sipi, 0, __ATOMIC_ACQUIRE);
    if ((sipi & SIPI_VALID) == 0 || v->state != VCPU_WAIT_SIPI || p->ending ||
        sipi >> SIPI_GENERATION_SHIFT != p->generation) {
        return;
    }
    struct vcpu_entry entry = {
        .mode = ENTRY_REAL,
        .rip = (sipi & 0xff) << PAGE_SHIFT,
        .rdx = v->cpuid.basic[1].eax, // the processor's signature, as after any reset
        .after_init = v->after_init,
    };
    virt->vcpu_reset(v, &entry, regs);
    v->state = VCPU_RUNNING;
}

static void do_work(struct vcpu *v, struct guest_regs *regs, uint64_t work)
{
    if (work & WORK_FAULT_PAUSE) { // first, because what follows may not return
        passthrough_fault_pause();
    }
    if (work & WORK_STOP) {
        partition_park(v);
    }
    if (work & WORK_RESTART) {
        partition_finish_end(v, regs);
    }
    if ((work & WORK_MACHINE_CHECK) && v->state != VCPU_STOPPED) {
        machine_check_end(v, regs);
    }
    if ((work & WORK_INIT) && !v->partition->ending) {
        take_init(v, regs);
    }
    if (work & WORK_SIPI) {
        take_sipi(v, regs);
    }
    if (work & WORK_FLUSH) {
        virt->flush(v);
    }
    if ((work & WORK_DMA_FAULT) && v->state == VCPU_RUNNING && !v->partition->ending) {
        partition_end(v, PARTITION_FAULT, "stopped: a device of it did what its IOMMU refused",
                      regs);
    }
    if ((work & WORK_CONSOLE) && v->state == VCPU_RUNNING) {
        guest_console_work(v->partition);
    }
    if ((work & WORK_POWER_BUTTON) && v->state == VCPU_RUNNING) {
        guest_console_power_button(v->partition);
    }
    if ((work & WORK_NMI) && v->state == VCPU_RUNNING) {
        virt->inject_nmi(v);
    }
    if ((work & WORK_TIMER) && v->state == VCPU_RUNNING) {
        guest_timers_work(v);
    }
    if ((work & WORK_INTERRUPT) && v->state == VCPU_RUNNING) {
        guest_interrupt_deliver(v);
    }
}

static void take_nmi(struct vcpu *v, struct guest_regs *regs)
{
    struct cpu *cpu = this_cpu();
    if (!cpu->nmi_taken) {
        return;
    }
    cpu->nmi_taken = 0;
    if (panicking) { // the NMI was a VM exit, so the NMI handler has not run
        cpu_stop();
    }
    uint64_t work = __atomic_exchange_n(&v->work, 0, __ATOMIC_SEQ_CST);
    bool console = console_service_nmi();
    if (__atomic_load_n(&v->timer_noted, __ATOMIC_RELAXED)) {
        work |= WORK_TIMER;
    }
    if (work != 0) {
        do_work(v, regs, work);
    } else if (!console && v->state == VCPU_RUNNING) {
        virt->inject_nmi(v);
    }
}

void vcpu_wait_until_running(struct vcpu *v, struct guest_regs *regs)
{
    // Also if it runs already: an NMI taken in the window that a reset opens (virt->nmi_open())
    // must not be left over, because its sender will not send another.
    while (v->state != VCPU_RUNNING || this_cpu()->nmi_taken) {
        virt->nmi_open();
        cpu_wait_nmi(); // returns at once if one was taken
        virt->nmi_close();
        take_nmi(v, regs);
    }
}

void vcpu_after_nmi(struct vcpu *v, struct guest_regs *regs)
{
    take_nmi(v, regs);
    vcpu_wait_until_running(v, regs);
}

void vcpu_reset_apic(struct vcpu *v)
{
    reset_apic(v, false);
}

void vcpu_boot_apic(struct vcpu *v)
{
    // Virtual wire mode (MP specification 1.4, 3.6.2.2). The physical LINT0 stays masked:
    // interrupts of the virtual 8259s are injected.
    static const struct {
        unsigned offset;
        uint32_t value;
    } writes[] = {
        {APIC_SVR, APIC_SVR_ENABLE | APIC_SVR_VECTOR},
        {APIC_LVT_LINT0, APIC_LVT_MODE_EXT},
        {APIC_LVT_LINT1, APIC_LVT_MODE_NMI},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
        struct icr_verdict verdict;
        vapic_mmio_write(&v->apic, writes[i].offset, writes[i].value, &verdict);
    }
}

_Noreturn void vcpu_start(struct vcpu *v, const struct vcpu_entry *entry)
{
    struct guest_regs regs = {0};
    virt->vcpu_load(v);
    reset_apic(v, false);
    if (entry != NULL) {
        virt->vcpu_reset(v, entry, &regs);
        vcpu_boot_apic(v);
        v->state = VCPU_RUNNING;
    }
    vcpu_wait_until_running(v, &regs);
    virt->run(&regs);
}
