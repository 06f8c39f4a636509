// SPDX-License-Identifier: Apache-2.0
// A guest for fuzzers of the emulators: its registers, segments, page tables and code are read from
// the input, so that chance finds instructions that reach memory and a device.
#ifndef TESTS_FUZZ_GUEST_MACHINE_H
#define TESTS_FUZZ_GUEST_MACHINE_H

#include "arch/msr.h"
#include "hv/emulate.h"
#include "tests/unit/fake_flat_ram.h"

#define GUEST_DEVICE 0xfee00000u // guest-physical page; linear too, unless the tables are spoiled
#define GUEST_CODE   0x8000u     // linear and guest-physical

// As in arch/cpu.h, which is not for host tests.
#define CR0_PE   BIT(0)
#define CR0_WP   BIT(16)
#define CR0_PG   BIT(31)
#define CR4_PSE  BIT(4)
#define CR4_PAE  BIT(5)
#define CR4_LA57 BIT(12)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)

// What the input says for the fuzzer's own use.
struct guest_choice {
    uint8_t flags;
    uint16_t address;
};

struct guest_machine {
    struct guest_regs regs;
    struct guest_paging paging;
    struct guest_segment segments[SEG_COUNT];
    struct emulate_context context;
    uint8_t fetched[INSN_MAX_LENGTH];
    bool fetched_from_rip; // the bytes of the exit, if any, are those at RIP
};

extern struct guest_machine guest;

// Sets up `guest` and `flat` (fake_flat_ram.h). False: the input is too short.
bool guest_machine_set_up(const uint8_t *data, size_t size, struct guest_choice *choice);

#endif
