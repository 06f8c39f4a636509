// SPDX-License-Identifier: Apache-2.0
// What a guest that calls the BIOS gets, by interrupt and function. Decides only.
#ifndef HV_GUEST_BIOS_RULES_H
#define HV_GUEST_BIOS_RULES_H

#include "arch/lib/types.h"

enum bios_answer {
    BIOS_NOTHING, // returns with all registers unchanged
    BIOS_ERROR,   // CF set, AH = `value`: there is no such function
    BIOS_STATUS,  // AH = `value`
    BIOS_WORD,    // AX = the word of the BIOS data area at `value`
    BIOS_NO_KEY,  // ZF set: no key was pressed
    BIOS_STOP,    // no return: the guest waits for something impossible, or can't continue
};

struct bios_rule {
    uint8_t first; // first and last interrupt, inclusive
    uint8_t last;
    uint8_t function_first; // AH, first and last, inclusive
    uint8_t function_last;
    uint8_t answer; // enum bios_answer
    uint16_t value;
    const char *name;
};

// The rule for an interrupt with this AH. Never NULL.
const struct bios_rule *bios_rule_find(uint8_t vector, uint8_t function);

// The whole table. For each vector and function the first row that has both counts.
const struct bios_rule *bios_rules(unsigned *count);

#endif
