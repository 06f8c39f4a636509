// SPDX-License-Identifier: Apache-2.0
// victim.elf: what a neighbour's attack must not touch. Each of its CPUs keeps a pattern over its
// part of the RAM, verified and replaced all the time, and arms its timer again and again, each
// time for one interrupt. The lines that it prints are the same whatever the neighbours do, but for
// those that begin with `gap`: the longest time in which a CPU did not get on. `ticks=` interrupts
// of `period=` timer clocks make a round, whose sum is printed; `rounds=` of them, or rounds
// without end. `size=` KiB of memory are watched, or all that there is.

#include "tests/guests/guest.h"

enum {
    VICTIM_VECTOR = 0x61,
    SIPI_PAGE = 0x70,
    LVT_PERIODIC = 1 << 17,
    FIRST_ADDRESS = 0x400000, // above the image
    PATTERNS = 8,             // after so many rounds the lines begin anew
    PIECE = 64,               // words between two looks at the clock
    LOST_SECONDS = 30,        // a timer that is silent for so long is lost
};

// Each written by its own CPU only; the boot CPU reads them between rounds.
static struct victim {
    volatile uint64_t *begin, *end; // its part of the memory
    volatile uint64_t sum, interrupts, unexpected, bad, longest;
    volatile uint64_t done; // rounds
} victims[MAX_GUEST_CPUS];

static unsigned cpus;
static uint64_t ticks, period;
static bool periodic;
static bool sleeps; // between the end of its work and the next interrupt
// Written by the boot CPU: the round that everyone does.
static volatile uint64_t round_now;
static volatile uint64_t first_unexpected = UINT64_MAX;

static struct victim *self(void)
{
    return &victims[lapic_id() % MAX_GUEST_CPUS];
}

static void timer_interrupt(struct trap_frame *frame)
{
    (void)frame;
    struct victim *v = self();
    v->interrupts++;
    lapic_eoi();
}

static void unexpected(struct trap_frame *frame)
{
    self()->unexpected++;
    first_unexpected = frame->vector;
    if (frame->vector < 32 && frame->vector != 2) {
        print("FAIL exception %lu at 0x%lx\n", frame->vector, frame->rip);
        finish();
    }
    if (frame->vector != 2)
        lapic_eoi();
}

// What a word holds in a round: no two words of a round the same, no word the same in two rounds.
static uint64_t pattern(uint64_t address, uint64_t round)
{
    return address * 0x9e3779b97f4a7c15 + (round % PATTERNS + 1) * 0xd1b54a32d192ed03;
}

// Verifies a piece, and leaves the next round's pattern there.
static volatile uint64_t *verify(struct victim *v, volatile uint64_t *at, uint64_t round)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < PIECE && at < v->end; i++, at++) {
        uint64_t value = *at;
        sum = (sum << 1 | sum >> 63) ^ value;
        if (value != pattern((uint64_t)at, round))
            v->bad++;
        *at = pattern((uint64_t)at, round + 1);
    }
    v->sum = v->sum * 31 + sum;
    return at;
}

static void note_gap(struct victim *v, uint64_t *last)
{
    uint64_t now = rdtsc();
    if (now - *last > v->longest)
        v->longest = now - *last;
    *last = now;
}

// With interrupts off from the look to the HLT.
static void sleep_until_interrupt(struct victim *v, uint64_t tick)
{
    interrupts_off();
    if (v->interrupts <= tick)
        __asm__ volatile("sti\n\thlt" : : : "memory");
    interrupts_on();
}

static void do_round(struct victim *v, uint64_t round)
{
    volatile uint64_t *at = v->begin;
    v->sum = 0;
    v->interrupts = 0;
    uint64_t last = rdtsc();
    for (uint64_t tick = 0; tick < ticks; tick++) {
        uint64_t armed = last;
        if (!periodic)
            lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)period);
        while (v->interrupts <= tick) {
            if (at < v->end)
                at = verify(v, at, round);
            else if (sleeps)
                sleep_until_interrupt(v, tick);
            note_gap(v, &last);
            if (last - armed > LOST_SECONDS * 1000 * tsc_khz()) {
                print("FAIL timer interrupt %lu is lost\n", tick);
                finish();
            }
        }
    }
    while (at < v->end) {
        at = verify(v, at, round);
        note_gap(v, &last);
    }
    v->done = round + 1;
}

static void prepare(struct victim *v)
{
    lapic_enable();
    lapic_write(LAPIC_TIMER_DIVIDE, 0x3); // by 16
    lapic_write(LAPIC_LVT_TIMER, VICTIM_VECTOR | (periodic ? LVT_PERIODIC : 0));
    if (periodic)
        lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)period);
    for (volatile uint64_t *at = v->begin; at < v->end; at++)
        *at = pattern((uint64_t)at, 0);
    interrupts_on();
}

static void ap_loop(void)
{
    if (x2apic_available())
        x2apic_enable();
    struct victim *v = self();
    prepare(v);
    for (;;) {
        while (v->done > round_now)
            pause();
        do_round(v, v->done);
    }
}

static void report(uint64_t round)
{
    uint64_t sum = 0, interrupts = 0, unexpected_ones = 0, bad = 0;
    for (unsigned i = 0; i < cpus; i++) {
        sum = sum * 31 + victims[i].sum;
        interrupts += victims[i].interrupts;
        unexpected_ones += victims[i].unexpected;
        bad += victims[i].bad;
    }
    print("pattern %lu: sum %016lx, %lu interrupts, %lu unexpected, %lu words bad\n",
          round % PATTERNS, sum, interrupts, unexpected_ones, bad);
    if (unexpected_ones)
        print("FAIL unexpected vector %lu\n", first_unexpected);
    for (unsigned i = 0; i < cpus; i++) {
        print("gap %u: %lu\n", i, victims[i].longest);
        victims[i].longest = 0;
    }
}

static void share_memory(void)
{
    uint64_t size = ram_end_low() - FIRST_ADDRESS;
    uint64_t wanted = option_number("size", size >> 10) << 10;
    size = (wanted < size ? wanted : size) / cpus & ~0xfffull;
    for (unsigned i = 0; i < cpus; i++) {
        victims[i].begin = (volatile uint64_t *)(FIRST_ADDRESS + i * size);
        victims[i].end = victims[i].begin + size / sizeof(uint64_t);
    }
}

void run_guest(void)
{
    uint32_t ids[MAX_GUEST_CPUS];
    uint64_t rounds = option_number("rounds", UINT64_MAX);
    ticks = option_number("ticks", 50);
    period = option_number("period", 50000);
    periodic = option_is("timer", "periodic");
    sleeps = !option_is("idle", "spin");
    cpus = acpi_cpus(ids, MAX_GUEST_CPUS);
    cpus = cpus ? cpus : 1;
    print("hello from victim: %u cpus, %lu KiB\n", cpus, ram_total() / 1024);
    for (unsigned i = 0; i < 256; i++)
        set_handler(i, unexpected);
    set_handler(VICTIM_VECTOR, timer_interrupt);
    share_memory();
    if (x2apic_available())
        x2apic_enable();
    lapic_enable();
    tsc_khz();
    for (unsigned i = 1; i < cpus; i++) {
        if (!cpu_start(ids[i], SIPI_PAGE, ap_loop))
            print("FAIL cpu %u does not start\n", ids[i]);
    }
    prepare(&victims[0]);
    for (uint64_t round = 0; round < rounds; round++) {
        round_now = round;
        do_round(&victims[0], round);
        for (unsigned i = 1; i < cpus; i++) {
            while (victims[i].done <= round)
                pause();
        }
        report(round);
    }
    print("victim is done\n");
}
