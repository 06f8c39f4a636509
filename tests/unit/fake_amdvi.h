// SPDX-License-Identifier: Apache-2.0
// A model of AMD-Vi units, as the specification has them: registers, the command buffer, and what
// becomes of a device's request. It caches what it reads until a command says otherwise, so a test
// sees a forgotten invalidation. Tables lie in the fake heap.
#ifndef TESTS_UNIT_FAKE_AMDVI_H
#define TESTS_UNIT_FAKE_AMDVI_H

#include <setjmp.h>

#include "arch/lib/types.h"
#include "drivers/acpi/acpi.h"

#define FAKE_UNITS      2
#define FAKE_UNIT_BASE  0xfed80000ull // and each further one 1 MiB above
#define FAKE_FEATURES   0x40ull       // invalidate all
#define FAKE_FEATURES_X 0xc4ull       // and x2APIC, with entries of 128 bits

struct fake_unit {
    uint64_t reg[0x3000 / 8];
    bool hangs;        // executes no command
    bool no_answer;    // registers read as ones
    bool status_stuck; // buffers never stop
    bool event_late;   // the next event's code is never written out
    unsigned commands[16];
    unsigned msis; // announced events
};

// What becomes of an interrupt request.
struct fake_interrupt {
    bool nmi, init;
    uint8_t vector;
    uint32_t destination;
};

extern struct fake_unit fake_unit[FAKE_UNITS];
extern bool fake_x2apic;
extern const uint8_t *fake_ivrs; // NULL: there is no such table
extern uint32_t fake_ivrs_size;
extern enum status fake_ivrs_status;

// Units as after reset, with caches full of what firmware would have left.
void fake_amdvi_reset(uint64_t features);

// A request for memory by a device of a unit. True: it goes to *pa.
bool fake_dma(unsigned unit, uint16_t id, uint64_t address, bool write, uint64_t *pa);
// A write of `data` to the window of interrupts. True: it is delivered as *out.
bool fake_interrupt(unsigned unit, uint16_t id, uint64_t address, uint32_t data,
                    struct fake_interrupt *out);
void fake_log_event(unsigned unit, uint64_t first, uint64_t second);

// Where panic() goes to, once armed.
extern jmp_buf fake_panic;
extern bool fake_panic_armed;

#endif
