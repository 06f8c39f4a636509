// SPDX-License-Identifier: Apache-2.0
// hv/partition/timer.c: where a timer's interrupts come from on each kind of machine, when they
// come and in what order, and that a timer that was taken back sends nothing. The tests stand in
// the order in which one machine after the other is started: first those without an unowned CPU.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/virt/virt.h"
#include "hv/machine/machine.h"
#include "hv/partition/comparator.h"
#include "hv/partition/timer.h"
#include "hv/partition/vcpu.h"

#define CPUS   4
#define TSC_HZ 2000000000ull
#define LEAST  (TSC_HZ / TIMER_LEAST_HZ)
#define US     (TSC_HZ / 1000000)
#define ID(i)  (0x10 + (i)) // APIC ID of a CPU
#define COUNT  4            // timers: three of vCPU 0, one of vCPU 1

static uint64_t tsc;
static struct cpu cpu[CPUS];
static struct vcpu vcpu[2];
static struct timer timer[COUNT];

struct cpu *fake_this_cpu = &cpu[0];
struct cpu *cpus[MAX_CPUS] = {&cpu[0], &cpu[1], &cpu[2], &cpu[3]};
unsigned cpu_count = CPUS;
struct machine machine;

uint64_t fake_rdtsc(void)
{
    return tsc;
}

uint64_t tsc_khz(void)
{
    return TSC_HZ / 1000;
}

// A fourth of the TSC.
uint64_t apic_timer_khz(void)
{
    return TSC_HZ / 4000;
}

// ---- what has happened -------------------------------------------------------------------------

enum act { NOTHING, FIXED, NMI, POST, ARM, RELEASE, SET_TIMER };

struct done {
    enum act act;
    unsigned who; // APIC ID; number of the vCPU or the timer
    uint64_t what, period;
};

static struct done done[64];
static unsigned done_count, done_seen;

static void note(enum act act, unsigned who, uint64_t what, uint64_t period)
{
    assert_in_range(done_count, 0, 63);
    done[done_count++] = (struct done){act, who, what, period};
}

static void next_is(enum act act, unsigned who, uint64_t what)
{
    assert_in_range(done_seen, 0, 62);
    const struct done *d = &done[done_seen++];
    assert_int_equal(d->act, act);
    assert_int_equal(d->who, who);
    assert_int_equal(d->what, what);
}

static void no_more(void)
{
    assert_int_equal(done_count, done_seen);
}

// Whether the lock of a timer is held: without it, a timer that is stopped could send after that.
static bool locked(void)
{
    bool held = false;
    for (unsigned i = 0; i < COUNT; i++)
        held |= timer[i].lock.held != 0;
    return held;
}

void apic_send_fixed(uint32_t id, uint8_t vector)
{
    assert_true(locked());
    note(FIXED, id, vector, 0);
}

void apic_send_nmi(uint32_t id)
{
    note(NMI, id, 0, 0);
}

void vcpu_post(struct vcpu *v, uint64_t work)
{
    note(POST, (unsigned)(v - vcpu), work, 0);
}

// ---- the machine's means -----------------------------------------------------------------------

static bool comparator_there, comparator_works, preemption_there;
static struct irq_route route;

bool comparator_possible(const struct timer *t)
{
    (void)t;
    return comparator_there;
}

bool comparator_arm(struct timer *t, const struct irq_route *r, uint64_t ticks, uint64_t period)
{
    assert_true(locked());
    route = *r;
    note(ARM, (unsigned)(t - timer), ticks, period);
    t->comparator = comparator_works ? 1 : -1;
    return comparator_works;
}

void comparator_release(struct timer *t)
{
    if (t->comparator >= 0) {
        assert_true(locked());
        note(RELEASE, (unsigned)(t - timer), 0, 0);
    }
    t->comparator = -1;
}

static void set_timer(struct vcpu *v, uint64_t ticks)
{
    note(SET_TIMER, (unsigned)(v - vcpu), ticks, 0);
}

