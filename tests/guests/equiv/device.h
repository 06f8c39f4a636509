// SPDX-License-Identifier: Apache-2.0
// What the files of the platform's side share: lines made of several values, a record of the
// interrupts that each CPU took, and work for the other CPUs. Device registers and the local APIC
// are looked at from the boot CPU with interrupts off, unless a function says otherwise.

#ifndef TESTS_GUESTS_EQUIV_DEVICE_H
#define TESTS_GUESTS_EQUIV_DEVICE_H

#include "tests/guests/equiv/equiv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    VECTOR_NMI = 2,
    VECTOR_WAKE = 0x2f, // to a CPU that waits for work; not recorded
    VECTOR_LOW = 0x31,
    VECTOR_MID = 0x51,
    VECTOR_MID2 = 0x55,
    VECTOR_HIGH = 0x91,
    VECTOR_ERROR = 0xa1,
    VECTOR_SPURIOUS = 0xff,
    LIMIT_MS = 5000, // for what must happen, on a busy machine
    NOBODY = 0x5c,   // an APIC ID that no CPU has
};

// ---- lines.c
// Outcomes of several values. What does not fit is cut off with a mark.
struct line {
    char text[232];
    unsigned used;
};
void line_word(struct line *line, const char *word);
void line_hex(struct line *line, uint64_t value);
// "name value"
void line_field(struct line *line, const char *name, uint64_t value);
// A check's name: PREFIX.NAME, or PREFIX and a number and then .NAME. Holds until the next few.
const char *name_of(const char *prefix, const char *name);
const char *name_number(const char *prefix, unsigned number, const char *name);
// "apic.xapic" or "apic.x2apic", as this CPU's mode is; likewise "smp.xapic".
const char *apic_mode(void);
const char *smp_mode(void);
// What an attempt came to: "ok" or "#GP" and so on.
const char *attempt(int vector);

// ---- taken.c
// The interrupts that each CPU took, by vector and in order. Recorded from record_all() on.
void record_all(void);
void taken_forget(void);
uint32_t taken(unsigned cpu, unsigned vector);
// Takes what comes until this CPU has taken `vector` so often, or seconds have passed; how often.
uint32_t take_until(unsigned vector, uint32_t least);
// Waits until a CPU has taken it so often; false if it does not within seconds.
bool until_taken(unsigned cpu, unsigned vector, uint32_t least);
void line_taken(struct line *line, unsigned cpu);
// Lets this CPU take what is pending.
void take_pending(void);
// Runs inside the handler of every recorded interrupt before its EOI; NULL for nothing.
extern void (*volatile inside_handler)(unsigned vector);

// ---- cpus.c
// Starts all other CPUs; they wait for work with interrupts on.
extern unsigned cpus;
extern uint32_t cpu_ids[MAX_GUEST_CPUS];
void cpus_start(void);
unsigned cpu_self(void);
// Where a CPU arrives that is started: prepares its APIC, then waits for work.
void cpu_loop(void);
// How often this CPU came to cpu_loop.
uint32_t cpu_arrivals(unsigned cpu);
// Runs `job` on another CPU with interrupts off. Finish waits; false if it takes seconds.
void cpu_begin(unsigned cpu, void (*job)(void));
bool cpu_finish(unsigned cpu);
bool cpu_do(unsigned cpu, void (*job)(void));
// Waits until the word has the value; false if it does not come to it within seconds.
bool until(const volatile uint32_t *word, uint32_t value);
// Every CPU has taken what was sent to it before.
void settle(void);
// Software-enabled, accepting everything, with its own logical ID in the flat model.
void apic_prepare(void);

// ---- one concept each
void apic_registers(void);   // apic_regs.c
void apic_msrs(void);        // apic_msrs.c
void apic_reset_state(void); // apic_reset.c
void apic_lvts(void);        // apic_lvt.c
void apic_errors(void);      // apic_error.c
void apic_priorities(void);  // apic_priority.c
void apic_icr(void);         // apic_icr.c
void apic_logical(void);     // apic_logical.c
void apic_timer(void);       // apic_timer.c
void apic_deadline(void);    // apic_deadline.c
void apic_modes(void);       // apic_modes.c
void smp_init(void);         // smp_init.c
void smp_nmi(void);          // smp_nmi.c
void smp_ipi(void);          // smp_ipi.c
void smp_memory(void);       // smp_memory.c
void dev_pit(void);
void dev_rtc(void);
void dev_uart(void);
void dev_ioapic(void);
void dev_pm(void);
void dev_ports(void);

#endif
