// SPDX-License-Identifier: Apache-2.0
// hostile.elf: a guest that attacks. Each of its CPUs runs a list of attacks (`attack0=NAME,NAME`
// for CPU 0, `attack1=` and so on), each for its number of actions, or `count=` of them, all random
// choices from `seed=`. An action that ends in an exception is one that the processor refused: the
// CPU recovers and goes on. CPU 0 ends last; until then it sends an NMI to each other CPU that does
// not get on. Prints how many actions were made, in steps, so that those of a guest that ends
// itself count too.

#include "tests/guests/hostile/hostile.h"

enum {
    SIPI_PAGE = 0x70,
    STUCK_US = 10000,
    WATCH_EVERY = 16, // actions of CPU 0
    SAY_EVERY = 1 << 16,
    SEED_SHIFT = 35,
    LIST_SIZE = 128,
};

static const struct attack *const groups[] = {instruction_attacks, device_attacks, storm_attacks,
                                              paging_attacks};
static unsigned cpus;
static uint64_t seed, count;
// What CPU 0 saw last of the others.
static uint64_t seen_progress[HOSTILE_CPUS], seen_at[HOSTILE_CPUS];

static const struct attack *find_attack(const char *name)
{
    for (unsigned g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        for (const struct attack *a = groups[g]; a->name; a++) {
            size_t i = 0;
            while (name[i] && name[i] == a->name[i])
                i++;
            if (!a->name[i] && (!name[i] || name[i] == ','))
                return a;
        }
    }
    return NULL;
}

static void watch(void)
{
    for (unsigned i = 1; i < cpus; i++) {
        struct hostile_cpu *cpu = hostile_cpu(i);
        uint64_t now = rdtsc();
        if (cpu->progress != seen_progress[i] || !cpu->busy) {
            seen_progress[i] = cpu->progress;
            seen_at[i] = now;
        } else if (now - seen_at[i] > STUCK_US * tsc_khz() / 1000) {
            seen_at[i] = now;
            cpu->stuck++;
            lapic_ipi(i, ICR_NMI | ICR_ASSERT);
        }
    }
}

static void run_attack(struct hostile_cpu *cpu, const struct attack *a)
{
    uint64_t actions = count ? count : a->count, said = 0, start = rdtsc();
    cpu->attack = a;
    cpu->traps = cpu->stuck = 0;
    cpu->random = seed ^ (uint64_t)cpu->index << 32;
    for (const char *p = a->name; *p; p++)
        cpu->random = cpu->random * 31 + (uint8_t)*p;
    if (a->begin)
        a->begin(cpu);
    cpu->busy = true;
    for (cpu->action = 0; cpu->action < actions; cpu->action++) {
        int vector = attempt(cpu, a->act);
        if (vector != NO_TRAP) {
            cpu->traps++;
            cpu_repair(cpu, vector);
        }
        cpu->progress++;
        if (cpu->index == 0 && cpu->progress % WATCH_EVERY == 0)
            watch();
        if (cpu->action >= said + SAY_EVERY) {
            cpu->busy = false;
            say("%s/%u: %lu actions more\n", a->name, cpu->index, cpu->action - said);
            cpu->busy = true;
            said = cpu->action;
        }
    }
    cpu->busy = false;
    apic_repair(cpu);
    if (a->end)
        a->end(cpu);
    say("%s/%u: %lu actions more\n", a->name, cpu->index, cpu->action - said);
    say("%s/%u: done, %lu actions, %lu traps, %lu times stuck, %lu us\n", a->name, cpu->index,
        cpu->action, cpu->traps, cpu->stuck, (rdtsc() - start) * 1000 / tsc_khz());
}

static void run_list(struct hostile_cpu *cpu)
{
    char name[] = "attack0", list[LIST_SIZE];
    name[6] = (char)('0' + cpu->index);
    if (option(name, list, sizeof(list))) {
        for (const char *p = list; *p;) {
            const struct attack *a = find_attack(p);
            if (a)
                run_attack(cpu, a);
            else
                say("FAIL no attack %s\n", p);
            while (*p && *p != ',')
                p++;
            p += *p == ',';
        }
    }
    cpu->finished = true;
}

static void ap_loop(void)
{
    if (x2apic_available() && !option_is("apic", "xapic"))
        x2apic_enable();
    struct hostile_cpu *cpu = hostile_cpu(lapic_id() % HOSTILE_CPUS);
    cpu->index = lapic_id();
    cpu_setup(cpu);
    run_list(cpu);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

void run_guest(void)
{
    uint32_t ids[HOSTILE_CPUS];
    cpus = acpi_cpus(ids, HOSTILE_CPUS);
    cpus = cpus ? cpus : 1;
    // After a restart some time later the same choices would end the same way.
    seed = option_number("seed", 1) + (rdtsc() >> SEED_SHIFT);
    count = option_number("count", 0);
    print("hello from hostile: seed %lu, %u cpus\n", seed, cpus);
    if (x2apic_available() && !option_is("apic", "xapic"))
        x2apic_enable();
    lapic_enable();
    tsc_khz();
    devices_setup();
    cpu_setup(hostile_cpu(0));
    for (unsigned i = 1; i < cpus; i++) {
        char name[] = "attack0";
        char list[LIST_SIZE];
        name[6] = (char)('0' + i);
        hostile_cpu(i)->finished = !option(name, list, sizeof(list));
        if (!hostile_cpu(i)->finished && !cpu_start(ids[i], SIPI_PAGE, ap_loop))
            print("FAIL cpu %u does not start\n", ids[i]);
    }
    run_list(hostile_cpu(0));
    for (unsigned i = 1; i < cpus; i++) {
        while (!hostile_cpu(i)->finished) {
            watch();
            pause();
        }
    }
    print("hostile is done\n");
}
