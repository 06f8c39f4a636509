// SPDX-License-Identifier: Apache-2.0
// Brings interrupts from the 8259s to the boot processor.
#include "hv/partition/guest_interrupt.h"

#include "arch/memory/percpu.h"
#include "arch/virt/virt.h"
#include "hv/partition/deliver.h"
#include "hv/partition/guest_timer.h"
#include "hv/partition/partition.h"

#define TIMER_IRQ 0

static void set_window(struct vcpu *v, bool wanted)
{
    struct partition_devices *d = &v->partition->devices;
    if (d->pic_window != wanted) {
        d->pic_window = wanted;
        virt->interrupt_window(v, wanted);
    }
}

void guest_interrupt_changed(struct partition *p)
{
    struct partition_devices *d = &p->devices;
    struct vcpu *boot = p->vcpus[0];
    if (d->pic_told || !vpic_pending(&d->pic)) {
        return;
    }
    if (this_cpu()->vcpu != boot) {
        d->pic_told = true;
        vcpu_post(boot, WORK_INTERRUPT);
    } else if (vapic_takes_extint(&boot->apic)) {
        // Deferred: the instruction that exited may not be finished yet, and may trap.
        d->pic_told = true;
        set_window(boot, true);
    }
}

void guest_interrupt_opened(struct vcpu *v)
{
    struct partition *p = v->partition;
    if (v->index != 0) {
        return;
    }
    spin_lock(&p->device_lock);
    guest_timers_settle(p);
    p->devices.pic_told = false;
    guest_interrupt_changed(p);
    spin_unlock(&p->device_lock);
}

void guest_interrupt_deliver(struct vcpu *v)
{
    struct partition *p = v->partition;
    struct partition_devices *d = &p->devices;
    spin_lock(&p->device_lock);
    guest_timers_settle(p);
    bool open = vapic_takes_extint(&v->apic);
    if (open && vpic_pending(&d->pic) && virt->can_interrupt(v)) {
        virt->interrupt(v, vpic_acknowledge(&d->pic));
    }
    guest_timers_update(p); // a waiting edge stops its timer, which must run again now
    d->pic_told = open && vpic_pending(&d->pic);
    set_window(v, d->pic_told);
    spin_unlock(&p->device_lock);
}

void guest_interrupt_window(struct vcpu *v)
{
    guest_interrupt_deliver(v);
}

void guest_interrupt_line(struct partition *p, unsigned irq, bool asserted)
{
    vpic_set_line(&p->devices.pic, irq, asserted);
    deliver_pin(p, irq == TIMER_IRQ ? GUEST_PIT_PIN : irq, asserted);
    guest_interrupt_changed(p);
}
