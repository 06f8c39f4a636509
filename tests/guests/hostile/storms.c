// SPDX-License-Identifier: Apache-2.0
// Attacks by quantity: interrupts of every kind at this guest's CPUs and at every other ID, debug
// and alignment exceptions, caches, the console, and restarts.

#include "tests/guests/hostile/hostile.h"

enum {
    MSR_X2APIC_ICR = 0x830,
    MSR_X2APIC_SELF = 0x83f,
    MSR_DEBUGCTL = 0x1d9,
    CONSOLE_CHUNK = 512,
    STORM_LENGTH = 64, // interrupts of one action
    FIRST_VECTOR = 16,
    TIMER_COUNT = 200000, // with much less QEMU does nothing but run the timer
    CR0_AM = 1 << 18,
    RFLAGS_AC = 1 << 18,
};

// No attack: the neighbour that others are compared with.
static void spin(struct hostile_cpu *cpu)
{
    for (unsigned i = 0; i < STORM_LENGTH; i++)
        random64(cpu);
}

static void send(struct hostile_cpu *cpu, uint32_t destination, uint32_t low)
{
    if (cpu->x2apic) {
        wrmsr(MSR_X2APIC_ICR, (uint64_t)destination << 32 | low);
        return;
    }
    *(volatile uint32_t *)(LAPIC_PAGE + LAPIC_ICR_HIGH) = destination << 24;
    *(volatile uint32_t *)(LAPIC_PAGE + LAPIC_ICR) = low;
}

// Any ID but the boot processor's own, whose INIT would restart this guest.
static uint32_t other_id(struct hostile_cpu *cpu)
{
    return 1 + (uint32_t)random_below(cpu, random_below(cpu, 2) ? 7 : 254);
}

static void nmis(struct hostile_cpu *cpu)
{
    uint32_t shorthand = random_below(cpu, 4) ? 0 : ICR_OTHERS;
    send(cpu, random_below(cpu, 8) ? other_id(cpu) : 0xff, ICR_NMI | ICR_ASSERT | shorthand);
}

static void inits(struct hostile_cpu *cpu)
{
    static const uint32_t kinds[] = {ICR_INIT | ICR_ASSERT, ICR_STARTUP | ICR_ASSERT,
                                     ICR_INIT | ICR_ASSERT | ICR_OTHERS,
                                     ICR_STARTUP | ICR_ASSERT | ICR_OTHERS, ICR_INIT | ICR_LEVEL};
    uint32_t kind = kinds[random_below(cpu, sizeof(kinds) / sizeof(kinds[0]))];
    // Page 0x9f and those of the tables are left alone; the others hold an endless sleep.
    send(cpu, other_id(cpu),
         kind | (kind & ICR_STARTUP ? 0x10 + (uint32_t)random_below(cpu, 64) : 0));
}

// Each interrupt ends the attempt, so an action is as many as come before.
static void flood(struct hostile_cpu *cpu)
{
    uint32_t vector = FIRST_VECTOR + (uint32_t)random_below(cpu, 256 - FIRST_VECTOR);
    interrupts_off();
    for (unsigned i = 0; i < STORM_LENGTH; i++) {
        if (cpu->x2apic && (i & 1))
            wrmsr(MSR_X2APIC_SELF, vector);
        else
            send(cpu, i & 2 ? other_id(cpu) : 0, vector | (i & 4 ? ICR_OTHERS : ICR_ASSERT));
        vector = vector == 255 ? FIRST_VECTOR : vector + 1;
    }
    cpu->action += STORM_LENGTH - 1;
    interrupts_on();
    __asm__ volatile("nop");
}

static void timer_begin(struct hostile_cpu *cpu)
{
    (void)cpu;
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(LAPIC_LVT_TIMER, WATCHDOG_VECTOR | 1 << 17);
    lapic_write(LAPIC_TIMER_INITIAL, TIMER_COUNT);
}

static void timer_flood(struct hostile_cpu *cpu)
{
    (void)cpu;
    interrupts_on();
    for (;;)
        pause();
}

static void debug_storm(struct hostile_cpu *cpu)
{
    uint64_t address = (uint64_t)cpu->data, choice = random64(cpu);
    uint32_t data_segment = SEL_DATA;
    __asm__ volatile("mov %0, %%dr0\n\tmov %0, %%dr1" : : "r"(address));
    __asm__ volatile("mov %0, %%dr7"
                     :
                     : "r"(0x400 | (choice & 0xff) | (choice >> 8 & 0xffff) << 16));
    if (choice >> 32 & 1)
        __asm__ volatile("mov %0, %%ss\n\t.byte 0xf1" : : "m"(data_segment));
    if (choice >> 33 & 1)
        __asm__ volatile("mov %0, %%ss\n\tint3" : : "m"(data_segment));
    if (choice >> 34 & 1)
        __asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tcpuid"
                         :
                         : "a"(0)
                         : "rbx", "rcx", "rdx", "cc", "memory");
    *(volatile uint64_t *)address = choice;
    __asm__ volatile(".byte 0xf1");
}