static bool has_timer(void)
{
    return preemption_there;
}

static const struct virt_ops vendor_with = {.set_timer = set_timer, .has_timer = has_timer};
static const struct virt_ops vendor_without = {.has_timer = NULL};
const struct virt_ops *virt;

// ---- setting up --------------------------------------------------------------------------------

static void on_cpu(unsigned i)
{
    fake_this_cpu = &cpu[i];
}

// All timers are off and rested, on vCPU 0's CPU; and there is nothing that could tick.
static int setup(void **state)
{
    (void)state;
    virt = &vendor_without;
    comparator_there = comparator_works = preemption_there = false;
    tsc += 1000 * LEAST;
    for (unsigned i = 0; i < COUNT; i++) {
        timer_stop(&timer[i]);
        timer_allow(&timer[i]);
    }
    for (unsigned i = 0; i < 2; i++)
        vcpu[i].timer_runs = vcpu[i].timer_noted = false;
    on_cpu(2); // which ticks, if one does: it sleeps
    timers_sleep(0);
    on_cpu(0);
    done_count = done_seen = 0;
    return 0;
}

static int setup_preemption(void **state)
{
    setup(state);
    virt = &vendor_with;
    preemption_there = true;
    return 0;
}

static int setup_comparator(void **state)
{
    setup(state);
    comparator_there = comparator_works = true;
    return 0;
}

static void create(void)
{
    for (unsigned i = 0; i < CPUS; i++) {
        cpu[i].index = i;
        cpu[i].apic_id = ID(i);
    }
    for (unsigned i = 0; i < 2; i++) {
        vcpu[i].physical_id = ID(i);
        cpu[i].vcpu = &vcpu[i];
    }
    memset(timer, 0xff, sizeof(timer));
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(timer_add(&timer[i], &vcpu[i / 3]), STATUS_OK);
}

// Bit n: CPU n is nobody's.
static void start(unsigned unowned, unsigned console_cpu)
{
    for (unsigned i = 0; i < CPUS; i++)
        machine.cpu_owner[i].partition = unowned >> i & 1 ? BLOB_NOBODY : 0;
    machine.cpu_owner[CPUS].partition = BLOB_NOBODY; // there is no such CPU
    machine.console_cpu = console_cpu;
    timers_start();
}

static int without_unowned(void **state)
{
    (void)state;
    create();
    start(0, 0);
    return 0;
}

static int with_unowned(void **state)
{
    (void)state;
    start(0xe, 1);
    return 0;
}

static bool set(unsigned i, enum timer_kind kind, uint64_t in, uint64_t period)
{
    const struct timer_plan plan = {kind, tsc + in, period, ID(1), (uint8_t)(0x50 + i)};
    return timer_set(&timer[i], &plan);
}

// ---- nothing -----------------------------------------------------------------------------------

static void nothing_there(void **state)
{
    (void)state;
    assert_false(set(0, TIMER_IPI, 5000, 1000000));
    assert_false(set(0, TIMER_WORK, 5000, 0));
    assert_true(timer[0].due == 0 && timer[0].plan.kind == TIMER_OFF);
    assert_true(set(0, TIMER_OFF, 0, 0));
    virt = &vendor_with; // of a processor that has not got it
    assert_false(set(0, TIMER_WORK, 5000, 1000000));
    tsc += 10000000;
    timers_own(&vcpu[0]);
    timers_run();
    no_more();
}

static void nothing_to_sleep_for(void **state)
{
    (void)state;
    assert_int_equal(timers_sleep(0), 0);
    assert_int_equal(timers_sleep(1000), 1000 * US / 4);
}

// ---- the vCPU's own CPU ------------------------------------------------------------------------

