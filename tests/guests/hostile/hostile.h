// SPDX-License-Identifier: Apache-2.0
// What the files of hostile.elf share: a CPU that attacks and how it gets back from whatever its
// attack did to it, its random numbers, and the table of attacks.

#ifndef TESTS_GUESTS_HOSTILE_HOSTILE_H
#define TESTS_GUESTS_HOSTILE_HOSTILE_H

#include "tests/guests/guest.h"

#define HOSTILE_PAGE 0x1000ull

enum {
    HOSTILE_CPUS = 4,
    NO_TRAP = -1,
    // Selectors of a hostile CPU's GDT.
    SEL_CODE32 = 0x08,
    SEL_DATA = 0x10,
    SEL_CODE64 = 0x18,
    SEL_USER_DATA = 0x23,
    SEL_USER_CODE64 = 0x2b,
    SEL_USER_CODE32 = 0x33,
    SEL_CODE16 = 0x38,
    SEL_TSS = 0x40,
    // A sandbox's pages, at SANDBOX + CPU * SANDBOX_STEP: code, data, stack, and none behind.
    SANDBOX = 0x40000000,
    SANDBOX_STEP = 0x200000,
    SANDBOX_CODE_PAGES = 2,
    SANDBOX_PAGES = 6,
    WATCHDOG_VECTOR = 0x4f,
    LAPIC_PAGE = 0xfee00000,
    IOAPIC_PAGE = 0xfec00000,
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

// Registers for code in a sandbox, as recover.asm loads them; `iret` is the frame that enters it.
struct sandbox_regs {
    uint64_t r[16]; // in the order of their numbers; [4] is not used
    uint64_t rip, cs, rflags, rsp, ss;
};

// A CPU that attacks. It begins a block of CPU_BLOCK bytes that is aligned to its size, whose last
// page is the stack of its interrupts: so their handler finds it. recover.asm knows the first
// members.
#define CPU_BLOCK 0x4000
struct hostile_cpu {
    uint64_t saved_rsp; // where attempt() comes back to
    uint64_t armed;     // whether an attempt is under way
    uint64_t main_cr3;
    uint64_t cr0, cr4;
    uint64_t vector, error, rip;
    struct table_pointer gdtr __attribute__((aligned(16)));
    struct table_pointer idtr __attribute__((aligned(16)));
    struct sandbox_regs regs __attribute__((aligned(16)));

    uint64_t gdt[16] __attribute__((aligned(16)));
    uint8_t tss[112];
    unsigned index;
    bool x2apic; // the mode that apic_repair() has set
    uint64_t efer, sandbox_cr3;
    uint64_t *sandbox_pte; // of its first page
    uint8_t *code, *data;  // the sandbox's pages, where the guest itself writes them
    uint64_t random;       // state
    uint64_t saved_entry;  // of the sandbox's data page
    const struct attack *attack;
    uint64_t action; // number within the attack
    // Written by this CPU, read by the one that watches.
    volatile uint64_t progress, traps, stuck;
    volatile bool busy, finished;
} __attribute__((aligned(64)));

// Runs one thing; returns NO_TRAP, or the vector of what ended it. Interrupts are off afterwards.
int attempt(struct hostile_cpu *cpu, void (*act)(struct hostile_cpu *cpu));
// For an act: goes to cpu->regs in the sandbox; only a trap comes back.
void sandbox_enter(struct hostile_cpu *cpu, uint64_t cr3) __attribute__((noreturn));
extern const uint64_t hostile_stubs[256];
extern const uint8_t recover_start[], recover_end[]; // pages

// ---- cpu.c
struct hostile_cpu *hostile_cpu(unsigned index);
void cpu_setup(struct hostile_cpu *cpu);
// After a trap: acknowledges an interrupt, takes back what the attack did to the CPU's registers.
void cpu_repair(struct hostile_cpu *cpu, int vector);
// Its local APIC enabled in the mode that the guest runs in, its watchdog timer running.
void apic_repair(struct hostile_cpu *cpu);
// A page table's page, zeroed; and one page mapped in tables made of them.
uint64_t *table_page(void);
uint64_t *map_page(uint64_t *top, uint64_t virtual_address, uint64_t entry);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// ---- random numbers: reproducible from the seed
uint64_t random64(struct hostile_cpu *cpu);
// Less than `limit`.
uint64_t random_below(struct hostile_cpu *cpu, uint64_t limit);
// One of the kinds that matter: small, a bit, all ones, wide.
uint64_t random_value(struct hostile_cpu *cpu);

// ---- attacks
struct attack {
    const char *name;
    void (*begin)(struct hostile_cpu *cpu); // once before, or NULL
    void (*act)(struct hostile_cpu *cpu);   // one action
    void (*end)(struct hostile_cpu *cpu);   // once after, or NULL
    uint64_t count;                         // actions, if the command line does not say
    const char *what;
};
// ---- devices.c
void devices_setup(void);
// Whoever is started by a random start-up IPI sleeps in the page that it finds.
void prepare_real_mode(struct hostile_cpu *cpu);

extern const struct attack instruction_attacks[], device_attacks[], storm_attacks[],
    paging_attacks[];

#endif
