// SPDX-License-Identifier: Apache-2.0
// A small physical memory, the only one there is for phys_read(), with what a loader left in it.
#ifndef TESTS_UNIT_FAKE_PHYS_H
#define TESTS_UNIT_FAKE_PHYS_H

#include <stdint.h>

#define FAKE_PHYS_BASE 0x10000u
#define FAKE_PHYS_SIZE 0x20000u

extern uint8_t fake_phys[FAKE_PHYS_SIZE];

// Where an address of it stands.
uint8_t *fake_phys_at(uint32_t address);

void set32(uint32_t address, uint32_t value);
void set64(uint32_t address, uint64_t value);

#endif