static void own_timer(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 50000, 0));
    next_is(SET_TIMER, 0, 50000);
    tsc += 49999;
    timers_own(&vcpu[0]);
    next_is(SET_TIMER, 0, 1); // not yet
    tsc += 1;
    timers_own(&vcpu[0]);
    next_is(FIXED, ID(1), 0x50);
    next_is(SET_TIMER, 0, 0);
    tsc += 10 * LEAST;
    timers_own(&vcpu[0]);
    no_more();
}

// The work is the caller's, who is there already.
static void own_work(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_WORK, 1000, 2 * LEAST));
    next_is(SET_TIMER, 0, 1000);
    tsc += 1000;
    timers_own(&vcpu[0]);
    next_is(SET_TIMER, 0, 2 * LEAST);
    tsc += 2 * LEAST + 700;
    timers_own(&vcpu[0]);
    next_is(SET_TIMER, 0, 2 * LEAST - 700); // it never drifts
    no_more();
}

static void own_first_of_several(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 9000, 0));
    next_is(SET_TIMER, 0, 9000);
    assert_true(set(1, TIMER_IPI, 6000, 0));
    next_is(SET_TIMER, 0, 6000);
    assert_true(set(2, TIMER_IPI, 7000, 0));
    next_is(SET_TIMER, 0, 6000);
    tsc += 7500;
    timers_own(&vcpu[0]);
    next_is(FIXED, ID(1), 0x51);
    next_is(FIXED, ID(1), 0x52);
    next_is(SET_TIMER, 0, 1500);
    assert_true(set(0, TIMER_OFF, 0, 0));
    next_is(SET_TIMER, 0, 0);
    assert_true(set(0, TIMER_OFF, 0, 0));
    no_more();
}

static void own_is_over_already(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, (uint64_t)-5, 0));
    next_is(SET_TIMER, 0, 1);
    timers_own(&vcpu[0]);
    next_is(FIXED, ID(1), 0x50);
    next_is(SET_TIMER, 0, 0);
    no_more();
}

// Set on another CPU of the partition: the vCPU's own is told.
static void own_set_from_elsewhere(void **state)
{
    (void)state;
    on_cpu(1);
    assert_true(set(0, TIMER_IPI, 9000, 0));
    next_is(POST, 0, WORK_TIMER);
    assert_true(set(3, TIMER_IPI, 4000, 0));
    next_is(SET_TIMER, 1, 4000); // not the other vCPU's
    tsc += 9000;
    timers_own(&vcpu[1]);
    next_is(FIXED, ID(1), 0x53);
    next_is(SET_TIMER, 1, 0);
    assert_true(set(0, TIMER_OFF, 0, 0));
    next_is(POST, 0, WORK_TIMER);
    on_cpu(0);
    timers_own(&vcpu[0]);
    no_more();
}

// ---- comparators of the machine's HPET ---------------------------------------------------------

static void routed(void **state)
{
    (void)state;
    virt = &vendor_with;
    preemption_there = true;
    assert_true(set(0, TIMER_IPI, 7000, 3 * LEAST));
    next_is(ARM, 0, 7000);
    assert_int_equal(done[0].period, 3 * LEAST);
    assert_true(route.apic_id == ID(1) && route.vector == 0x50 && !route.nmi && !route.level);
    assert_false(vcpu[0].timer_noted);
    assert_int_equal(timer[0].due, 0);
    tsc += 100 * LEAST;
    timers_own(&vcpu[0]); // nobody takes part
    timers_run();
    no_more();
    assert_true(set(0, TIMER_OFF, 0, 0));
    next_is(RELEASE, 0, 0);
    no_more();
}

static void routed_is_over_already(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, (uint64_t)-5, 3 * LEAST));
    next_is(ARM, 0, 0);
}

// Not more often than others, and still in step.
static void routed_too_often(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 7000, LEAST / 3 + 1));
    next_is(ARM, 0, 7000);
    assert_int_equal(done[0].period, 3 * (LEAST / 3 + 1));
    assert_true(set(0, TIMER_IPI, 7000, LEAST));
    assert_int_equal(done[1].period, LEAST);
}

