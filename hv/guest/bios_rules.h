// SPDX-License-Identifier: Apache-2.0
// What a guest gets that calls the BIOS, by interrupt and function. Decides only.
#ifndef HV_GUEST_BIOS_RULES_H
#define HV_GUEST_BIOS_RULES_H

#include "arch/lib/types.h"

enum bios_answer {
    BIOS_NOTHING, // returns with all registers as they were
    BIOS_ERROR,   // CF set, AH = `value`: the function is not there
    BIOS_STATUS,  // AH = `value`
    BIOS_WORD,    // AX = the word of the BIOS data area at `value`
    BIOS_NO_KEY,  // ZF set: no key was pressed
    BIOS_STOP,    // no return: it waits for what never comes, or can't go on
};

struct bios_rule {
    uint8_t first; // interrupts, inclusive
    uint8_t last;
    uint8_t function_first; // AH, inclusive
    uint8_t function_last;
    uint8_t answer; // enum bios_answer
    uint16_t value;
    const char *name;
};

// The rule for an interrupt with this AH. Never NULL.
const struct bios_rule *bios_rule_find(uint8_t vector, uint8_t function);

// The whole table: for each vector and function the first row that has both.
const struct bios_rule *bios_rules(unsigned *count);

#endif
