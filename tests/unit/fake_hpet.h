// SPDX-License-Identifier: Apache-2.0
// A model of an HPET by its specification (1.0a, 2.3), behind hpet_read() and hpet_write(). Its
// counter moves when it is read, and when a test lets time pass.
#ifndef TESTS_UNIT_FAKE_HPET_H
#define TESTS_UNIT_FAKE_HPET_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_HPET_TIMERS 32
#define FAKE_HPET_PERIOD 69841279u // femtoseconds: 14.31818 MHz

struct fake_hpet_timer {
    uint32_t config; // the lower half: what can be written is as written
    uint32_t gsis;
    bool repeats; // it can
    uint64_t value, period;
    bool sets_value;      // the next write of the value is not the period's
    unsigned came;        // interrupts since fake_hpet_forget()
    uint64_t first, last; // the counter at the first and the last of them
};

extern struct fake_hpet {
    unsigned timers;
    uint32_t period; // femtoseconds
    bool gone;       // all reads are ones
    uint32_t config, status;
    uint64_t counter;
    uint32_t read_takes; // ticks that pass with each read of the counter
    unsigned writes;
    struct fake_hpet_timer timer[FAKE_HPET_TIMERS];
    // Called for each interrupt; NULL: nobody.
    void (*interrupt)(unsigned n, unsigned gsi, bool level);
} fake_hpet;

// As after power-on: three timers that can repeat, GSIs 20 to 23.
void fake_hpet_reset(void);
void fake_hpet_pass(uint64_t ticks);
// No interrupt has come yet.
void fake_hpet_forget(void);
// The interrupt input that timer n is brought to.
unsigned fake_hpet_gsi(unsigned n);

#endif