// It can't be had after all: the next best is taken.
static void comparator_fails(void **state)
{
    (void)state;
    comparator_works = false;
    assert_false(set(0, TIMER_IPI, 7000, 3 * LEAST));
    next_is(ARM, 0, 7000);
    tsc += 10 * LEAST;
    timers_own(&vcpu[0]);
    no_more();
    virt = &vendor_with;
    preemption_there = true;
    assert_true(set(0, TIMER_IPI, 7000, 3 * LEAST));
    next_is(ARM, 0, 7000);
    next_is(SET_TIMER, 0, 7000);
    no_more();
}

static void noted(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_WORK, 9000, 0));
    next_is(ARM, 0, 9000);
    assert_true(route.apic_id == ID(0) && route.nmi && !route.level);
    assert_true(vcpu[0].timer_noted);
    tsc += 6000;
    timers_own(&vcpu[0]); // it came too soon
    next_is(ARM, 0, 3000);
    tsc += 3000;
    timers_own(&vcpu[0]);
    timers_own(&vcpu[0]);
    no_more();
}

static void noted_repeats(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_WORK, 9000, 2 * LEAST));
    next_is(ARM, 0, 9000);
    assert_int_equal(done[0].period, 2 * LEAST);
    tsc += 6000;
    timers_own(&vcpu[0]); // an NMI that was another's
    for (unsigned i = 0; i < 3; i++) {
        tsc += 2 * LEAST;
        timers_own(&vcpu[0]);
    }
    no_more();
    // One that comes once through a pin has to be sent.
    assert_true(set(0, TIMER_IPI, 10000 + LEAST, 0));
    next_is(ARM, 0, 10000 + LEAST);
    assert_true(route.apic_id == ID(0) && route.nmi);
    tsc += 10000 + LEAST;
    timers_own(&vcpu[1]); // not its CPU
    no_more();
    timers_own(&vcpu[0]);
    next_is(FIXED, ID(1), 0x50);
    no_more();
}

// ---- an unowned CPU ----------------------------------------------------------------------------

// The ticker comes to its senses after the TSC has gone on by so much.
static void tick_after(uint64_t ticks, unsigned on)
{
    tsc += ticks;
    on_cpu(on);
    timers_run();
    on_cpu(0);
}

static unsigned ticker_is(void)
{
    assert_true(set(0, TIMER_IPI, 1000, 0));
    assert_int_equal(done[done_seen].act, NMI);
    unsigned id = done[done_seen++].who;
    assert_true(set(0, TIMER_OFF, 0, 0));
    no_more();
    return id - ID(0);
}

static void who_ticks(void **state)
{
    (void)state;
    start(0x1, 0); // there is none but the console's
    assert_int_equal(ticker_is(), 0);
    start(0x7, 0);
    assert_int_equal(ticker_is(), 1);
    start(0xe, 1);
    assert_int_equal(ticker_is(), 2);
    start(0xe, 1); // the first will do
    assert_int_equal(ticker_is(), 2);
}

static void ticks_once(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 1000, 0));
    next_is(NMI, ID(2), 0);
    tick_after(999, 2);
    no_more();
    tick_after(1, 3); // another unowned CPU
    tick_after(0, 0);
    no_more();
    tick_after(0, 2);
    next_is(FIXED, ID(1), 0x50);
    tick_after(100 * LEAST, 2);
    no_more();
}

