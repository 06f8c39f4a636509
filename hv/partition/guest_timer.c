// SPDX-License-Identifier: Apache-2.0
// Turns the registers of PIT and HPET into plans for their timers.
#include "hv/partition/guest_timer.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/tsc.h"
#include "arch/cpu/tsc_scale.h"
#include "drivers/console/console.h"
#include "hv/partition/deliver.h"
#include "hv/partition/guest_interrupt.h"
#include "hv/partition/partition.h"
#include "hv/partition/timer.h"

#define PIT           0 // index in timers[]; the HPET's comparators follow
#define COMPARATOR(i) ((i)-1)
#define PIT_IRQ       0
#define RTC_IRQ       8
#define NO_IRQ        VPIC_INPUTS
#define MOST_TICKS    (1ull << 31) // longest wait at a time

_Static_assert(GUEST_TIMERS == 1 + VHPET_COMPARATORS, "one for each");

// The next edge of a device, in ticks of its own clock.
struct edge {
    uint64_t at, period;
    bool changes; // the plan must be computed again after this edge
};

enum status guest_timers_create(struct partition *p)
{
    enum status s = STATUS_OK;
    p->timer_count = p->config->flags & BLOB_HPET ? GUEST_TIMERS : 1;
    for (unsigned i = 0; s == STATUS_OK && i < p->timer_count; i++) {
        s = timer_add(&p->timers[i].timer, p->vcpus[0]);
    }
    return s;
}

void guest_timers_stop(struct partition *p)
{
    for (unsigned i = 0; i < p->timer_count; i++) {
        timer_stop(&p->timers[i].timer);
    }
}

void guest_timers_reset(struct partition *p)
{
    for (unsigned i = 0; i < p->timer_count; i++) {
        struct guest_timer *t = &p->timers[i];
        timer_stop(&t->timer);
        timer_allow(&t->timer);
        t->timer.plan.kind = TIMER_OFF;
        t->seen = t->entry = 0;
        t->listens = t->changed = false;
    }
    vhpet_reset(&p->devices.hpet);
    p->told_no_timer = false;
}

// ---- one timer ---------------------------------------------------------------------------------

static uint64_t clock_of(const struct partition *p, unsigned i)
{
    const struct partition_devices *d = &p->devices;
    uint64_t gone = rdtsc() - d->start_tsc;
    return i == PIT ? tsc_scaled(gone, d->pit_scale) : tsc_to_hz(gone, VHPET_HZ);
}

// Converts at most MOST_TICKS of the device's clock to TSC ticks. Rounded up, so that an edge is
// never announced early.
static uint64_t to_tsc(unsigned i, uint64_t ticks)
{
    return ticks * (tsc_khz() * 1000) / (i == PIT ? VPIT_HZ : VHPET_HZ) + 1;
}

static bool next_edge(struct partition *p, unsigned i, uint64_t after, struct edge *out)
{
    struct vpit_edge pit;
    struct vhpet_edge hpet;
    if (i == PIT) {
        bool replaced = p->timer_count > 1 && vhpet_is_legacy(&p->devices.hpet);
        if (replaced || !vpit_next_edge(&p->devices.pit, after, &pit)) {
            return false;
        }
        *out = (struct edge){pit.at, pit.period, pit.changes};
        return true;
    }
    if (!vhpet_next_edge(&p->devices.hpet, COMPARATOR(i), after, &hpet)) {
        return false;
    }
    *out = (struct edge){hpet.at, hpet.period, false};
    return true;
}

// The 8259s' input that the timer is wired to, or NO_IRQ.
static unsigned irq_of(const struct partition *p, unsigned i)
{
    bool legacy = i != PIT && COMPARATOR(i) < 2 && vhpet_is_legacy(&p->devices.hpet);
    if (i == PIT || (legacy && COMPARATOR(i) == 0)) {
        return PIT_IRQ;
    }
    return legacy ? RTC_IRQ : NO_IRQ;
}

// The IOAPIC pin that the timer is wired to.
static unsigned pin_of(const struct partition *p, unsigned i)
{
    unsigned irq = irq_of(p, i);
    if (irq == NO_IRQ) {
        return vhpet_gsi(&p->devices.hpet, COMPARATOR(i));
    }
    return irq == PIT_IRQ ? GUEST_PIT_PIN : irq;
}

static bool has_come(struct partition *p, unsigned i, uint64_t now)
{
    struct guest_timer *t = &p->timers[i];
    struct edge edge;
    bool came = i == PIT ? next_edge(p, PIT, t->seen, &edge) && edge.at <= now
                         : vhpet_settle(&p->devices.hpet, COMPARATOR(i), now);
    t->seen = now;
    return came;
}

static void settle(struct partition *p, unsigned i, uint64_t now)
{
    struct guest_timer *t = &p->timers[i];
    unsigned irq = irq_of(p, i);
    bool level = i != PIT && vhpet_is_level(&p->devices.hpet, COMPARATOR(i));
    if (!has_come(p, i, now)) {
        return;
    }
    if (irq != NO_IRQ) {
        vpic_set_line(&p->devices.pic, irq, true);
        vpic_set_line(&p->devices.pic, irq, false);
    }
    if (t->timer.plan.kind != TIMER_IPI) { // otherwise it was sent when the timer fired
        deliver_pin(p, pin_of(p, i), true);
        deliver_pin(p, pin_of(p, i), level);
    }
}

