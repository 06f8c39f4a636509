// SPDX-License-Identifier: Apache-2.0
// What the files of dma.elf share: the devices, interrupts that are counted instead of handled, a
// second CPU, and the modes.

#ifndef TESTS_GUESTS_DMA_DMA_H
#define TESTS_GUESTS_DMA_DMA_H

#include "tests/guests/edu.h"
#include "tests/guests/guest.h"

struct dma_guest {
    struct edu edu[EDU_MAX];
    unsigned edus;
    uint32_t apic_id[2]; // this CPU's and another's
    unsigned cpus;       // 1 or 2
    uint64_t random;     // state
    bool bare;           // `bare=yes`: no hypervisor guards the machine, so spare it
};
extern struct dma_guest guest;

struct mode {
    const char *name;
    void (*run)(void);
    bool attack; // part of `mode=attack`, with `edu`
};

// ---- interrupts.c
// Counts every vector from 32 on, on both CPUs; starts the second one.
void interrupts_begin(void);
uint32_t interrupts_seen(unsigned cpu, unsigned vector);
uint32_t interrupts_total(void);
// Lets pending interrupts through, then until `vector` has come `count` times, or for `ms`.
void let_through(void);
bool wait_for(unsigned cpu, unsigned vector, uint32_t count, uint64_t ms);
// The second CPU does it, with interrupts off; returns at once. ap_wait: until it is done.
void ap_run(void (*job)(void));
void ap_wait(void);
// While a storm lasts, both CPUs take whatever vector comes as an interrupt: below 32 too.
void storm_begin(void);
void storm_end(void);
// storm.asm
extern const uint64_t storm_stubs[256];

// ---- check.c
// The short form, for after an attack and after a restart.
void check_device(const struct edu *e);
void check_mode(void);
// ---- memory.c
// The addresses to attack, by the command line: how many, and each of them.
uint64_t targets_begin(void);
uint64_t target_number(uint64_t i);
void memory_attack(void);
// ---- forge.c
void forge_attack(void);
// ---- sweep.c
void sweep_attack(void);
// ---- msix.c
void msix_attack(void);
// ---- messages.c
void message_attack(void);
// ---- bars.c
void bar_attack(void);
// ---- config.c
void config_attack(void);
void reset_attack(void);
// ---- restart.c
// Before the devices are opened, which would put right what is wrong.
void check_after_start(void);
void restart_mode(void);

// ---- guest_dma.c
uint64_t random_number(void);
uint64_t random_less(uint64_t limit);
// The configuration of a device as it is now, and back: BARs first, the command register last.
struct saved_config {
    uint32_t word[64];
};
void save_config(pci_where_t where, struct saved_config *to);
void restore_config(pci_where_t where, const struct saved_config *from);
const char *where_text(pci_where_t where);

#endif