static void alignment(struct hostile_cpu *cpu)
{
    static const uint8_t code[] = {0x8b, 0x47, 0x01, 0xeb, 0xfb}; // mov eax, [rdi + 1]; jmp
    uint64_t cr0;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_AM));
    memcpy(cpu->code, code, sizeof(code));
    uint64_t base = SANDBOX + cpu->index * (uint64_t)SANDBOX_STEP;
    cpu->regs.r[7] = base + SANDBOX_CODE_PAGES * HOSTILE_PAGE;
    cpu->regs.rip = base;
    cpu->regs.cs = SEL_USER_CODE64;
    cpu->regs.ss = SEL_USER_DATA;
    cpu->regs.rsp = base + SANDBOX_PAGES * HOSTILE_PAGE - 64;
    cpu->regs.rflags = 0x202 | RFLAGS_AC;
    sandbox_enter(cpu, cpu->sandbox_cr3);
}

static void caches(struct hostile_cpu *cpu)
{
    if (random_below(cpu, 2))
        __asm__ volatile("wbinvd" : : : "memory");
    else
        __asm__ volatile("invd" : : : "memory");
    if (random_below(cpu, 4) == 0)
        wrmsr(MSR_DEBUGCTL, random64(cpu));
}

// Sleeps for good: the one that watches has to wake it.
static void deaf_halt(struct hostile_cpu *cpu)
{
    (void)cpu;
    __asm__ volatile("cli\n\thlt");
}

static void console_flood(struct hostile_cpu *cpu)
{
    const uint8_t *from = cpu->data;
    uint64_t n = CONSOLE_CHUNK;
    for (unsigned i = 0; i < CONSOLE_CHUNK; i++)
        cpu->data[i] = i % 64 == 63 ? '\n' : 'x';
    __asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"((uint16_t)COM1) : "memory");
    cpu->action += CONSOLE_CHUNK - 1;
}

// One of the ways to restart, with interrupts of every vector waiting.
static void restart(struct hostile_cpu *cpu)
{
    uint32_t way = (uint32_t)rdtsc() >> 4;
    interrupts_off();
    for (uint32_t vector = FIRST_VECTOR; vector < 256; vector += 1 + (way & 7))
        send(cpu, 0, vector | ICR_ASSERT);
    switch (way % 4) {
    case 0:
        outb(0xcf9, 0x06);
        break;
    case 1:
        outb(0x64, 0xfe);
        break;
    case 2:
        outb(0x92, 0x01);
        break;
    default:
        send(cpu, 0, ICR_INIT | ICR_ASSERT);
        break;
    }
    for (;;)
        pause();
}

static void triple_fault(struct hostile_cpu *cpu)
{
    static const struct table_pointer none;
    send(cpu, 0, FIRST_VECTOR | ICR_ASSERT);
    __asm__ volatile("lidt %0\n\tint3" : : "m"(none));
}

const struct attack storm_attacks[] = {
    {"spin", NULL, spin, NULL, UINT64_MAX, "nothing: a busy neighbour that harms nobody"},
    {"nmis", NULL, nmis, NULL, 20000, "NMI to every ID"},
    {"inits", prepare_real_mode, inits, NULL, 20000, "INIT and start-up IPI to every ID but 0"},
    {"flood", NULL, flood, NULL, 200000, "interrupts to itself, to all others, to every ID"},
    {"timer", timer_begin, timer_flood, NULL, 20000, "a fast timer"},
    {"debug", NULL, debug_storm, NULL, 20000, "breakpoints, ICEBP and steps behind MOV to SS"},
    {"alignment", NULL, alignment, NULL, 5000, "alignment checks"},
    {"caches", NULL, caches, NULL, 50000, "WBINVD, INVD, branch records"},
    {"halts", NULL, deaf_halt, NULL, 50, "HLT with interrupts off"},
    {"console", NULL, console_flood, NULL, 1 << 20, "bytes to the console by string instructions"},
    {"restarts", NULL, restart, NULL, 1, "restarts by every way"},
    {"triple", NULL, triple_fault, NULL, 1, "a triple fault"},
    {0},
};