// ---- plans -------------------------------------------------------------------------------------

// Plans the delivery that the guest has programmed.
static void plan_delivery(const struct partition *p, unsigned i, struct timer_plan *plan)
{
    struct vioapic_message m;
    struct icr_verdict verdict = {.kind = ICR_NONE};
    bool listens = p->timers[i].listens;
    if (!vioapic_pin_message(&p->devices.ioapic, pin_of(p, i), &m)) {
        plan->kind = listens ? TIMER_WORK : TIMER_OFF;
        return;
    }
    plan->kind = TIMER_WORK;
    deliver_judge(p, &m, &verdict);
    bool alone = (verdict.targets & (verdict.targets - 1)) == 0;
    if (!listens && !m.level && verdict.kind == ICR_FIXED && alone) {
        plan->kind = TIMER_IPI;
        plan->apic_id = p->vcpus[__builtin_ctzll(verdict.targets)]->physical_id;
        plan->vector = (uint8_t)verdict.vector;
    }
}

static void make_plan(struct partition *p, unsigned i)
{
    struct guest_timer *t = &p->timers[i];
    struct timer_plan plan = {.kind = TIMER_OFF};
    struct edge edge;
    if (next_edge(p, i, t->seen, &edge)) {
        plan_delivery(p, i, &plan);
        uint64_t ticks = edge.at - t->seen + 1;
        bool far = ticks > MOST_TICKS || edge.period > MOST_TICKS;
        if ((far || edge.changes) && plan.kind == TIMER_IPI) {
            plan.kind = TIMER_WORK; // the work makes the next plan
        }
        plan.deadline = rdtsc() + to_tsc(i, min_u64(ticks, MOST_TICKS));
        plan.period = far || edge.changes || edge.period == 0 ? 0 : to_tsc(i, edge.period);
    }
    if (!timer_set(&t->timer, &plan) && !p->told_no_timer) {
        p->told_no_timer = true;
        print("%s: its %s can't interrupt: the machine has no timer left for it; leave a CPU to no "
              "partition\n",
              p->name, i == PIT ? "PIT" : "HPET");
    }
}

static void update(struct partition *p, unsigned i)
{
    struct guest_timer *t = &p->timers[i];
    const struct vpic *pic = &p->devices.pic;
    unsigned irq = irq_of(p, i);
    // An edge that waits in the 8259 absorbs those after it, so none is needed until it is taken.
    bool listens = irq != NO_IRQ && vpic_listens(pic, irq) && !vpic_waits(pic, irq);
    uint64_t entry = p->devices.ioapic.entry[pin_of(p, i) % VIOAPIC_PINS];
    if (t->changed || listens != t->listens || entry != t->entry) {
        t->changed = false;
        t->listens = listens;
        t->entry = entry;
        make_plan(p, i);
    }
}

// ---- all of them -------------------------------------------------------------------------------

void guest_timers_settle(struct partition *p)
{
    settle(p, PIT, clock_of(p, PIT));
    // One time for all comparators, because they share one counter.
    for (uint64_t i = 1, now = clock_of(p, 1); i < p->timer_count; i++) {
        settle(p, (unsigned)i, now);
    }
}

void guest_timers_update(struct partition *p)
{
    for (unsigned i = 0; i < p->timer_count; i++) {
        update(p, i);
    }
}

static void changed(struct partition *p)
{
    for (unsigned i = 0; i < p->timer_count; i++) {
        p->timers[i].changed = true;
    }
    guest_timers_update(p);
    guest_interrupt_changed(p);
}

void guest_timers_pit_write(struct partition *p, uint16_t port, unsigned size, uint32_t value)
{
    guest_timers_settle(p);
    vpit_write(&p->devices.pit, port, size, value, clock_of(p, PIT));
    p->timers[PIT].changed = true;
    guest_timers_update(p);
    guest_interrupt_changed(p);
}

uint64_t guest_timers_hpet_read(struct partition *p, unsigned offset, unsigned size)
{
    guest_timers_settle(p);
    guest_interrupt_changed(p);
    return vhpet_read(&p->devices.hpet, offset, size, p->timers[1].seen);
}

void guest_timers_hpet_write(struct partition *p, unsigned offset, unsigned size, uint64_t value)
{
    struct vhpet *h = &p->devices.hpet;
    guest_timers_settle(p);
    uint64_t now = p->timers[1].seen;
    vhpet_write(h, offset, size, value, now);
    for (unsigned n = 0; n < VHPET_COMPARATORS; n++) {
        if (vhpet_is_level(h, n)) {
            deliver_pin(p, pin_of(p, 1 + n), vhpet_is_asserted(h, n));
        }
    }
    changed(p);
}

void guest_timers_work(struct vcpu *v)
{
    struct partition *p = v->partition;
    timers_own(v);
    spin_lock(&p->device_lock);
    // Computed again from the device's clock each time: the timer's may run a little fast, and fire
    // early.
    for (unsigned i = 0; i < p->timer_count; i++) {
        const struct timer_plan *plan = &p->timers[i].timer.plan;
        p->timers[i].changed |= plan->kind == TIMER_WORK || plan->period == 0;
    }
    spin_unlock(&p->device_lock);
    guest_interrupt_deliver(v);
}