static void ticks_again(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 1000, 2 * LEAST));
    next_is(NMI, ID(2), 0);
    tick_after(1000, 2);
    next_is(FIXED, ID(1), 0x50);
    tick_after(2 * LEAST - 1, 2);
    no_more();
    tick_after(1 + 500, 2); // late
    next_is(FIXED, ID(1), 0x50);
    tick_after(2 * LEAST - 501, 2);
    no_more();
    tick_after(1, 2);
    next_is(FIXED, ID(1), 0x50);
    // One for several that were missed, and then in step again.
    tick_after(7 * LEAST, 2);
    next_is(FIXED, ID(1), 0x50);
    tick_after(0, 2);
    tick_after(LEAST - 1, 2);
    no_more();
    tick_after(1, 2);
    next_is(FIXED, ID(1), 0x50);
    no_more();
}

static void ticker_posts_work(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_WORK, 1000, 0));
    assert_true(set(3, TIMER_WORK, 500, 0));
    next_is(NMI, ID(2), 0);
    next_is(NMI, ID(2), 0);
    tick_after(700, 2);
    next_is(POST, 1, WORK_TIMER);
    tick_after(300, 2);
    next_is(POST, 0, WORK_TIMER);
    no_more();
    timers_own(&vcpu[0]); // nothing of that is its own CPU's
    no_more();
}

// Each that is due once, whoever was due first.
static void ticker_serves_in_turn(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 3000, LEAST));
    assert_true(set(1, TIMER_IPI, 2000, 0));
    assert_true(set(2, TIMER_IPI, 90 * LEAST, 0));
    assert_true(set(3, TIMER_IPI, 1000, 0));
    done_seen = done_count;
    tick_after(50 * LEAST, 2);
    next_is(FIXED, ID(1), 0x50);
    next_is(FIXED, ID(1), 0x51);
    next_is(FIXED, ID(1), 0x53);
    no_more();
}

// With comparators too, what they can't do is the ticker's.
static void ticker_and_comparator(void **state)
{
    (void)state;
    comparator_there = comparator_works = true;
    assert_true(set(0, TIMER_IPI, 3000, LEAST));
    next_is(ARM, 0, 3000);
    assert_true(set(0, TIMER_WORK, 3000, LEAST));
    next_is(RELEASE, 0, 0);
    next_is(NMI, ID(2), 0);
    tick_after(3000, 2);
    next_is(POST, 0, WORK_TIMER);
    assert_true(set(0, TIMER_IPI, 3000 + LEAST, LEAST));
    next_is(ARM, 0, 3000 + LEAST);
    tick_after(10 * LEAST, 2); // no second one beside it
    no_more();
}

// From VT-x's timer to the ticker's: the own CPU's has to be stopped.
static void own_is_given_up(void **state)
{
    (void)state;
    virt = &vendor_with;
    preemption_there = true;
    timer[0].source = TIMER_PREEMPTION;
    vcpu[0].timer_runs = true;
    assert_true(set(0, TIMER_OFF, 0, 0));
    next_is(SET_TIMER, 0, 0);
    no_more();
}

// ---- not too often -----------------------------------------------------------------------------

static void short_periods(void **state)
{
    (void)state;
    static const struct {
        uint64_t period, becomes;
    } rows[] = {
        {1, LEAST},
        {LEAST - 1, 2 * (LEAST - 1)},
        {LEAST, LEAST},
        {LEAST + 1, LEAST + 1},
        {LEAST / 3 + 1, 3 * (LEAST / 3 + 1)},
        {LEAST / 2, 2 * (LEAST / 2)},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        setup(state);
        assert_true(set(0, TIMER_IPI, 1000, rows[i].period));
        next_is(NMI, ID(2), 0);
        tick_after(1000, 2);
        next_is(FIXED, ID(1), 0x50);
        tick_after(rows[i].becomes - 1, 2);
        no_more();
        tick_after(1, 2);
        next_is(FIXED, ID(1), 0x50);
        no_more();
    }
}

// A guest that sets one for now again and again gets no more.
static void set_again_and_again(void **state)
{
    (void)state;
    unsigned came = 0;
    for (unsigned i = 0; i < 100; i++) {
        assert_true(set(0, TIMER_IPI, 0, 0));
        done_count = done_seen = 0;
        tick_after(LEAST / 10, 2);
        came += done_count;
    }
    assert_in_range(came, 9, 11);
}

