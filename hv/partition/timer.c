// SPDX-License-Identifier: Apache-2.0
// The timers: their list, the CPU that ticks, and the two sources that a vCPU's own CPU has.
#include "hv/partition/timer.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/tsc.h"
#include "arch/cpu/tsc_scale.h"
#include "arch/interrupt/apic.h"
#include "arch/memory/percpu.h"
#include "arch/virt/virt.h"
#include "hv/machine/machine.h"
#include "hv/partition/comparator.h"
#include "hv/partition/vcpu.h"

#define NO_CPU UINT32_MAX

static struct timer *timers[TIMERS_MAX];
static unsigned timer_count;

static uint32_t ticker = NO_CPU; // index in cpus[]
static uint64_t apic_scale;      // from TSC ticks to ticks of the local APIC's timer
static uint64_t least;           // least TSC ticks between two interrupts of a timer

// The time until which the ticking CPU sleeps. It writes this before it checks the timers for the
// last time; a CPU that has just set a timer reads it afterwards. Both are sequentially consistent,
// so one of the two sees the other.
static uint64_t asleep_until = UINT64_MAX;

void timers_start(void)
{
    least = tsc_khz() * 1000 / TIMER_LEAST_HZ;
    apic_scale = tsc_scale((uint32_t)(apic_timer_khz() * 1000), tsc_khz() * 1000);
    for (unsigned i = 0; i < cpu_count; i++) {
        // Prefers an unowned CPU that doesn't serve the console too.
        if (machine.cpu_owner[i].partition == BLOB_NOBODY &&
            (ticker == NO_CPU || ticker == machine.console_cpu)) {
            ticker = i;
        }
    }
}

enum status timer_add(struct timer *t, struct vcpu *v)
{
    if (timer_count == TIMERS_MAX) {
        return ERR_NO_MEMORY;
    }
    *t = (struct timer){.vcpu = v, .comparator = -1};
    timers[timer_count++] = t;
    return STATUS_OK;
}

// ---- one timer, its lock held ----------------------------------------------------------------

static void set_due(struct timer *t, uint64_t due)
{
    __atomic_store_n(&t->due, due, __ATOMIC_SEQ_CST);
}

static uint64_t due_of(const struct timer *t)
{
    return __atomic_load_n(&t->due, __ATOMIC_SEQ_CST);
}

// Runs on the CPU that ticks, or on the vCPU's own, which then does the work itself.
static void fire(struct timer *t, uint64_t now)
{
    t->not_until = now + least;
    set_due(t, timer_following(due_of(t), t->plan.period, t->not_until));
    if (t->plan.kind == TIMER_IPI) {
        apic_send_fixed(t->plan.apic_id, t->plan.vector);
    } else if (this_cpu()->vcpu != t->vcpu) {
        vcpu_post(t->vcpu, WORK_TIMER);
    }
}

// Routes the comparator's interrupt as the timer's source requires. False if that is impossible.
static bool arm_comparator(struct timer *t)
{
    struct irq_route route = {.apic_id = t->plan.apic_id, .vector = t->plan.vector};
    if (t->source == TIMER_NOTED) {
        route = (struct irq_route){.apic_id = t->vcpu->physical_id, .nmi = true};
        __atomic_store_n(&t->vcpu->timer_noted, true, __ATOMIC_RELAXED);
    }
    uint64_t now = rdtsc();
    uint64_t due = max_u64(t->plan.deadline, t->not_until);
    return comparator_arm(t, &route, due > now ? due - now : 0, t->plan.period);
}

// ---- the CPU that ticks ------------------------------------------------------------------------

static bool is_tickers(const struct timer *t)
{
    return t->source == TIMER_TICKER;
}

void timers_run(void)
{
    if (this_cpu()->index != ticker) {
        return;
    }
    for (unsigned i = 0; i < timer_count; i++) {
        struct timer *t = timers[i];
        if (due_of(t) == 0) {
            continue;
        }
        spin_lock(&t->lock);
        uint64_t now = rdtsc();
        if (is_tickers(t) && due_of(t) != 0 && due_of(t) <= now) {
            fire(t, now);
        }
        spin_unlock(&t->lock);
    }
}

static uint64_t first_due(void)
{
    uint64_t first = UINT64_MAX;
    for (unsigned i = 0; i < timer_count; i++) {
        uint64_t due = due_of(timers[i]);
        if (due != 0 && is_tickers(timers[i])) {
            first = min_u64(first, due);
        }
    }
    return first;
}

