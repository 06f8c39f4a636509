// SPDX-License-Identifier: Apache-2.0
// Memory and time that the CPUs share: locked instructions are atomic, the TSC does not go back
// from one CPU to the next.

#include "tests/guests/equiv/device.h"

enum { ROUNDS = 5000, HANDSHAKES = 200 };

static volatile uint32_t counter, lock;
static volatile uint64_t wide;
static volatile struct {
    uint64_t low, high;
} pair __attribute__((aligned(16)));

static void lock_inc(void)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        __asm__ volatile("lock incl %0" : "+m"(counter) : : "memory", "cc");
}

static void lock_xadd(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t one = 1;
        __asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(wide) : : "memory", "cc");
    }
}

static void lock_cmpxchg(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t seen = counter;
        uint8_t done = 0;
        do {
            __asm__ volatile("lock cmpxchgl %3, %1\n\tsete %2"
                             : "+a"(seen), "+m"(counter), "=q"(done)
                             : "r"(seen + 1)
                             : "memory", "cc");
        } while (!done);
    }
}

static void xchg_lock(void)
{
    for (unsigned i = 0; i < ROUNDS / 20; i++) {
        uint32_t taken_lock = 1;
        while (taken_lock) {
            __asm__ volatile("xchgl %0, %1" : "+r"(taken_lock), "+m"(lock) : : "memory");
            if (taken_lock)
                pause();
        }
        counter = counter + 1;
        __asm__ volatile("" : : : "memory");
        lock = 0;
    }
}

static void lock_bts(void)
{
    for (unsigned i = 0; i < ROUNDS / 20; i++) {
        uint8_t was = 1;
        while (was) {
            __asm__ volatile("lock btsl $5, %0\n\tsetc %1"
                             : "+m"(lock), "=q"(was)
                             :
                             : "memory", "cc");
            if (was)
                pause();
        }
        counter = counter + 1;
        __asm__ volatile("lock btrl $5, %0" : "+m"(lock) : : "memory", "cc");
    }
}

static void lock_cmpxchg16b(void)
{
    for (unsigned i = 0; i < ROUNDS / 20; i++) {
        uint64_t low = pair.low, high = pair.high;
        uint8_t done = 0;
        do {
            __asm__ volatile("lock cmpxchg16b %2\n\tsete %3"
                             : "+a"(low), "+d"(high), "+m"(pair), "=q"(done)
                             : "b"(low + 1), "c"(high + 2)
                             : "memory", "cc");
        } while (!done);
    }
}

static void all_do(void (*job)(void))
{
    counter = lock = 0;
    wide = 0;
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_begin(cpu, job);
    job();
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        cpu_finish(cpu);
}

// ---- time --------------------------------------------------------------------------------------

static volatile uint64_t stamp;
static volatile uint32_t turn, backwards;

// In turn with the boot CPU: each compares with what the other read before.
static void compare_stamps(void)
{
    unsigned me = cpu_self() != 0;
    for (unsigned i = 0; i < HANDSHAKES; i++) {
        until(&turn, me);
        uint64_t now = rdtsc();
        if (now < stamp)
            backwards++;
        stamp = now;
        turn = 1 - me;
    }
}

static void tsc(void)
{
    struct line line = {.used = 0};
    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        stamp = 0;
        turn = backwards = 0;
        cpu_begin(cpu, compare_stamps);
        compare_stamps();
        cpu_finish(cpu);
        line_hex(&line, backwards);
    }
    outcome("smp.tsc-backwards", "%s", line.text);
}

void smp_memory(void)
{
    all_do(lock_inc);
    outcome("smp.memory.lock-inc", "%u", counter);
    all_do(lock_xadd);
    outcome("smp.memory.lock-xadd", "%lu", wide);
    all_do(lock_cmpxchg);
    outcome("smp.memory.lock-cmpxchg", "%u", counter);
    all_do(xchg_lock);
    outcome("smp.memory.xchg-lock", "%u", counter);
    all_do(lock_bts);
    outcome("smp.memory.lock-bts", "%u", counter);
    pair.low = pair.high = 0;
    all_do(lock_cmpxchg16b);
    outcome("smp.memory.lock-cmpxchg16b", "%lu %lu", pair.low, pair.high);
    tsc();
}