static void set_again_noted(void **state)
{
    (void)state;
    comparator_there = comparator_works = true;
    timer[0].not_until = tsc + LEAST;
    assert_true(set(0, TIMER_IPI, 0, LEAST));
    next_is(ARM, 0, LEAST);
}

// ---- taking back -------------------------------------------------------------------------------

static void taken_back(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 1000, LEAST));
    next_is(NMI, ID(2), 0);
    assert_true(set(0, TIMER_OFF, 0, LEAST));
    tick_after(100 * LEAST, 2);
    no_more();
}

static void put_off(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 1000, 0));
    assert_true(set(0, TIMER_IPI, 5000, 0));
    done_seen = done_count;
    tick_after(4999, 2);
    no_more();
    tick_after(1, 2);
    next_is(FIXED, ID(1), 0x50);
    no_more();
}

static void partition_ends(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 1000, LEAST));
    next_is(NMI, ID(2), 0);
    timer_stop(&timer[0]);
    assert_true(timer[0].due == 0 && timer[0].source == TIMER_NONE);
    tick_after(2000, 2);
    // One that a vCPU still sets, as long as it has not parked.
    assert_true(set(0, TIMER_IPI, 1000, LEAST));
    tick_after(2000, 2);
    no_more();
    timer_allow(&timer[0]);
    tick_after(2000, 2);
    no_more();
    assert_true(set(0, TIMER_IPI, 1000, LEAST));
    next_is(NMI, ID(2), 0);
    tick_after(1000, 2);
    next_is(FIXED, ID(1), 0x50);
    no_more();
}

static void partition_ends_with_comparator(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 1000, LEAST));
    next_is(ARM, 0, 1000);
    timer_stop(&timer[0]);
    next_is(RELEASE, 0, 0);
    assert_true(set(0, TIMER_IPI, 1000, LEAST));
    no_more();
}

// ---- sleep -------------------------------------------------------------------------------------

static uint32_t sleep_on(unsigned i, unsigned us)
{
    on_cpu(i);
    uint32_t count = timers_sleep(us);
    on_cpu(0);
    return count;
}

static void sleeps_until_the_first(void **state)
{
    (void)state;
    assert_int_equal(sleep_on(2, 0), 0);
    assert_true(set(0, TIMER_IPI, 40000, 0));
    assert_true(set(1, TIMER_IPI, 20000, 0));
    assert_true(set(2, TIMER_IPI, 30000, 0));
    // A tick of the APIC's timer is four of the TSC. No sooner, and no more than one later.
    assert_in_range(sleep_on(2, 0), 20000 / 4, 20000 / 4 + 1);
    assert_int_equal(sleep_on(3, 0), 0);            // not the one that ticks
    assert_int_equal(sleep_on(2, 5), 5 * US / 4);   // the console's tick is sooner
    assert_in_range(sleep_on(2, 1000), 5000, 5001); // or not
    assert_int_equal(sleep_on(3, 1000), 1000 * US / 4);
    tsc += 30000;
    assert_int_equal(sleep_on(2, 0), 1); // over already: at once
    assert_int_equal(sleep_on(2, 1000), 1);
    tick_after(10000, 2);
    assert_int_equal(sleep_on(2, 0), 0);
}

static void sleeps_no_longer_than_it_can(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 1ull << 50, 0));
    assert_int_equal(sleep_on(2, 0), UINT32_MAX);
}

static void sleeps_not_for_comparators(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 1000, LEAST));
    assert_int_equal(sleep_on(2, 0), 0);
}