uint32_t timers_sleep(unsigned us)
{
    uint64_t count = apic_timer_khz() * us / 1000;
    uint64_t until = UINT64_MAX;
    if (this_cpu()->index == ticker) {
        do {
            until = first_due();
            __atomic_store_n(&asleep_until, until, __ATOMIC_SEQ_CST);
        } while (first_due() < until);
    }
    if (until != UINT64_MAX) {
        uint64_t now = rdtsc();
        uint64_t left = until > now ? tsc_scaled(until - now, apic_scale) : 0;
        count = us == 0 ? left + 1 : min_u64(count, left + 1);
    } else if (us == 0) {
        return 0;
    }
    return (uint32_t)min_u64(max_u64(count, 1), UINT32_MAX);
}

static void wake_ticker(uint64_t due)
{
    if (due < __atomic_load_n(&asleep_until, __ATOMIC_SEQ_CST)) {
        apic_send_nmi(cpus[ticker]->apic_id);
    }
}

// ---- a vCPU's own CPU --------------------------------------------------------------------------

static bool is_own(const struct timer *t, const struct vcpu *v)
{
    return t->vcpu == v && (t->source == TIMER_PREEMPTION || t->source == TIMER_NOTED);
}

// Sets the CPU's timer for the first of its timers. One that is due fires at once.
static void set_own(struct vcpu *v)
{
    uint64_t first = UINT64_MAX, now = rdtsc();
    for (unsigned i = 0; i < timer_count; i++) {
        bool mine = is_own(timers[i], v) && timers[i]->source == TIMER_PREEMPTION;
        uint64_t due = mine ? due_of(timers[i]) : 0;
        first = due != 0 ? min_u64(first, due) : first;
    }
    bool runs = first != UINT64_MAX;
    if (runs || v->timer_runs) {
        v->timer_runs = runs;
        virt->set_timer(v, runs ? max_u64(first, now + 1) - now : 0);
    }
}

void timers_own(struct vcpu *v)
{
    for (unsigned i = 0; i < timer_count; i++) {
        struct timer *t = timers[i];
        if (!is_own(t, v)) {
            continue;
        }
        spin_lock(&t->lock);
        uint64_t now = rdtsc();
        if (is_own(t, v) && due_of(t) != 0 && due_of(t) <= now) {
            fire(t, now);
        } else if (t->source == TIMER_NOTED && t->plan.period == 0 && due_of(t) != 0) {
            arm_comparator(t); // it fired early: the time was too far away, or was rounded
        }
        spin_unlock(&t->lock);
    }
    set_own(v);
}

// A timer of a vCPU's own CPU was set or turned off: that CPU must set its timer again.
static void tell_owner(struct vcpu *v)
{
    if (this_cpu()->vcpu == v) {
        set_own(v);
    } else {
        vcpu_post(v, WORK_TIMER);
    }
}

// ---- setting -----------------------------------------------------------------------------------

// Chooses a source and starts it; TIMER_NONE if there is none.
static void choose(struct timer *t, struct timer_means have)
{
    bool periodic = t->plan.period != 0;
    do {
        t->source = timer_choose(t->plan.kind, periodic, &have);
        if (t->source != TIMER_ROUTED && t->source != TIMER_NOTED) {
            comparator_release(t);
            return;
        }
        have.comparator = false; // don't choose it again
    } while (!arm_comparator(t));
}

bool timer_set(struct timer *t, const struct timer_plan *plan)
{
    struct timer_means have = {
        .ticker = ticker != NO_CPU,
        .comparator = comparator_possible(t),
        .preemption = virt->set_timer != NULL && virt->has_timer(),
    };
    spin_lock(&t->lock);
    if (t->stopped) {
        spin_unlock(&t->lock);
        return true;
    }
    set_due(t, 0);
    t->plan = *plan;
    enum timer_source before = t->source;
    if (plan->period != 0 && plan->period < least) {
        t->plan.period *= (least + plan->period - 1) / plan->period;
    }
    choose(t, have);
    if (t->source == TIMER_NONE) {
        t->plan.kind = TIMER_OFF;
    }
    bool counted = t->source != TIMER_NONE && t->source != TIMER_ROUTED;
    uint64_t due = counted ? max_u64(max_u64(plan->deadline, t->not_until), 1) : 0;
    set_due(t, due);
    spin_unlock(&t->lock);
    if (t->source == TIMER_TICKER) {
        wake_ticker(due);
    } else if (t->source == TIMER_PREEMPTION || before == TIMER_PREEMPTION) {
        tell_owner(t->vcpu);
    }
    return plan->kind == TIMER_OFF || t->source != TIMER_NONE;
}

void timer_stop(struct timer *t)
{
    spin_lock(&t->lock);
    set_due(t, 0);
    comparator_release(t);
    t->source = TIMER_NONE;
    t->stopped = true;
    spin_unlock(&t->lock);
}

void timer_allow(struct timer *t)
{
    spin_lock(&t->lock);
    t->stopped = false;
    spin_unlock(&t->lock);
}
