// SPDX-License-Identifier: Apache-2.0
// A partition with a little flat RAM from 0, behind the functions of hv/memory/guest_mem.h, for
// tests of the page-table walk and of the emulator.
#ifndef TESTS_UNIT_FAKE_FLAT_RAM_H
#define TESTS_UNIT_FAKE_FLAT_RAM_H

#include "hv/memory/guest_layout.h"
#include "hv/memory/guest_mem.h"

#define FLAT_RAM_SIZE KIB(64)

struct flat_ram {
    struct guest_ram ram; // what callers have; empty
    uint8_t bytes[FLAT_RAM_SIZE];
    unsigned writes; // how many there were
    // Another processor, which comes in between before each of the next `changes` calls of
    // guest_replace() and flips these bits of the entry.
    unsigned changes;
    uint8_t change;
};

extern struct flat_ram flat;

void flat_clear(void);
void flat_set_u64(uint64_t address, uint64_t value);
void flat_set_u32(uint64_t address, uint32_t value);
uint64_t flat_u64(uint64_t address);
uint32_t flat_u32(uint64_t address);

#endif