// It is woken by what comes before what it sleeps for, and by nothing else.
static void woken(void **state)
{
    (void)state;
    assert_true(set(0, TIMER_IPI, 40000, 0));
    next_is(NMI, ID(2), 0);
    sleep_on(2, 0);
    assert_true(set(1, TIMER_IPI, 40000, 0));
    assert_true(set(2, TIMER_IPI, 50000, 0));
    no_more();
    assert_true(set(3, TIMER_IPI, 39999, 0));
    next_is(NMI, ID(2), 0);
    sleep_on(3, 0); // another CPU's sleep is nothing to it
    assert_true(set(2, TIMER_IPI, 39999, 0));
    next_is(NMI, ID(2), 0);
    sleep_on(2, 0);
    assert_true(set(2, TIMER_IPI, 39999, 0));
    no_more();
}

// ---- their number ------------------------------------------------------------------------------

static void no_room(void **state)
{
    (void)state;
    static struct timer more[TIMERS_MAX];
    for (unsigned i = 0; i < TIMERS_MAX - COUNT; i++)
        assert_int_equal(timer_add(&more[i], &vcpu[1]), STATUS_OK);
    assert_int_equal(timer_add(&more[TIMERS_MAX - 1], &vcpu[1]), ERR_NO_MEMORY);
    const struct timer_plan plan = {TIMER_WORK, tsc + 5, 0, 0, 0};
    assert_true(timer_set(&more[TIMERS_MAX - COUNT - 1], &plan));
    next_is(NMI, ID(2), 0);
    tick_after(5, 2);
    next_is(POST, 1, WORK_TIMER);
    no_more();
}

int main(void)
{
    const struct CMUnitTest without[] = {
        cmocka_unit_test_setup(nothing_there, setup),
        cmocka_unit_test_setup(nothing_to_sleep_for, setup),
        cmocka_unit_test_setup(own_timer, setup_preemption),
        cmocka_unit_test_setup(own_work, setup_preemption),
        cmocka_unit_test_setup(own_first_of_several, setup_preemption),
        cmocka_unit_test_setup(own_is_over_already, setup_preemption),
        cmocka_unit_test_setup(own_set_from_elsewhere, setup_preemption),
        cmocka_unit_test_setup(routed, setup_comparator),
        cmocka_unit_test_setup(routed_is_over_already, setup_comparator),
        cmocka_unit_test_setup(routed_too_often, setup_comparator),
        cmocka_unit_test_setup(comparator_fails, setup_comparator),
        cmocka_unit_test_setup(noted, setup_comparator),
        cmocka_unit_test_setup(noted_repeats, setup_comparator),
        cmocka_unit_test_setup(who_ticks, setup), // from here on there is one
    };
    const struct CMUnitTest with[] = {
        cmocka_unit_test_setup(ticks_once, setup),
        cmocka_unit_test_setup(ticks_again, setup),
        cmocka_unit_test_setup(ticker_posts_work, setup),
        cmocka_unit_test_setup(ticker_serves_in_turn, setup),
        cmocka_unit_test_setup(ticker_and_comparator, setup),
        cmocka_unit_test_setup(own_is_given_up, setup),
        cmocka_unit_test_setup(short_periods, setup),
        cmocka_unit_test_setup(set_again_and_again, setup),
        cmocka_unit_test_setup(set_again_noted, setup),
        cmocka_unit_test_setup(taken_back, setup),
        cmocka_unit_test_setup(put_off, setup),
        cmocka_unit_test_setup(partition_ends, setup),
        cmocka_unit_test_setup(partition_ends_with_comparator, setup_comparator),
        cmocka_unit_test_setup(sleeps_until_the_first, setup),
        cmocka_unit_test_setup(sleeps_no_longer_than_it_can, setup),
        cmocka_unit_test_setup(sleeps_not_for_comparators, setup_comparator),
        cmocka_unit_test_setup(woken, setup),
        cmocka_unit_test_setup(no_room, setup),
    };
    return cmocka_run_group_tests_name("without an unowned CPU", without, without_unowned, NULL) +
           cmocka_run_group_tests_name("with one", with, with_unowned, NULL);
}
